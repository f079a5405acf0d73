"""How the scorer answers: the forms that OpenAPI promises. A share is text of four decimals, null of nothing."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.scorer.domain.periods import Period
from services.scorer.domain.ratings import RatingCounts
from services.scorer.domain.scoreboard import ClockCounts, DepartmentCounts
from shared.city import Name
from shared.clocks.deadlines import Clock, ClockName, Verdict
from shared.runtime import timestamps

Share = str | None


class PeriodBounds(BaseModel):
    """From the first moment, included, to the last, excluded."""

    model_config = ConfigDict(populate_by_name=True)
    from_: str = Field(alias="from")
    to: str
    zone: str

    @classmethod
    def of(cls, period: Period) -> Self:
        return cls(from_=timestamps.to_text(period.start), to=timestamps.to_text(period.end), zone=period.zone)


class Volume(BaseModel):
    """Parts that were given to the department, that it answered, that were released."""

    assigned: int
    answered: int
    released: int


class Judged(BaseModel):
    """How one kind of clock went."""

    kept: int
    broken: int
    open: int
    share: Share

    @classmethod
    def of(cls, counts: ClockCounts) -> Self:
        return cls(kept=counts.kept, broken=counts.broken, open=counts.open, share=counts.share)


class Clocks(BaseModel):
    """The three clocks of a part."""

    accept: Judged
    first_reply: Judged
    resolve: Judged


class Ratings(BaseModel):
    """What residents said."""

    valid: int
    contacted: int
    solved: int
    satisfied: int
    mostly: int
    responded_rate: Share
    solved_rate: Share
    satisfied_rate: Share
    composite: Share

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


class DepartmentScores(BaseModel):
    """One department."""

    code: str
    name: Name
    volume: Volume
    clocks: Clocks
    ratings: Ratings
    returned: int
    reopened: int
    joint: int
    ranked: bool
    rank: int | None

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
            reopened=0,
            joint=counts.joint,
            ranked=False,
            rank=None,
        )


class Scoreboard(BaseModel):
    """Departments side by side over a period, as known at `as_of`."""

    period: PeriodBounds
    policy_id: str | None
    as_of: str
    departments: list[DepartmentScores]


class ClockShown(BaseModel):
    """One clock of one part."""

    clock: ClockName
    part_id: str
    department: str
    started_at: str
    due_at: str
    stopped_at: str | None
    judged_at: str | None
    verdict: Verdict

    @classmethod
    def of(cls, clock: Clock, as_of: datetime) -> Self:
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
        )
