"""When returned parts wait for an arbiter: at the limit of the policy, and when they go back and forth (A→B→A)."""

import pytest

from services.router.domain.decision import from_document
from services.router.domain.outputs.messages import with_messages
from shared.kafka import topics
from tests.builders import INQUIRY, Story, assigned, received, returned, told, withdrawn
from tests.domain.rules.stories import BOTH
from tests.returning import RETURNING, returning

DARK = received("路灯不亮")
PATIENT = returning(limit=5)


def triaged(story: Story) -> list[str]:
    """The reasons for which the case went to triage."""
    return [value["reason"] for kind, value in story.on(topics.EVENTS) if kind == "inquiry.triaged"]


def test_at_the_limit_the_case_waits_for_an_arbiter_for_as_long_as_a_return_takes() -> None:
    story = told(DARK, returned("lighting"), assigned("roads"), returned("roads"), city=RETURNING)
    assert (story.case.state, triaged(story)) == ("triage", ["returned", "arbitration"])
    assert story.case.arbitration is not None
    # 15:00 on Monday: 3 h left, then 5 of Tuesday's 7.5.
    assert story.case.arbitration == ((f"{INQUIRY}-p2",), "2026-03-17T07:30:00.000Z")
    assert story.on(topics.EVENTS)[-1][1]["until"] == "2026-03-17T07:30:00.000Z"


def test_a_limit_of_one_sends_the_first_return_to_an_arbiter() -> None:
    assert triaged(told(DARK, returned("lighting"), city=returning(limit=1))) == ["arbitration"]


def test_without_a_time_in_the_policy_the_arbiter_has_no_limit() -> None:
    story = told(DARK, returned("lighting"), city=returning(within=None, limit=1))
    assert story.case.arbitration == ((f"{INQUIRY}-p1",), None)
    assert "until" not in story.on(topics.EVENTS)[-1][1]


def test_the_returns_of_all_departments_of_the_inquiry_count() -> None:
    story = told(BOTH, returned("lighting"), returned("roads"), city=RETURNING)
    assert (triaged(story), story.case.unsettled) == (
        ["returned", "arbitration"],
        (f"{INQUIRY}-p1", f"{INQUIRY}-p2"),
    )


def test_a_second_dispute_leaves_the_arbiter_the_time_of_the_first() -> None:
    story = told(received("三家一起"), returned("lighting"), returned("roads"), returned("water"), city=RETURNING)
    first, second = (value["until"] for kind, value in story.on(topics.EVENTS) if value.get("reason") == "arbitration")
    assert first == second
    assert story.case.arbitration == ((f"{INQUIRY}-p2", f"{INQUIRY}-p3"), first)


def test_withdrawing_the_disputed_part_ends_the_arbitration() -> None:
    story = told(BOTH, returned("lighting"), returned("roads"), withdrawn("roads"), city=RETURNING)
    assert (story.case.state, story.case.arbitration) == ("triage", None)
    assert told(assigned("lighting"), city=RETURNING, after_this=story).refusal is None


def test_two_departments_that_send_it_back_and_forth_are_stopped() -> None:
    """A→B→A: lighting returned it, roads had it and returned it, lighting has it again and returns it again."""
    steps = (DARK, returned("lighting"), assigned("roads"), returned("roads"), assigned("lighting"))
    story = told(*steps, city=PATIENT)
    assert triaged(story) == ["returned", "returned"]
    story = told(returned("lighting"), city=PATIENT, after_this=story)
    assert triaged(story) == ["returned", "returned", "arbitration"]


def test_a_department_that_sends_it_back_where_it_came_from_is_stopped_at_once() -> None:
    steps = DARK, returned("lighting", suggest="roads"), assigned("roads"), returned("roads", suggest="lighting")
    story = told(*steps, city=PATIENT)
    assert triaged(story) == ["returned", "arbitration"]


@pytest.mark.parametrize(
    "path",
    [
        [("lighting", "roads"), ("roads", "water"), ("water", "parks"), ("parks", "east")],
        [("lighting", "roads"), ("roads", "water"), ("water", "lighting")],
    ],
    ids=["a chain", "a circle of three"],
)
def test_only_the_limit_stops_more_than_two_departments(path: list[tuple[str, str]]) -> None:
    story = told(DARK, city=PATIENT)
    for department, suggest in path:
        story = told(returned(department, suggest=suggest), assigned(suggest), city=PATIENT, after_this=story)
    assert set(triaged(story)) == {"returned"}


def test_a_case_is_read_back_as_it_was_decided() -> None:
    steps = DARK, returned("lighting", suggest="roads"), assigned("roads"), returned("roads", suggest="lighting")
    story = told(*steps, city=PATIENT)
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)
