"""A case's life at random under a policy that limits returns: disputes, arbiters, the first department, reassignment."""

from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from tests.builders import Step, told
from tests.domain.test_decisions import LifeOfACase, departments
from tests.returning import RETURNING, arbitrated, first_receiver_assigned, reassigned, returning

LATER = datetime(2026, 12, 1, tzinfo=UTC)


class LifeWithReturns(LifeOfACase):
    """Any input at any time; returns are limited by `city`, so some of them are refused or disputed."""

    city = RETURNING

    def take(self, step: Step) -> None:
        self.steps.append(step)
        self.story = told(step, city=self.city, after_this=self.story)

    @rule(department=departments, to=departments)
    def reassign(self, department: str, to: str) -> None:
        self.then(reassigned, department, to)

    @rule(lead=departments, others=st.lists(departments, max_size=2))
    def arbitrate(self, lead: str, others: list[str]) -> None:
        self.then(arbitrated, lead, *others)

    @rule(later=st.booleans())
    def let_the_first_department_lead(self, later: bool) -> None:
        self.number += 1
        step = first_receiver_assigned()
        self.take(Step(step.payload, None, f"id-{self.number}", LATER if later else None))

    @invariant()
    def a_dispute_is_in_triage_until_its_parts_are_settled(self) -> None:
        case = self.story.case
        if case.arbitration is not None:
            assert case.state == "triage"
            assert case.arbitration.part_ids
            assert set(case.arbitration.part_ids) <= set(case.unsettled)
            assert {case.parts[one].state for one in case.arbitration.part_ids} == {"returned"}

    @invariant()
    def no_part_is_lost(self) -> None:
        """What is returned waits, is settled by an assignment, or was withdrawn; a binding part is never returned."""
        case = self.story.case
        assert not [part for part in case.parts.values() if part.binding and part.state == "returned"]
        if case.inquiry is not None and not case.unsettled:
            assert case.active_parts
        numbers = sorted(back.number for _, back in case.returned_parts)
        assert numbers == list(range(1, len(numbers) + 1))


class LifeWithPatience(LifeWithReturns):
    """A high limit: only what goes back and forth is disputed."""

    city = returning(limit=50)


@pytest.mark.parametrize("life", [LifeWithReturns, LifeWithPatience])
def test_lives(life: type[LifeWithReturns]) -> None:
    run_state_machine_as_test(life, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))


def test_the_lives_reach_disputes() -> None:
    """Guards the machine: its steps can reach an arbitration and both ends of it."""
    life = LifeWithReturns()
    life.receive("路灯")
    for department, to in (("lighting", "roads"), ("roads", "parks")):
        life.give_back(department)
        life.assign(to, [])
    assert life.story.last.refusal == "awaits-arbitration"
    life.let_the_first_department_lead(False)
    assert life.story.last.refusal == "arbitration-open"
    life.let_the_first_department_lead(True)
    assert life.story.case.lead == "lighting"
    life.no_part_is_lost()
