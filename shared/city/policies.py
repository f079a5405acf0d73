"""Policies: how long the clocks of a part run, and how a case is handled. The first policy that matches counts.

In force in this release: `effective_from`, `when`, `calendar`, `clocks`, `joint_reply`, `returns`, `release`,
`publication`, `reopening` and `asking`; of
`supervision` the first step before the due time. The other fields are checked and stored.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints

from shared.city.entries import Channel, CityEntry, Code, Hours
from shared.city.times import Day, Duration, duration_ms
from shared.clocks.calendar import HOUR_MS
from shared.clocks.deadlines import CLOCKS, ClockLimits

FORMER_CLOCKS = ("accept_h", "first_reply_h", "resolve_h")
SUPERVISED = ("desk", "head", "coordinator", "city")
LIMIT_MAX = 100
DAYS_MAX = 366
STEPS_MAX = 20
POLICIES_MAX = 200
Limit = Annotated[int, Field(ge=1, le=LIMIT_MAX, strict=True)]
ReasonCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Reached = Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]?%|due)$")]


class PolicyConditions(CityEntry):
    """The parts to which a policy applies; an empty list is no condition."""

    categories: tuple[Code, ...] = ()
    """The categories of the rules that assign the inquiry."""
    priorities: tuple[Code, ...] = ()
    """The priorities of the rules that assign the inquiry."""
    channels: tuple[Channel, ...] = ()
    """The channels through which the inquiry came in."""
    departments: tuple[Code, ...] = ()
    """The codes of the departments that handle the part."""


class PolicyClocks(CityEntry):
    """How long each clock of a part runs from the assignment: `2h` hours or `3d` days of the policy's calendar."""

    accept: Duration
    """Until the department must accept the part."""
    first_reply: Duration
    """Until the resident must have a first reply."""
    resolve: Duration
    """Until the department must send its final contribution."""


class JointReplyPolicy(CityEntry):
    """Whether the joint reply waits for a part that is late."""

    wait: Literal["all", "lead-after-due"] = "all"
    """`all` waits for the part; with `lead-after-due` the lead may go ahead without it once its time to resolve is over."""


class ReturnPolicy(CityEntry):
    """When a department may return its part, and when the departments' dispute needs an arbiter."""

    within: Duration | None = None
    """How long after the offer a department may return its part, in the policy's calendar; null for as long as the part
    is open. An arbiter has as much time; null for no limit."""
    limit: Limit = 2
    """At the return of the inquiry with this number the case waits for an arbiter."""
    reasons: Annotated[tuple[ReasonCode, ...], Field(min_length=1, max_length=LIMIT_MAX)] = (
        "not-ours",
        "wrong-area",
        "incomplete",
    )
    """The reasons for which a department may return its part."""


class ReleasePolicy(CityEntry):
    """The approvals that a reply needs before it is sent."""

    approvers: Annotated[int, Field(ge=0, le=2, strict=True)] = 0
    """How many people must approve: 0, 1 or 2. Of the policies of a reply's parts, the largest number counts."""


class ReopeningPolicy(CityEntry):
    """When a rating reopens a case. Of the policies of its parts, that of the lead counts."""

    when: tuple[Literal["not-solved", "not-satisfied"], ...] = ("not-solved", "not-satisfied")
    """The ratings that reopen a case; an empty list for none."""
    window_days: Annotated[int, Field(ge=1, le=DAYS_MAX, strict=True)] = 15
    """For how many days of 24 hours after the answer a rating may reopen the case."""
    limit: Annotated[int, Field(ge=0, le=LIMIT_MAX, strict=True)] = 2
    """How often a case may be reopened. The last time it goes to triage, where a coordinator chooses the lead."""
    clock: Literal["new", "continue", "restart"] = "new"
    """The clocks of a reopened case: `new` under the policy that counts now, `restart` with the limits of the part's
    former policy, `continue` with the time that was left."""
    remind_after: Duration | None = "3d"
    """How long after the answer the resident is reminded once to rate it, in the policy's calendar; null for never."""


class AskingPolicy(CityEntry):
    """What happens to a question to the resident that has no answer; both times are of the policy's calendar."""

    remind_after: Duration = "3d"
    """When the resident is reminded of the question."""
    close_after: Duration = "7d"
    """When the case is closed because the resident has not answered."""


class MailPolicy(CityEntry):
    """How residents' addresses are protected. Not in force here: the notifier's settings apply."""

    confirm: bool = True
    """Whether an address must be confirmed before mails to it quote anybody's words."""
    per_address_per_hour: Annotated[int, Field(ge=1, le=1_000, strict=True)] = 5
    """How many mails an unconfirmed address receives in an hour."""


