"""Checks of policies: clocks that cannot be kept, steps out of order, policies that never count, missing ones."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from shared.city.calendars import NATURAL, Calendar, effective_calendars
from shared.city.faults import Fault, Loc, nearest, quoted
from shared.city.policies import FORMER_CLOCKS, SUPERVISED, Policy, PolicyConditions, SupervisionStep
from shared.city.times import duration_ms
from shared.clocks.calendar import DAY_MS, HOUR_MS
from shared.clocks.deadlines import CLOCKS

WEEKS_MAX = 104
MISSING = "it is missing; add it"


def wrong_policies(
    policies: Mapping[int, Policy], calendars: Mapping[int, Calendar], unread: Collection[str], time_zone: str | None
) -> Iterator[Fault]:
    """What makes a policy impossible to carry out."""
    known = effective_calendars(calendars.values(), time_zone)
    for at, policy in policies.items():
        loc: Loc = ("policies", at)
        calendar = known.get(policy.calendar)
        if calendar is None and policy.calendar != NATURAL:
            if policy.calendar not in unread:
                remedy = nearest(policy.calendar, [NATURAL, *known], "add it to calendars.yaml or name an existing one")
                yield Fault((*loc, "calendar"), f"{quoted(policy.calendar)} is not a calendar; {remedy}")
            continue
        given = policy.model_dump(exclude_none=True)
        if faults := list(missing_clocks(loc, given)):
            yield from faults
            continue
        yield from _wrong_clocks(loc, policy, calendar)
        yield from _wrong_durations(loc, policy, calendar)
        yield from _wrong_ladder(loc, policy, _day_ms(calendar))


def missing_clocks(loc: Loc, given: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of the clocks of a policy, given as a document: each form must be complete, and only one is allowed."""
    former = [name for name in FORMER_CLOCKS if given.get(name) is not None]
    if given.get("clocks") is not None:
        for name in former:
            yield Fault((*loc, name), f"the policy also has clocks; write either clocks or {', '.join(FORMER_CLOCKS)}")
    elif former:
        yield from (Fault((*loc, name), MISSING) for name in FORMER_CLOCKS if given.get(name) is None)
        if given.get("calendar", NATURAL) != NATURAL:
            problem = f"{', '.join(FORMER_CLOCKS)} are natural hours; write clocks, or leave the calendar out"
            yield Fault((*loc, "calendar"), problem)
    else:
        yield Fault((*loc, "clocks"), MISSING)


def _day_ms(calendar: Calendar | None) -> int:
    return DAY_MS if calendar is None else calendar.day_ms


def _wrong_clocks(loc: Loc, policy: Policy, calendar: Calendar | None) -> Iterator[Fault]:
    limits = policy.limits(_day_ms(calendar))
    if not limits.accept <= limits.first_reply <= limits.resolve:
        backwards = "are not in ascending order; each must be at least the one before"
        if policy.clocks is None:
            told = f"accept_h {policy.accept_h:g}, first_reply_h {policy.first_reply_h:g} and resolve_h {policy.resolve_h:g}"
            yield Fault(loc, f"{told} {backwards}")
        else:
            accept, first_reply, resolve = (getattr(policy.clocks, name) for name in CLOCKS)
            told = f"accept {accept}, first_reply {first_reply} and resolve {resolve}"
            day = f" (a day of {quoted(calendar.id)} is {calendar.day_ms / HOUR_MS:.4g}h)" if calendar else ""
            yield Fault((*loc, "clocks"), f"{told} {backwards}{day}")


def _wrong_durations(loc: Loc, policy: Policy, calendar: Calendar | None) -> Iterator[Fault]:
    day = _day_ms(calendar)
    week = day * (7 if calendar is None else len(calendar.weekdays))
    for place, text in _durations(policy):
        if duration_ms(text, day) > WEEKS_MAX * week:
            problem = (
                f"{quoted(text)} is more than {WEEKS_MAX} weeks of the calendar {quoted(policy.calendar)}; write less"
            )
            yield Fault((*loc, *place), problem)
    resolve = policy.limits(day).resolve
    within = policy.returns.within if policy.returns else None
    if within is not None and duration_ms(within, day) > resolve:
        problem = f"{quoted(within)} is later than the resolve clock; write at most as much"
        yield Fault((*loc, "returns", "within"), problem)
    asking = policy.asking
    if duration_ms(asking.remind_after, day) >= duration_ms(asking.close_after, day):
        problem = f"{quoted(asking.close_after)} is not after remind_after {quoted(asking.remind_after)}; write more"
        yield Fault((*loc, "asking", "close_after"), problem)


