"""The due times of a part's clocks, and the verdict of a clock. Pure: the current time is an argument."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from shared.clocks.calendar import WorkingCalendar
from shared.clocks.pauses import counted
from shared.clocks.working_time import Pause, add

ClockName = Literal["accept", "first_reply", "resolve"]
CLOCKS: tuple[ClockName, ...] = ("accept", "first_reply", "resolve")
Verdict = Literal["kept", "broken", "open", "void"]


class ClockLimits(NamedTuple):
    """How long each clock may run, in milliseconds of the policy's calendar."""

    accept: int
    first_reply: int
    resolve: int


class ClockTerms(NamedTuple):
    """What a policy says about clocks: the calendar in which they run, and how long."""

    calendar: WorkingCalendar
    limits: ClockLimits


def due_times(terms: ClockTerms, started_at: int, pauses: Sequence[Pause] = ()) -> tuple[int, int, int]:
    """When each clock of a part that starts at this moment runs out, in the order of CLOCKS."""
    calendar, (accept, first_reply, resolve) = terms
    return (
        add(calendar, started_at, accept, pauses),
        add(calendar, started_at, first_reply, pauses),
        add(calendar, started_at, resolve, pauses),
    )


def provisional(calendar: WorkingCalendar, due: Sequence[int]) -> tuple[ClockName, ...]:
    """The clocks whose due time may still move, because the public holidays before it are not all announced."""
    known_until = calendar.known_until_ms
    if known_until is None or max(due) <= known_until:
        return ()
    return tuple(name for name, moment in zip(CLOCKS, due, strict=True) if moment > known_until)


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one part. `ended_at` is when the part was returned or withdrawn before the clock stopped.

    `paused_at` is set while the part waits for the resident, and stays if the clock stops or ends in the pause.
    """

    clock: ClockName
    part_id: str
    department: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None = None
    ended_at: datetime | None = None
    paused_at: datetime | None = None

    def verdict(self, as_of: datetime) -> Verdict:
        """`kept` when the clock stopped at or before its due time; `broken` after the due time, even if it stops later.

        A clock does not run out in a pause that began before its due time.
        """
        if self.stopped_at is not None and self._counted(self.stopped_at) <= self.due_at:
            return "kept"
        if self.ended_at is not None and self._counted(self.ended_at) <= self.due_at:
            return "void"
        return "broken" if self._counted(as_of) > self.due_at else "open"

    def _counted(self, moment: datetime) -> datetime:
        return counted(moment, self.paused_at, self.due_at)

    def judged_at(self, as_of: datetime) -> datetime | None:
        """When the verdict became final: the stop of a kept clock, the due time of a broken one; None while open."""
        match self.verdict(as_of):
            case "kept":
                return self.stopped_at
            case "broken":
                return self.due_at
            case "void":
                return self.ended_at
        return None
