"""Disputes about returned parts: an arbiter decides, or the first assigned department leads (首接负责)."""

from datetime import UTC, datetime

import pytest

from services.router.domain.city_index import city_index
from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from services.router.domain.triage import reasons
from shared.city import retire
from shared.kafka import topics
from tests.builders import INQUIRY, Step, Story, assigned, contributed, received, returned, told
from tests.domain.rules.stories import BOTH, states
from tests.returning import RETURNING, arbitrated, first_receiver_assigned, on_day, reassigned, returning

DISPUTE = told(received("路灯不亮"), returned("lighting"), assigned("roads"), returned("roads"), city=RETURNING)
UNTIL = datetime(2026, 3, 17, 7, 30, tzinfo=UTC)


def then(*steps: Step, story: Story = DISPUTE) -> Story:
    return told(*steps, city=RETURNING, after_this=story)


def test_an_arbiter_decides_and_the_department_reads_that_it_cannot_return_the_part() -> None:
    story = then(arbitrated("roads", "lighting", words="道路处牵头，路灯所协助。"))
    assert (story.case.state, story.case.lead, story.case.co_handlers) == ("assigned", "roads", ("lighting",))
    assert story.case.arbitration is None
    kind, offer = story.on(topics.inbox("roads"))[-1]
    assert (kind, offer["binding"], "return_until" in offer) == ("part.offered", True, False)
    assert offer["why"] == "由 钱督办 裁定 / decided in arbitration by 钱督办: 道路处牵头，路灯所协助。"
    assert [one["department"] for one in offer["returned"]] == ["lighting", "roads"]


@pytest.mark.parametrize("department", ["roads", "lighting"])
def test_a_part_assigned_by_arbitration_cannot_be_returned_again(department: str) -> None:
    story = then(arbitrated("roads", "lighting"), returned(department))
    assert (story.last.refusal, states(story)[department]) == ("part-binding", "offered")
    kind, data = story.on(topics.inbox(department))[-1]
    assert (kind, data["remedy"]) == (
        "message.refused",
        "Contribute to the answer, or ask the city's desk to reassign the part.",
    )


def test_a_department_that_has_a_part_already_cannot_return_it_after_the_arbitration() -> None:
    story = told(received("三家一起"), returned("roads"), returned("water"), arbitrated("lighting"), city=RETURNING)
    kind, change = story.on(topics.inbox("lighting"))[-1]
    assert (kind, change["binding"], change["role"]) == ("part.changed", True, "lead")
    assert change["why"] == "由 钱督办 裁定 / decided in arbitration by 钱督办"
    assert then(returned("lighting"), story=story).last.refusal == "part-binding"


def test_departments_that_the_arbiter_does_not_name_keep_their_part_as_it_is() -> None:
    story = told(received("三家一起"), returned("roads"), returned("water"), arbitrated("parks"), city=RETURNING)
    assert (story.case.lead, story.case.co_handlers) == ("parks", ("lighting",))
    assert "binding" not in story.on(topics.inbox("lighting"))[-1][1]
    story = then(returned("lighting"), story=story)
    assert story.case.arbitration == ((f"{INQUIRY}-p1",), "2026-03-17T08:30:00.000Z")


def test_assigning_from_triage_cannot_replace_the_arbitration() -> None:
    story = then(assigned("roads"))
    assert (story.last.refusal, story.case.arbitration) == ("awaits-arbitration", DISPUTE.case.arbitration)
    assert story.last.refused is not None
    assert story.last.refused.remedy == "A coordinator or a supervisor decides with the command `arbitrate`."


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ((BOTH,), "is assigned and does not wait for an arbiter"),
        ((BOTH, returned("roads")), "is triage and does not wait for an arbiter"),
        ((), "There is no inquiry"),
    ],
    ids=["assigned", "in triage", "unknown"],
)
def test_only_a_dispute_can_be_arbitrated(steps: tuple[Step, ...], reason: str) -> None:
    for step in (arbitrated("roads"), first_receiver_assigned()):
        assert reason in (told(*steps, step, city=RETURNING).refusal or "")


@pytest.mark.parametrize(
    ("named", "code"),
    [(("nobody",), "unknown-department"), (("roads", "roads"), "department-twice")],
)
def test_the_arbiter_names_departments_of_the_city_each_once(named: tuple[str, ...], code: str) -> None:
    assert then(arbitrated(*named)).last.refusal == code


def test_the_desk_sees_the_dispute_and_until_when_the_arbiter_may_decide() -> None:
    [one] = reasons(DISPUTE.case, DISPUTE.decisions)
    assert (one.reason, one.department, one.returned_for, one.words, one.until) == (
        "arbitration",
        "roads",
        "not-ours",
        "不归我们管",
        "2026-03-17T07:30:00.000Z",
    )


