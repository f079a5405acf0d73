"""A case's life at random with ratings that reopen it, reminders and final answers."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from services.router.domain.decision import case_of
from services.router.domain.part import Part
from shared.kafka import topics
from tests.builders import DIRECTORY, MONDAY_NOON, NAMES, Step, contributed, later, rated, told
from tests.closing import closed, rating_reminder
from tests.domain.rules.test_reopening import reopening
from tests.domain.test_decisions import LifeOfACase

CLOCKS = ("new", "continue", "restart")
LIMIT = 2


class LifeWithReopening(LifeOfACase):
    """Any input at any time; the city's clocks change between the ratings."""

    def __init__(self) -> None:
        super().__init__()
        self.city = DIRECTORY
        self.former: dict[str, Part] = {}

    def take(self, step: Step) -> None:
        self.steps.append(step)
        self.story = told(step, city=self.city, after_this=self.story)

    @rule(clock=st.sampled_from(CLOCKS))
    def apply(self, clock: str) -> None:
        self.city = reopening(clock=clock, limit=LIMIT)

    @rule()
    def finish(self) -> None:
        """Every department contributes, so that rounds are reached."""
        for part in self.story.case.active_parts:
            self.then(contributed, part.department, f"«{part.department}»")

    @rule(solved=st.booleans(), satisfied=st.sampled_from(["yes", "mostly", "no"]))
    def rate_this_round(self, solved: bool, satisfied: str) -> None:
        self.then(rated, self.story.case.round, solved=solved, satisfied=satisfied, words="原话")

    @rule()
    def remind(self) -> None:
        self.then(rating_reminder, self.city)

    @rule(late=st.booleans())
    def close(self, late: bool) -> None:
        self.number += 1
        step = closed()
        at = MONDAY_NOON + timedelta(days=90)
        self.take(later(Step(step.payload, None, f"id-{self.number}", role="coordinator"), at) if late else step)

    @invariant()
    def a_reply_is_there_when_it_is_answered_and_holds_each_part_once(self) -> None:
        case = self.story.case
        if not self.story.on(topics.RESIDENTS):
            return
        reply = self.story.resident()["case"]["reply"]
        assert (reply is not None) == (case.is_answered and case.state in ("answered", "closed"))
        for part in case.active_parts if reply is not None else ():
            assert reply["text"].count(f"«{part.department}»") == 1
            assert f"【{NAMES[part.department][0]}】" in reply["text"]
        answered = [one["round"] for kind, one in self.story.on(topics.EVENTS) if kind == "inquiry.answered"]
        assert answered == list(range(1, len(answered) + 1))
        assert len(answered) == case.round - (not case.is_answered)

    @invariant()
    def rounds_follow_from_ratings_and_stay_within_the_limit(self) -> None:
        case = self.story.case
        assert 1 <= case.round <= LIMIT + 1
        assert self.story.events().count("inquiry.reopened") == case.round - 1
        assert set(range(1, case.round)) <= case.rated
        assert [one.round for one in case.earlier] == list(range(1, case.round))
        told_of = [one for part in NAMES for one in self.story.on(topics.inbox(part)) if one[0] == "part.rated"]
        parts = [len(one.reply.paragraphs) for one in case.earlier]
        if case.released is not None and case.is_answered and case.round in case.rated:
            parts.append(len(case.released.paragraphs))
        assert len(told_of) == sum(parts)

    @invariant()
    def nobody_is_without_work_and_nothing_reopens_a_closed_case(self) -> None:
        case = self.story.case
        if case.state in ("assigned", "reopened", "in-progress"):
            assert case.active_parts
        if "inquiry.closed" in self.story.events():
            assert case.state == "closed"
            assert not [part for part in case.active_parts if part.state != "contributed"]

    @invariant()
    def parts_of_earlier_rounds_never_change(self) -> None:
        parts = self.story.case.parts
        assert {id_: parts[id_] for id_ in self.former} == self.former
        self.former |= {id_: part for id_, part in parts.items() if part.former}
        assert all(part.round < self.story.case.round for part in self.former.values())


def test_lives() -> None:
    run_state_machine_as_test(
        LifeWithReopening, settings=settings(max_examples=80, stateful_step_count=30, deadline=None, derandomize=True)
    )


def test_the_lives_reach_the_last_round_and_a_final_answer() -> None:
    """Guards the machine: its steps can reach every state of a reopened case."""
    life = LifeWithReopening()
    life.receive("路灯和路面")
    for _ in range(LIMIT):
        life.finish()
        life.rate_this_round(False, "no")
    assert life.story.case.state == "triage"
    life.assign("parks", [])
    life.finish()
    life.remind()
    life.rate_this_round(False, "no")
    life.close(False)
    assert (life.story.case.state, life.story.case.round) == ("closed", LIMIT + 1)
    life.parts_of_earlier_rounds_never_change()
    life.rounds_follow_from_ratings_and_stay_within_the_limit()
    assert case_of(life.story.case.inquiry_id, life.story.decisions) == life.story.case
