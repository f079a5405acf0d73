"""When the clocks of parts stop: at the recorded time of the input, by the same rules as the scorer's verdicts."""

from collections.abc import Iterable, Mapping

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Clock, Fact
from shared.clocks.deadlines import CLOCKS

STOPPED_BY: Mapping[type[Fact], tuple[Clock, ...]] = {
    facts.Accepted: ("accept",),
    facts.Replied: ("first_reply",),
    facts.Contributed: ("first_reply", "resolve"),
    facts.Returned: CLOCKS,
    facts.Withdrawn: CLOCKS,
}
"""The clocks of its part that a fact stops or ends. The release of an answer stops `first_reply` of the parts in it."""


def stop_clocks(case: Case, fact: Fact) -> None:
    """Note when this fact stopped clocks. A clock stops once: a later fact changes nothing."""
    new = {one: case.recorded_at for one in _stopped(fact) if one not in case.stopped}
    if new:
        case.stopped = {**case.stopped, **new}


def _stopped(fact: Fact) -> Iterable[tuple[str, Clock]]:
    if isinstance(fact, facts.Answered):
        return [(part_id, "first_reply") for part_id in fact.parts]
    if isinstance(fact, facts.Accepted | facts.Replied | facts.Contributed | facts.Returned | facts.Withdrawn):
        return [(fact.part_id, clock) for clock in STOPPED_BY[type(fact)]]
    return ()
