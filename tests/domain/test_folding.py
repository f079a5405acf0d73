"""Folding: applies facts to a case in the order of decisions, without changing the given case."""

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.decision import case_of, from_document
from services.router.domain.fold import fold
from services.router.domain.words import NewFact
from tests.builders import INQUIRY, accepted, contributed, received, told

AT = "2026-03-16T04:00:00.000Z"
DUE: facts.DueTexts = {"accept": AT, "first_reply": AT, "resolve": AT}
OFFERED = NewFact(facts.Offered("p1", "lighting", "lead", DUE, 1))


def test_decisions_are_folded_in_numerical_order() -> None:
    story = told(
        received("路灯和路面"), accepted("lighting"), contributed("roads", "补了"), contributed("lighting", "亮")
    )
    stored = [from_document(one.document()) for one in story.decisions]
    assert case_of(INQUIRY, reversed(stored)) == case_of(INQUIRY, stored) == case_of(INQUIRY, story.decisions)


def test_a_returned_part_waits_for_triage_by_its_own_fact_alone() -> None:
    case = fold(Case(INQUIRY), OFFERED, NewFact(facts.Returned("p1", "lighting", "not-ours")))
    assert (case.unsettled, case.state) == (("p1",), "triage")


def test_each_round_has_its_own_rating() -> None:
    case = Case(INQUIRY)
    for number in (1, 2):
        case = fold(case, NewFact(facts.Rated(number, True, "yes")))
    assert case.rated == {1, 2}


def test_folding_does_not_change_the_given_case() -> None:
    case = fold(Case(INQUIRY), OFFERED)
    before = (case.active_parts, case.state, dict(case.parts))
    then = fold(case, NewFact(facts.Withdrawn("p1", "lighting")))
    assert (case.active_parts, case.state, dict(case.parts)) == before
    assert (then.active_parts, then.lead) == ((), None)
