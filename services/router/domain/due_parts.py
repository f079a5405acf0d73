"""Which clocks of a part still run, and what the lists of cases show about due times."""

from typing import NamedTuple

from services.router.domain.case import ENDED, Case
from services.router.domain.facts import Clock
from services.router.domain.part import OPEN, Part
from shared.clocks.deadlines import CLOCKS


class RunningClock(NamedTuple):
    """A clock that runs. `reminded`: the department was told that this due time is near (`clock.due-soon`)."""

    due_at: str
    clock: Clock
    reminded: bool


def running_clocks(case: Case, part: Part) -> list[RunningClock]:
    """The clocks of an open part that neither have stopped nor pause, the one that is due next first."""
    if part.state not in OPEN or case.status in ENDED:
        return []
    return sorted(
        RunningClock(part.due[clock], clock, ("due-soon", part.id, clock, part.due[clock]) in case.announced)
        for clock in CLOCKS
        if (part.id, clock) not in case.stopped and (part.pause is None or part.pause.left[clock] is None)
    )
