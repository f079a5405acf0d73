"""Assignment: by rule, by the writer's choice, by hand from triage."""

import pytest

from services.router.domain.city_index import city_index
from shared.kafka import topics
from tests.builders import (
    CITY,
    INQUIRY,
    Step,
    a_city,
    a_department,
    assigned,
    received,
    returned,
    told,
)
from tests.domain.rules.stories import BOTH


def test_the_rule_that_matches_a_message_assigns_it() -> None:
    story = told(received("门口的路灯不亮"))
    assert (story.case.state, story.case.lead, story.case.co_handlers) == ("assigned", "lighting", ())
    assert story.events() == ["inquiry.registered", "inquiry.assigned", "part.offered"]
    [(kind, offer)] = story.on(topics.inbox("lighting"))
    assert (kind, offer["part_id"], offer["role"]) == ("part.offered", f"{INQUIRY}-p1", "lead")
    assert offer["why"].startswith("路灯归lighting（标题提到“路灯”） / lighting answers for dark")


def test_the_clocks_of_a_part_start_at_the_assignment() -> None:
    [(_, offer)] = told(received("门口的路灯不亮")).on(topics.inbox("lighting"))
    assert offer["due"] == {
        "accept": "2026-03-17T04:00:00.000Z",
        "first_reply": "2026-03-19T04:00:00.000Z",
        "resolve": "2026-03-31T04:00:00.000Z",
    }


def test_departments_that_the_writer_named_are_assigned() -> None:
    story = told(received("路灯不亮", departments=("parks", "water")))
    assert (story.case.lead, story.case.co_handlers) == ("parks", ("water",))


def test_a_message_that_no_rule_matches_stays_in_triage_until_assigned_by_hand() -> None:
    story = told(received("我想说点别的"))
    assert (story.case.state, story.events()) == ("triage", ["inquiry.registered", "inquiry.triaged"])
    story = told(assigned("parks", "water"), after_this=story)
    assert (story.case.state, story.case.lead, story.case.co_handlers) == ("assigned", "parks", ("water",))
    assert [kind for kind, _ in story.on(topics.inbox("parks"))] == ["part.offered"]


def test_naming_a_department_that_has_retired_since_sends_the_message_to_triage() -> None:
    gone = a_department("gone", retired=True)
    story = told(received("路灯不亮", departments=("gone",)), city=city_index(a_city(*CITY.departments, gone)))
    assert story.case.state == "triage"
    assert story.on(topics.EVENTS)[-1][1]["reason"] == "unknown-department"


def test_a_second_message_with_the_same_number_is_refused() -> None:
    story = told(received("路灯不亮"), received("另一件事"))
    assert story.refusal == f"The inquiry '{INQUIRY}' was received before."
    assert story.case.n == 2
    assert story.last.messages == ()


def test_the_former_lead_becomes_a_co_handler_and_gets_part_changed() -> None:
    story = told(BOTH, returned("roads"), assigned("water"))
    assert (story.case.lead, story.case.co_handlers) == ("water", ("lighting",))
    kind, change = story.on(topics.inbox("lighting"))[-1]
    assert (kind, change["role"], change["lead"]) == ("part.changed", "co-handler", "water")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (assigned("nobody"), "The city has no active department 'nobody'."),
        (assigned("parks", "parks"), "The department 'parks' is named twice."),
        (assigned("parks", "ghosts", "spirits"), "The city has no active department 'ghosts', 'spirits'."),
    ],
)
def test_an_invalid_assignment_is_refused_with_the_reason(command: Step, reason: str) -> None:
    assert told(received("别的"), command).refusal == reason


def test_only_an_inquiry_in_triage_can_be_assigned() -> None:
    assert (
        told(received("路灯不亮"), assigned("parks")).refusal == f"The inquiry '{INQUIRY}' is assigned, not in triage."
    )


def test_an_assignment_to_more_than_twenty_departments_is_refused() -> None:
    codes = tuple(f"bureau-{number}" for number in range(1, 22))
    city = city_index(a_city(*(a_department(code) for code in codes)))
    story = told(received("大家一起", departments=codes[:20]), returned(codes[1]), city=city)
    story = told(assigned(codes[20], codes[1]), city=city, after_this=story)
    assert story.refusal == "The inquiry would have 21 departments."
