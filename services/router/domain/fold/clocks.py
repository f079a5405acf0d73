"""Folds what facts say about clocks: when they stop, by the same rules as the scorer's verdicts, and recorded timers."""

from collections.abc import Iterable, Mapping

from services.router.domain import facts
from services.router.domain.case import Announced, Case, TimerKind
from services.router.domain.facts import Clock, Fact
from shared.clocks.deadlines import CLOCKS
from shared.clocks.pauses import counted

STOPPED_BY: Mapping[type[Fact], tuple[Clock, ...]] = {
    facts.Accepted: ("accept",),
    facts.Replied: ("first_reply",),
    facts.Contributed: ("first_reply", "resolve"),
    facts.Returned: CLOCKS,
    facts.Withdrawn: CLOCKS,
}
"""The clocks of its part that a fact stops or ends. The release of an answer stops `first_reply` of the parts in it."""


def fold_clocks(case: Case, fact: Fact) -> None:
    """Note which clocks this fact stopped, and which timer it records. A clock stops once: a later fact changes nothing."""
    if isinstance(fact, facts.DueSoon | facts.Broken):
        kind: TimerKind = "due-soon" if isinstance(fact, facts.DueSoon) else "overdue"
        announced: Announced = kind, fact.part_id, fact.clock, fact.due_at
        case.announced = case.announced | {announced}
        return
    new = {one: _stopped_at(case, *one) for one in _stopped(fact) if one not in case.stopped}
    if new:
        case.stopped = {**case.stopped, **new}


def _stopped_at(case: Case, part_id: str, clock: Clock) -> str:
    part = case.parts[part_id]
    return counted(case.recorded_at, part.pause.since if part.pause else None, part.due[clock])


def _stopped(fact: Fact) -> Iterable[tuple[str, Clock]]:
    if isinstance(fact, facts.Answered):
        return [(part_id, "first_reply") for part_id in fact.parts]
    if isinstance(fact, facts.Accepted | facts.Replied | facts.Contributed | facts.Returned | facts.Withdrawn):
        return [(fact.part_id, clock) for clock in STOPPED_BY[type(fact)]]
    return ()
