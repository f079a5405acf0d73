"""Why a case is in triage: every reason, with the words of the department that left."""

from services.router.domain.decision import from_document
from services.router.domain.triage import WaitingReason, reasons
from tests.builders import (
    INQUIRY,
    Story,
    accepted,
    assigned,
    contributed,
    recalled,
    received,
    returned,
    told,
    withdrawn,
)
from tests.domain.rules.stories import BOTH


def why(story: Story) -> tuple[WaitingReason, ...]:
    return reasons(story.case, story.decisions)


def test_no_rule_matched() -> None:
    assert why(told(received("别的事"))) == (WaitingReason("no-rule", "2026-03-16T04:00:00.000Z"),)


def test_a_chosen_department_is_unknown() -> None:
    [reason] = why(told(received("路灯", departments=("roads", "ghosts"))))
    assert (reason.reason, reason.named) == ("unknown-department", ("roads", "ghosts"))


def test_a_department_returned_its_part() -> None:
    [reason] = why(told(BOTH, accepted("lighting"), returned("roads", "wrong-area", "路在邻县。", "water")))
    assert reason == WaitingReason(
        "returned",
        "2026-03-16T06:00:00.000Z",
        part_id=f"{INQUIRY}-p2",
        department="roads",
        returned_for="wrong-area",
        words="路在邻县。",
        suggest="water",
    )


def test_a_reason_of_its_own_is_shown_as_written() -> None:
    [reason] = why(told(BOTH, returned("roads", "不归我们管", "")))
    assert (reason.returned_for, reason.words) == ("不归我们管", None)


def test_a_department_was_retired() -> None:
    [reason] = why(told(BOTH, recalled("lighting", "The department is retired: 并入水务局")))
    assert (reason.reason, reason.department, reason.part_id) == ("department-retired", "lighting", f"{INQUIRY}-p1")
    assert reason.words == "The department is retired: 并入水务局"


def test_the_last_department_was_withdrawn() -> None:
    [reason] = why(told(received("路灯不亮"), withdrawn("lighting", "写错了部门")))
    assert (reason.reason, reason.department, reason.words) == ("no-department", "lighting", "写错了部门")


def test_each_open_point_is_listed_and_settled_ones_are_not() -> None:
    story = told(received("三家一起"), returned("roads"), returned("lighting"))
    assert [one.department for one in why(story)] == ["roads", "lighting"]
    assert [one.department for one in why(told(withdrawn("roads"), after_this=story))] == ["lighting"]
    story = told(assigned("water", "parks"), after_this=story)
    assert why(story) == ()
    assert [one.department for one in why(told(returned("parks"), after_this=story))] == ["parks"]


def test_a_case_outside_triage_has_no_reason() -> None:
    assert why(told(received("路灯不亮"), contributed("lighting", "亮了"))) == ()
    assert why(told()) == ()


def test_stored_decisions_give_the_same_reasons_in_any_order() -> None:
    story = told(BOTH, returned("roads", "不归我们管"), returned("lighting"))
    stored = [from_document(one.document()) for one in reversed(story.decisions)]
    assert reasons(story.case, stored) == why(story)