def _durations(policy: Policy) -> Iterator[tuple[Loc, str]]:
    if policy.clocks is not None:
        yield from ((("clocks", name), getattr(policy.clocks, name)) for name in CLOCKS)
    if policy.returns is not None and policy.returns.within is not None:
        yield ("returns", "within"), policy.returns.within
    if policy.reopening.remind_after is not None:
        yield ("reopening", "remind_after"), policy.reopening.remind_after
    yield ("asking", "remind_after"), policy.asking.remind_after
    yield ("asking", "close_after"), policy.asking.close_after
    for at, step in enumerate(policy.supervision):
        if step.before is not None:
            yield ("supervision", at, "before"), step.before
        if step.after is not None:
            yield ("supervision", at, "after"), step.after


def _wrong_ladder(loc: Loc, policy: Policy, day_ms: int) -> Iterator[Fault]:
    resolve = policy.limits(day_ms).resolve
    before: tuple[int, SupervisionStep] | None = None
    for at, step in enumerate(policy.supervision):
        place = (*loc, "supervision", at)
        given = [name for name in ("at", "before", "after") if getattr(step, name) is not None]
        if len(given) != 1:
            problem = "the step needs exactly one of at, before and after; write one of them"
            yield Fault((*place, *given[:1]), problem)
            continue
        moment = _from_due(step, resolve, day_ms)
        if step.before is not None and moment <= -resolve:
            yield Fault(
                (*place, "before"), f"{quoted(step.before)} before the due time is before the start; write less"
            )
        if before is not None and moment <= before[0]:
            problem = "the step is not later than the step before it; write the earliest step first"
            yield Fault((*place, given[0]), problem)
        elif before is not None and SUPERVISED.index(step.tell) < SUPERVISED.index(before[1].tell):
            problem = f"{quoted(step.tell)} is told after {quoted(before[1].tell)}; go up in the order {', '.join(SUPERVISED)}"
            yield Fault((*place, "tell"), problem)
        before = moment, step


def _from_due(step: SupervisionStep, resolve: int, day_ms: int) -> int:
    """When a step is due, in milliseconds of the calendar after the due time."""
    if step.after is not None:
        return duration_ms(step.after, day_ms)
    if step.before is not None:
        return -duration_ms(step.before, day_ms)
    return 0 if step.at == "due" else -resolve * (100 - int((step.at or "0%")[:-1])) // 100


def unused_policies(policies: Mapping[int, Policy]) -> Iterator[Fault]:
    """Policies that can never count, because an earlier one applies to the same parts from the same day or before."""
    seen: list[Policy] = []
    for at, policy in policies.items():
        for earlier in seen:
            if _in_force_before(earlier, policy) and _covers(earlier.when, policy.when):
                problem = (
                    f"{quoted(earlier.id)}, which comes first, applies to the same parts; write this policy before it"
                )
                yield Fault(("policies", at, "when"), f"the policy never counts: {problem}, or narrow its conditions")
                break
        seen.append(policy)


def _in_force_before(earlier: Policy, policy: Policy) -> bool:
    if earlier.effective_from is None:
        return True
    return policy.effective_from is not None and earlier.effective_from <= policy.effective_from


def _covers(wider: PolicyConditions, when: PolicyConditions) -> bool:
    """Whether every part to which `when` applies is one to which `wider` applies."""
    pairs: Sequence[tuple[tuple[str, ...], tuple[str, ...]]] = (
        (wider.categories, when.categories),
        (wider.priorities, when.priorities),
        (wider.channels, when.channels),
        (wider.departments, when.departments),
    )
    return all(not outer or (inner and set(inner) <= set(outer)) for outer, inner in pairs)


def no_policy_for_the_rest(policies: Mapping[int, Policy]) -> Iterator[Fault]:
    if policies and not any(one.for_every_part for one in policies.values()):
        problem = "no policy applies to every part, so some would have no due times; add one with an id and clocks only"
        yield Fault(("policies", max(policies), "when"), problem)


def unknown_conditions(
    policies: Mapping[int, Policy], departments: Sequence[str], categories: Sequence[str], priorities: Sequence[str]
) -> Iterator[Fault]:
    """Conditions that no part can meet."""
    known = {
        "departments": (departments, "is not a department", "name an existing one"),
        "categories": (categories, "is not the category of any rule", "give a rule this category"),
        "priorities": (priorities, "is not the priority of any rule", "give a rule this priority"),
    }
    for at, policy in policies.items():
        for name, (existing, what, otherwise) in known.items():
            for place, value in enumerate(getattr(policy.when, name)):
                if value not in existing:
                    remedy = nearest(value, existing, otherwise)
                    yield Fault(("policies", at, "when", name, place), f"{quoted(value)} {what}; {remedy}")
