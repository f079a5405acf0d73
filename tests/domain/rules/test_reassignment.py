"""A coordinator moves an open part to another department."""

import pytest

from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from shared.kafka import topics
from tests.builders import (
    DIRECTORY,
    INQUIRY,
    MONDAY_NOON,
    Step,
    accepted,
    assigned,
    contributed,
    received,
    returned,
    told,
    withdrawn,
)
from tests.domain.rules.stories import BOTH, states
from tests.returning import RETURNING, arbitrated, on_day, reassigned


def test_the_part_moves_with_the_reason_and_gets_clocks_of_its_own() -> None:
    story = told(BOTH, accepted("roads"), reassigned("roads", "parks", "属园林局管养"))
    assert (story.case.lead, story.case.co_handlers) == ("lighting", ("parks",))
    kind, data = story.on(topics.inbox("roads"))[-1]
    assert (kind, data["why"]) == ("part.withdrawn", "属园林局管养")
    [(kind, offer)] = story.on(topics.inbox("parks"))
    assert (kind, offer["part_id"], offer["role"]) == ("part.offered", f"{INQUIRY}-p3", "co-handler")
    assert offer["why"] == "由 赵协调 改派 / reassigned by 赵协调: 属园林局管养"
    assert offer["due"]["accept"] == "2026-03-17T06:00:00.000Z", "a day after the command, not after the message"
    kind, change = story.on(topics.inbox("lighting"))[-1]
    assert (kind, change["co_handlers"]) == ("part.changed", ["parks"])


def test_the_part_of_the_lead_moves_with_the_lead() -> None:
    story = told(BOTH, reassigned("lighting", "parks"))
    assert (story.case.lead, story.case.co_handlers) == ("parks", ("roads",))
    story = told(contributed("parks", "灯亮了"), contributed("roads", "路补了"), after_this=story)
    assert story.texts() == ["灯亮了", "路补了"]


def test_the_resident_reads_who_answers_now_and_not_why() -> None:
    story = told(received("路灯不亮"), reassigned("lighting", "parks", "内部说明"))
    last = story.resident()
    assert (last["what"], last["case"]["departments"][0]["code"]) == ("assigned", "parks")
    assert last["text"].startswith("您的诉求已派单：园林局主办。")
    public = [message for message in story.messages if message.topic in (topics.RESIDENTS, topics.EVENTS)]
    assert [one for one in public if "内部说明" in one.value.decode()] == []


def test_the_former_department_can_no_longer_answer() -> None:
    story = told(BOTH, reassigned("roads", "parks"), contributed("roads", "路补了"))
    assert story.refusal == f"The part '{INQUIRY}-p2' is withdrawn already."


@pytest.mark.parametrize(
    ("to", "code"),
    [("nobody", "unknown-department"), ("lighting", "department-has-part"), ("roads", "department-has-part")],
)
def test_the_new_department_is_one_of_the_city_that_has_no_part(to: str, code: str) -> None:
    story = told(BOTH, reassigned("roads", to))
    assert (story.last.refusal, states(story)) == (code, {"lighting": "offered", "roads": "offered"})


@pytest.mark.parametrize(
    "first",
    [(contributed("roads", "路补了"),), (withdrawn("roads"),), (returned("roads"), assigned("lighting"))],
    ids=["contributed", "withdrawn", "returned"],
)
def test_only_an_open_part_is_reassigned(first: tuple[Step, ...]) -> None:
    story = told(BOTH, *first, reassigned("roads", "parks"))
    assert story.last.refusal == "part-not-reassignable"


def test_an_unknown_part_is_not_reassigned() -> None:
    story = told(BOTH, reassigned("water", "parks"))
    assert story.refusal == f"The part '{INQUIRY}-p99' cannot be reassigned."


def test_a_case_in_triage_is_settled_first() -> None:
    story = told(BOTH, returned("roads"), reassigned("lighting", "parks"))
    assert (story.last.refusal, story.case.state) == ("in-triage", "triage")


def test_the_new_department_may_return_the_part_within_a_time_of_its_own() -> None:
    story = told(
        received("路灯不亮"), on_day(reassigned("lighting", "parks"), MONDAY_NOON.replace(day=18)), city=RETURNING
    )
    [(_, offer)] = story.on(topics.inbox("parks"))
    assert offer["return_until"] == "2026-03-19T06:00:00.000Z"


def test_a_part_that_settles_a_dispute_stays_binding_when_it_moves() -> None:
    steps = received("路灯不亮"), returned("lighting"), assigned("roads"), returned("roads"), arbitrated("roads")
    story = told(*steps, reassigned("roads", "parks"), city=RETURNING)
    assert story.on(topics.inbox("parks"))[-1][1]["binding"] is True
    assert told(returned("parks"), city=RETURNING, after_this=story).last.refusal == "part-binding"


def test_a_case_is_read_back_as_it_was_decided() -> None:
    story = told(BOTH, reassigned("roads", "parks", "道路处已核实，该路段由园林局管养。"), city=DIRECTORY)
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)
    assert case_of(INQUIRY, stored) == story.case
