"""How the scorer answers: the forms that OpenAPI promises. A share is text of four decimals, null of nothing."""

from typing import Literal

from pydantic import Field

from shared.city import Name
from shared.contracts.documented import Documented

Share = str | None


class PeriodBounds(Documented):
    """From the first moment, included, to the last, excluded."""

    from_: str = Field(alias="from")
    """The first moment of the period, included (RFC 3339, UTC, milliseconds)."""
    to: str
    """The end of the period, excluded (RFC 3339, UTC, milliseconds)."""
    zone: str
    """The IANA time zone in which the period begins and ends."""


class Volume(Documented):
    """Parts that were given to the department, that it answered, that were released."""

    assigned: int
    """Parts offered to the department in the period."""
    answered: int
    """Of these, parts with a final contribution."""
    released: int
    """Of these, parts in an answer that was released."""


class Judged(Documented):
    """How one kind of clock went."""

    kept: int
    """Clocks that stopped in time."""
    broken: int
    """Clocks that did not stop in time."""
    open: int
    """Clocks that run and are not due yet."""
    share: Share
    """Kept clocks as a share of kept and broken ones, four decimals as text, such as `0.9748`; null when both are 0."""


class Clocks(Documented):
    """The three clocks of a part."""

    accept: Judged
    """From the offer until the department accepts the part."""
    first_reply: Judged
    """From the offer until the resident has a first reply."""
    resolve: Judged
    """From the offer until the department's final contribution."""


class Ratings(Documented):
    """What residents said."""

    valid: int
    """Ratings of answers in which the department has a part."""
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


class DepartmentScores(Documented):
    """One department."""

    code: str
    """The department's code."""
    name: Name
    """The department's name in both languages."""
    volume: Volume
    """How many parts the department had."""
    clocks: Clocks
    """How the department's clocks went, by kind."""
    ratings: Ratings
    """How residents rated the department's answers."""
    returned: int
    """Parts that the department returned."""
    reopened: int
    """Not counted in this version: 0."""
    joint: int
    """Released parts in answers of several departments."""
    ranked: bool
    """Not computed in this version: false."""
    rank: int | None
    """Not computed in this version: null."""


class Scoreboard(Documented):
    """Departments side by side over a period, as known at `as_of`."""

    period: PeriodBounds
    """The period that is counted."""
    policy_id: str | None
    """The policy in force, with its due times; null when no city is known."""
    as_of: str
    """Only events up to this time count (RFC 3339, UTC, milliseconds)."""
    departments: list[DepartmentScores]
    """One entry for each department."""


class ClockShown(Documented):
    """One clock of one part."""

    clock: Literal["accept", "first_reply", "resolve"]
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
    """When the department did what was due (RFC 3339, UTC, milliseconds); null when it has not."""
    judged_at: str | None
    """When the verdict was certain (RFC 3339, UTC, milliseconds); null while the clock is open."""
    verdict: Literal["kept", "broken", "open", "void"]
    """`kept`, `broken`, `open` before the due time, or `void` when the part ended first."""
