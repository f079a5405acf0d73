"""The due time and the verdict of a clock. Pure: the current time is an argument."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

ClockName = Literal["accept", "first_reply", "resolve"]
CLOCKS: tuple[ClockName, ...] = ("accept", "first_reply", "resolve")
Verdict = Literal["kept", "broken", "open", "void"]


def due_at(started_at: datetime, limit: timedelta) -> datetime:
    return started_at + limit


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one part. `ended_at` is when the part was returned or withdrawn before the clock stopped."""

    clock: ClockName
    part_id: str
    department: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None = None
    ended_at: datetime | None = None

    def verdict(self, as_of: datetime) -> Verdict:
        """`kept` when the clock stopped at or before its due time; `broken` after the due time, even if it stops later."""
        if self.stopped_at is not None and self.stopped_at <= self.due_at:
            return "kept"
        if self.ended_at is not None and self.ended_at <= self.due_at:
            return "void"
        return "broken" if as_of > self.due_at else "open"

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