# ── nobody decides ───────────────────────────────────────────────────────────


def test_at_the_limit_without_an_arbiter_the_first_assigned_department_leads() -> None:
    story = then(on_day(first_receiver_assigned(), UNTIL))
    assert (story.case.lead, story.case.state, story.case.arbitration) == ("lighting", "assigned", None)
    kind, offer = story.on(topics.inbox("lighting"))[-1]
    assert (kind, offer["part_id"], offer["binding"]) == ("part.offered", f"{INQUIRY}-p3", True)
    assert offer["why"] == (
        "逾期未裁定，由首接部门负责办理 / nobody arbitrated in time, so the first assigned department answers"
    )
    assert then(returned("lighting"), story=story).last.refusal == "part-binding"
    assert then(contributed("lighting", "灯亮了"), story=story).texts() == ["灯亮了"]


def test_before_the_time_of_the_arbiter_has_passed_nothing_happens() -> None:
    story = then(on_day(first_receiver_assigned(), UNTIL.replace(minute=29)))
    assert (story.last.refusal, story.case.arbitration) == ("arbitration-open", DISPUTE.case.arbitration)
    assert story.refusal == f"The inquiry '{INQUIRY}' waits for an arbiter until 2026-03-17T07:30:00.000Z."


def test_without_a_time_in_the_policy_only_an_arbiter_decides() -> None:
    city = returning(within=None, limit=1)
    story = told(received("路灯不亮"), returned("lighting"), on_day(first_receiver_assigned(), UNTIL), city=city)
    assert (
        story.refusal
        == f"The inquiry '{INQUIRY}' waits for an arbiter without a limit, because the policy sets no time."
    )


def test_an_arbiter_may_decide_after_the_time_while_nobody_else_has() -> None:
    assert then(on_day(arbitrated("water"), UNTIL.replace(day=20))).case.lead == "water"
    story = then(on_day(arbitrated("water"), UNTIL), on_day(first_receiver_assigned(), UNTIL))
    assert (story.last.refusal, story.case.lead) == ("not-in-arbitration", "water")


def test_a_first_department_that_has_an_open_part_keeps_it_and_cannot_return_it() -> None:
    steps = received("三家一起"), returned("roads"), returned("water"), on_day(first_receiver_assigned(), UNTIL)
    story = told(*steps, city=RETURNING)
    assert (story.case.lead, story.case.co_handlers, len(story.case.parts)) == ("lighting", (), 3)
    assert then(returned("lighting"), story=story).last.refusal == "part-binding"


def test_a_lead_that_has_contributed_stays_and_the_first_that_returned_answers_too() -> None:
    """Otherwise the reply would go out without the share that is in dispute."""
    steps = received("三家一起"), contributed("lighting", "灯亮了"), returned("roads"), returned("water")
    story = told(*steps, on_day(first_receiver_assigned(), UNTIL), city=RETURNING)
    assert (story.case.lead, story.case.co_handlers, story.case.state) == ("lighting", ("roads",), "in-progress")
    assert "binding" not in story.on(topics.inbox("lighting"))[-1][1]
    assert then(contributed("roads", "路补了"), story=story).texts() == ["灯亮了", "路补了"]


def test_a_department_that_the_desk_took_the_part_from_is_not_the_first() -> None:
    steps = received("路灯不亮"), reassigned("lighting", "parks"), returned("parks"), assigned("roads")
    story = told(*steps, returned("roads"), on_day(first_receiver_assigned(), UNTIL.replace(day=18)), city=RETURNING)
    assert story.case.lead == "parks"


def test_a_retired_first_department_is_replaced_by_the_second() -> None:
    city = city_index(retire(RETURNING.city, "lighting"), RETURNING.zone)
    story = told(on_day(first_receiver_assigned(), UNTIL), city=city, after_this=DISPUTE)
    assert story.case.lead == "roads"
    nobody = city_index(retire(city.city, "roads"), RETURNING.zone)
    story = told(on_day(first_receiver_assigned(), UNTIL), city=nobody, after_this=DISPUTE)
    assert (story.last.refusal, story.case.state) == ("no-first-department", "triage")


def test_residents_read_nothing_of_the_dispute() -> None:
    story = then(arbitrated("roads", words="内部意见"))
    public = [message for message in story.messages if message.topic in (topics.RESIDENTS, topics.EVENTS)]
    assert [one for one in public if "内部意见" in one.value.decode()] == []
    assert story.on(topics.RESIDENTS)[-1][1]["what"] == "assigned"


@pytest.mark.parametrize("end", [arbitrated("roads", words="道路处牵头"), on_day(first_receiver_assigned(), UNTIL)])
def test_a_case_is_read_back_as_it_was_decided(end: Step) -> None:
    story = then(end)
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)
    assert case_of(INQUIRY, stored) == story.case
