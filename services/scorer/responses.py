"""The bodies of the scorer's answers. A share is text with four decimals; it is null when its denominator is 0."""

from datetime import datetime
from typing import Self

from pydantic import ConfigDict, Field

from services.scorer.domain.holdings import Holding
from services.scorer.domain.periods import Period
from services.scorer.domain.ratings import RatingCounts
from services.scorer.domain.scoreboard import ClockCounts, DepartmentCounts
from shared.city import Name
from shared.clocks.deadlines import Clock, ClockName, Verdict
from shared.contracts.documented import Documented
from shared.runtime import timestamps

Share = str | None


class PeriodBounds(Documented):
    """Start and end of a period."""

    model_config = ConfigDict(populate_by_name=True)
    from_: str = Field(alias="from")
    """The start of the period, included (RFC 3339, UTC, milliseconds)."""
    to: str
    """The end of the period, excluded (RFC 3339, UTC, milliseconds)."""
    zone: str
    """The IANA time zone in which the period begins and ends."""

    @classmethod
    def of(cls, period: Period) -> Self:
        return cls(from_=timestamps.to_text(period.start), to=timestamps.to_text(period.end), zone=period.zone)


class Volume(Documented):
    """How many parts the department was offered, answered, and had in released answers."""

    assigned: int
    """Parts offered to the department in the period."""
    answered: int
    """Of these, parts with a final contribution."""
    released: int
    """Of these, parts in an answer that was released."""


class Judged(Documented):
    """The verdicts of one clock."""

    kept: int
    """Clocks that stopped in time."""
    broken: int
    """Clocks that did not stop in time."""
    open: int
    """Clocks that are running and not due yet."""
    share: Share
    """Kept clocks as a share of kept and broken ones, four decimals as text, such as `0.9748`; null when both are 0."""

    @classmethod
    def of(cls, counts: ClockCounts) -> Self:
        return cls(kept=counts.kept, broken=counts.broken, open=counts.open, share=counts.share)


class Clocks(Documented):
    """The verdicts of the three clocks of parts."""

    accept: Judged
    """From the offer until the department accepts the part."""
    first_reply: Judged
    """From the offer until the resident has a first reply."""
    resolve: Judged
    """From the offer until the department's final contribution."""


class Ratings(Documented):
    """Residents' ratings of answers."""

    valid: int
    """Ratings of answers in which the department has a part; each round of an inquiry has one answer."""
    contacted: int
    """Of these, ratings of parts whose first-reply clock was kept."""
    solved: int
    """Of the valid ratings, those that say the problem is solved."""
    satisfied: int
    """Of the valid ratings, those with `yes`."""
    mostly: int
    """Of the valid ratings, those with `mostly`."""
    responded_rate: Share
    """Not computed in this version: null."""
    solved_rate: Share
    """Not computed in this version: null."""
    satisfied_rate: Share
    """Not computed in this version: null."""
    composite: Share
    """Not computed in this version: null."""

    @classmethod
    def of(cls, counts: RatingCounts) -> Self:
        return cls(
            valid=counts.valid,
            contacted=counts.contacted,
            solved=counts.solved,
            satisfied=counts.satisfied,
            mostly=counts.mostly,
            responded_rate=None,
            solved_rate=None,
            satisfied_rate=None,
            composite=None,
        )


class DepartmentScores(Documented):
    """The scores of a department."""

    code: str
    """The department's code."""
    name: Name
    """The department's name in both languages."""
    volume: Volume
    """How many parts the department had."""
    clocks: Clocks
    """The verdicts of the department's clocks."""
    ratings: Ratings
    """How residents rated the department's answers."""
    returned: int
    """Parts that the department returned."""
    returned_held_ms: int = 0
    """How long the department held these parts, from offer to return, in milliseconds; no clock charges it yet."""
    reopened: int
    """Parts in an answer whose rating reopened the inquiry."""
    joint: int
    """Released parts in answers of several departments."""
    ranked: bool
    """Not computed in this version: false."""
    rank: int | None
    """Not computed in this version: null."""

    @classmethod
    def of(cls, code: str, name: Name, counts: DepartmentCounts) -> Self:
        return cls(
            code=code,
            name=name,
            volume=Volume(assigned=counts.assigned, answered=counts.answered, released=counts.released),
            clocks=Clocks(
                accept=Judged.of(counts.accept),
                first_reply=Judged.of(counts.first_reply),
                resolve=Judged.of(counts.resolve),
            ),
            ratings=Ratings.of(counts.ratings),
            returned=counts.returned,
            returned_held_ms=counts.returned_held_ms,
            reopened=counts.reopened,
            joint=counts.joint,
            ranked=False,
            rank=None,
        )


class Scoreboard(Documented):
    """The scores of all departments over a period."""

    period: PeriodBounds
    """The period that is counted."""
    policy_id: str | None
    """The policy for parts to which no more special policy applies; null when no city is known."""
    as_of: str
    """Only events up to this time count (RFC 3339, UTC, milliseconds)."""
    departments: list[DepartmentScores]
    """One entry for each department."""


class ClockShown(Documented):
    """One clock of one part."""

    clock: ClockName
    """`accept`, `first_reply` or `resolve`."""
    part_id: str
    """The id of the part."""
    department: str
    """The department's code."""
    started_at: str
    """When the part was offered (RFC 3339, UTC, milliseconds)."""
    due_at: str
    """When the clock runs out (RFC 3339, UTC, milliseconds)."""
    stopped_at: str | None
    """When the department fulfilled the duty of this clock (RFC 3339, UTC, milliseconds); null when it has not."""
    judged_at: str | None
    """When the verdict became final (RFC 3339, UTC, milliseconds); null while the clock is open."""
    verdict: Verdict
    """`kept`, `broken`, `open` before the due time, or `void` when the part ended first."""
    returned_at: str = ""
    """When the department returned the part (RFC 3339, UTC, milliseconds); absent when it has not."""
    held_ms: int = 0
    """How long the department held the part that it returned, from offer to return, in milliseconds; absent otherwise."""

    @classmethod
    def of(cls, clock: Clock, as_of: datetime, held: Holding | None) -> Self:
        judged_at = clock.judged_at(as_of)
        return cls(
            clock=clock.clock,
            part_id=clock.part_id,
            department=clock.department,
            started_at=timestamps.to_text(clock.started_at),
            due_at=timestamps.to_text(clock.due_at),
            stopped_at=timestamps.to_text(clock.stopped_at) if clock.stopped_at else None,
            judged_at=timestamps.to_text(judged_at) if judged_at else None,
            verdict=clock.verdict(as_of),
            **({"returned_at": timestamps.to_text(held.returned_at), "held_ms": held.held_ms} if held else {}),
        )
