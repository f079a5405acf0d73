"""The link to the ticket, sent again."""

import pytest

from shared.kafka import topics
from tests.builders import (
    WRITER,
    Step,
    accepted,
    contributed,
    link_requested,
    rated,
    received,
    returned,
    told,
)

GIVEN = received("路灯不亮", contact=WRITER)


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ((GIVEN,), "assigned"),
        ((received("别的事", contact=WRITER),), "triage"),
        ((GIVEN, accepted("lighting")), "in-progress"),
        ((GIVEN, returned("lighting")), "triage"),
        ((GIVEN, contributed("lighting", "亮了")), "answered"),
        ((GIVEN, contributed("lighting", "亮了"), rated()), "answered"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_in_every_state_the_link_goes_to_the_contact_on_file_and_nothing_else_happens(
    steps: tuple[Step, ...], state: str
) -> None:
    before = told(*steps)
    story = told(link_requested(), after_this=before)
    message = story.resident()
    assert (story.refusal, story.case.state, message["what"]) == (None, state, "link")
    assert message["contact"] == WRITER.model_dump()
    assert message["case"] == {name: one for name, one in before.resident()["case"].items() if name != "body"}
    assert (story.case.parts, story.case.rated) == (before.case.parts, before.case.rated)
    assert [one.topic for one in story.last.messages] == [topics.EVENTS, topics.RESIDENTS]


def test_the_event_tells_only_that_a_link_was_requested() -> None:
    kind, event = told(GIVEN, link_requested()).on(topics.EVENTS)[-1]
    assert kind == "inquiry.link-requested"
    assert set(event) == {
        *("type", "inquiry_id", "sequence", "at", "actor", "state", "departments", "part_states", "prev")
    }


def test_every_request_is_a_decision_of_its_own() -> None:
    story = told(GIVEN, link_requested(), link_requested())
    assert len(story.decisions) == 3
    assert len({one.id for one in story.messages if one.topic == topics.RESIDENTS}) == 4


def test_without_a_contact_the_message_has_none() -> None:
    assert told(received("路灯不亮"), link_requested()).resident()["contact"] is None


def test_an_unknown_inquiry_is_refused() -> None:
    story = told(link_requested())
    assert "There is no inquiry" in (story.refusal or "")
    assert story.messages == []


def test_the_sentence_is_in_the_language_of_the_message() -> None:
    texts = [told(received("路灯不亮", language=one), link_requested()).resident()["text"] for one in ("zh", "en")]
    assert texts == [
        "应申请，再次发给您诉求的查询链接。如果不是您本人申请的，无需理会。",
        "As requested, here is the link to your message. If you did not ask for it, you need not do anything.",
    ]
