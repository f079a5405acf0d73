"""How the scorer answers: the forms that OpenAPI promises. A share is text of four decimals, null of nothing."""

from typing import Literal

from pydantic import BaseModel, Field

from shared.city import Name

Share = str | None


class PeriodBounds(BaseModel):
    """From the first moment, included, to the last, excluded."""

    from_: str = Field(alias="from")
    to: str
    zone: str


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


class Scoreboard(BaseModel):
    """Departments side by side over a period, as known at `as_of`."""

    period: PeriodBounds
    policy_id: str | None
    as_of: str
    departments: list[DepartmentScores]


class ClockShown(BaseModel):
    """One clock of one part."""

    clock: Literal["accept", "first_reply", "resolve"]
    part_id: str
    department: str
    started_at: str
    due_at: str
    stopped_at: str | None
    judged_at: str | None
    verdict: Literal["kept", "broken", "open", "void"]