class SupervisionStep(CityEntry):
    """One step of supervision, with exactly one of `at`, `before` and `after`.

    The first step before the due time is recorded as `clock.due-soon`. Not in force yet: nobody is told.
    """

    at: Reached | None = None
    """A share of the time until the due time such as `80%`, or `due`; null when another field says when."""
    before: Duration | None = None
    """How long before the due time; null when another field says when."""
    after: Duration | None = None
    """How long after the due time; null when another field says when."""
    tell: Literal["desk", "head", "coordinator", "city"]
    """Who is told: the department's desk, its head, the coordinator or the city office."""

    @property
    def reminds(self) -> bool:
        """Whether the step is before the due time."""
        return self.before is not None or (self.at is not None and self.at != "due")

    def before_due_ms(self, limit: int, day_ms: int) -> int:
        """How long before the due time the step is, for a clock with this limit; 0 for a step at the due time or later."""
        if self.before is not None:
            return duration_ms(self.before, day_ms)
        return limit - limit * int(self.at[:-1]) // 100 if self.at is not None and self.reminds else 0


class Policy(CityEntry):
    """How the parts to which it applies are handled, and how long their clocks run."""

    id: Code
    """The policy's id, unique in the city."""
    effective_from: Day | None = None
    """The first day, in the city's time zone, on which an inquiry must be received; null for every day."""
    when: PolicyConditions = PolicyConditions()
    """The parts to which the policy applies."""
    calendar: Code = "natural"
    """The id of the calendar in which the clocks run: `natural`, `working` or another one of the city."""
    clocks: PolicyClocks | None = None
    """How long the clocks run; null when the three fields in hours say so."""
    accept_h: Hours | None = None
    """Natural hours until the department must accept the part; null with `clocks`."""
    first_reply_h: Hours | None = None
    """Natural hours until the resident must have a first reply; null with `clocks`."""
    resolve_h: Hours | None = None
    """Natural hours until the department must send its final contribution; null with `clocks`."""
    joint_reply: JointReplyPolicy = JointReplyPolicy()
    """When the parts are joined into one reply."""
    returns: ReturnPolicy | None = None
    """When a department may return its part; null for any open part, at any time and for any reason."""
    release: ReleasePolicy = ReleasePolicy()
    """Who approves a reply before it is sent."""
    publication: Literal["review", "automatic"] = "review"
    """Whether a person decides what the hall shows (`review`). It shows a reply without one (`automatic`) if the policies of
    all its parts say so."""
    reopening: ReopeningPolicy = ReopeningPolicy()
    """When a rating reopens a case."""
    asking: AskingPolicy = AskingPolicy()
    """What happens to a question to the resident."""
    mail: MailPolicy = MailPolicy()
    """How residents' addresses are protected."""
    supervision: Annotated[tuple[SupervisionStep, ...], Field(max_length=STEPS_MAX)] = ()
    """Who is told when a clock comes close to its due time or passes it, the earliest step first."""

    @property
    def for_every_part(self) -> bool:
        """Whether the policy has no condition."""
        return self.when == PolicyConditions()

    def limits(self, day_ms: int) -> ClockLimits:
        """How long the clocks run, in a calendar whose ordinary day has `day_ms`."""
        if self.clocks is not None:
            return ClockLimits(*(duration_ms(getattr(self.clocks, name), day_ms) for name in CLOCKS))
        hours = (self.accept_h, self.first_reply_h, self.resolve_h)
        return ClockLimits(*(round((one or 0) * HOUR_MS) for one in hours))

    def reminders(self, day_ms: int) -> tuple[int | None, ...]:
        """How long before its due time each clock reminds the department, in the order of CLOCKS; None for never.

        The first step of supervision before the due time says so, except for a clock that is shorter.
        """
        before = next((one for one in self.supervision if one.reminds), None)
        limits = self.limits(day_ms)
        lengths = [before.before_due_ms(limit, day_ms) if before else 0 for limit in limits]
        return tuple(one if 0 < one < limit else None for one, limit in zip(lengths, limits, strict=True))


class PartCircumstances(NamedTuple):
    """What the conditions of policies compare. `received` is the day of receipt in the city's time zone."""

    received: date
    channel: str
    department: str
    category: str | None = None
    priority: str | None = None


def policy_for(policies: Sequence[Policy], part: PartCircumstances) -> Policy:
    """The first policy that applies and is in force; if none is, the last policy without conditions."""
    for one in policies:
        if (one.effective_from is None or one.effective_from <= part.received) and _applies(one.when, part):
            return one
    return next((one for one in reversed(policies) if one.for_every_part), policies[-1])


def _applies(when: PolicyConditions, part: PartCircumstances) -> bool:
    return (
        (not when.categories or part.category in when.categories)
        and (not when.priorities or part.priority in when.priorities)
        and (not when.channels or part.channel in when.channels)
        and (not when.departments or part.department in when.departments)
    )
