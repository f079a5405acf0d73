"""Events of returned parts contain a reason code and a department code, never a department's text."""

from typing import Any

import pytest

from shared.kafka import topics
from tests.builders import INQUIRY, received, returned, told


def event(**given: Any) -> dict[str, Any]:
    """The event of a part that lighting returned with these fields."""
    story = told(received("路灯"), returned("lighting", **given))
    [found] = [data for kind, data in story.on(topics.EVENTS) if kind == "part.returned"]
    return found


@pytest.mark.parametrize("reason", ["not-ours", "wrong-area", "incomplete", "lacks-facts", "duplicate"])
def test_a_listed_reason_is_published(reason: str) -> None:
    assert event(reason=reason)["reason"] == reason


@pytest.mark.parametrize(
    "reason",
    [
        "不归我们管",
        "call 13800138000",
        "not-ours: call 13800138000",
        "Not-Ours",
        "not--ours",
        "-",
        "not-ours\n",
        "the-writer-lies",
    ],
)
def test_an_unlisted_reason_is_published_as_other(reason: str) -> None:
    assert event(reason=reason)["reason"] == "other"


def test_a_suggested_department_is_published() -> None:
    assert event(suggest="roads")["suggest"] == "roads"
    assert event()["suggest"] is None


@pytest.mark.parametrize("suggest", ["ask 13800138000", "road", "Roads", "nobody"])
def test_an_unknown_suggestion_is_refused_and_published_nowhere(suggest: str) -> None:
    story = told(received("路灯"), returned("lighting", suggest=suggest))
    assert story.refusal == f"The city has no active department {suggest!r} to suggest."
    assert story.case.parts[f"{INQUIRY}-p1"].state == "offered"
    assert [data for kind, data in story.on(topics.EVENTS) if suggest in str(data.values())] == []


def test_free_text_reasons_are_kept_for_the_desk() -> None:
    story = told(received("路灯"), returned("lighting", reason="不归我们管"))
    assert story.last.words["0/reason"] == "不归我们管"
