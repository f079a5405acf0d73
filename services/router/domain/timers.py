"""The timers of a case: the moments at which time alone makes an input.

They are a pure function of the case and the city. Neither a decision nor the store keeps them, so no backup, crash or
repeat can make them disagree with the case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from services.router.domain.question import closes_at, open_questions
from services.router.domain.rules import rating_reminders
from services.router.domain.rules.arbitration import first_assigned
from shared.clocks.deadlines import CLOCKS
from shared.clocks.working_time import subtract
from shared.contracts.ids import derived_id
from shared.runtime import timestamps

if TYPE_CHECKING:
    from services.router.domain.case import Case, TimerKind
    from services.router.domain.city_index import CityIndex
    from services.router.domain.facts import Clock
    from services.router.domain.part import Part


class Timer(NamedTuple):
    """`rings_at` is in milliseconds since 1970. `due_at` is the due time as the case has it.

    A timer of the inquiry has no part and no clock.
    """

    rings_at: int
    kind: TimerKind
    part_id: str | None
    clock: Clock | None
    due_at: str

    def id_in(self, inquiry_id: str) -> str:
        """The id of its input, the same in every process. A clock that is extended has a new timer."""
        return derived_id(inquiry_id, f"timer.rang/{self.kind}/{self.part_id or ''}/{self.clock or ''}/{self.due_at}")


def timers_of(case: Case, city: CityIndex) -> list[Timer]:
    """The timers of the case that are not recorded as facts yet, the earliest first."""
    return sorted(_timers(case, city), key=_order)


def _order(timer: Timer) -> tuple[int, str, str, str]:
    return timer.rings_at, timer.kind, timer.part_id or "", timer.clock or ""


def due_timers(case: Case, city: CityIndex, now: int) -> list[Timer]:
    """The timers that ring by `now`, the earliest first. Nobody is reminded of a due time that has passed."""
    due = [one for one in timers_of(case, city) if one.rings_at <= now]
    overdue = {(one.part_id, one.clock) for one in due if one.kind == "overdue"}
    return [one for one in due if one.kind != "due-soon" or (one.part_id, one.clock) not in overdue]


def next_ring(case: Case, city: CityIndex) -> int | None:
    """When the case's next timer rings; None when it has no timers."""
    rings = [
        due if reminds_at is None else reminds_at
        for part in case.parts.values()
        for _, _, due, reminds_at in _clocks(case, part, city)
    ]
    rings += [one.rings_at for one in _inquiry_timers(case, city)]
    return min(rings, default=None)


def _timers(case: Case, city: CityIndex) -> Iterator[Timer]:
    for part in case.parts.values():
        for clock, due_at, due, reminds_at in _clocks(case, part, city):
            yield Timer(due, "overdue", part.id, clock, due_at)
            if reminds_at is not None:
                yield Timer(reminds_at, "due-soon", part.id, clock, due_at)
    yield from _inquiry_timers(case, city)


def _inquiry_timers(case: Case, city: CityIndex) -> Iterator[Timer]:
    """The timers of questions to the resident, of an arbitration that a department can end, and of the rating."""
    if case.questions and case.closed is None:
        for one in open_questions(case):
            if not one.reminded:
                yield _at(one.remind_at, "asking-reminder", one.part_id)
        if (close_at := closes_at(case)) is not None:
            yield _at(close_at, "asking-close")
    until = case.arbitration.until if case.arbitration is not None else None
    if until is not None and first_assigned(case, city) is not None:
        yield _at(until, "return-arbitration")
    if (at := rating_reminders.reminds_at(case, city)) is not None:
        yield _at(timestamps.to_text(timestamps.from_ms(at)), "rating-reminder")


def _at(moment: str, kind: TimerKind, part_id: str | None = None) -> Timer:
    return Timer(_ms(moment), kind, part_id, None, moment)


def _clocks(case: Case, part: Part, city: CityIndex) -> Iterator[tuple[Clock, str, int, int | None]]:
    """The clocks of a part that have a timer: with their due time, as text and in milliseconds, and when the department is
    still to be reminded of it; None for no reminder.
    """
    if case.status == "erased":
        return
    reminders = city.reminders.get(part.policy_id)
    for at, clock in enumerate(CLOCKS):
        due_at, stopped_at = part.due[clock], case.stopped.get((part.id, clock))
        if stopped_at is not None and stopped_at <= due_at:
            continue
        if part.pause is not None and part.pause.left[clock] is not None:
            continue
        if case.announced and ("overdue", part.id, clock, due_at) in case.announced:
            continue
        before = reminders[at] if reminders is not None and stopped_at is None else None
        if case.announced and ("due-soon", part.id, clock, due_at) in case.announced:
            before = None
        due = _ms(due_at)
        yield clock, due_at, due, None if before is None else _reminds_at(case, part, clock, due, before, city)


def _reminds_at(case: Case, part: Part, clock: Clock, due: int, before: int, city: CityIndex) -> int | None:
    """When the department is reminded of a due time, this long before it.

    If the due time has moved and its reminder would have come before that, a department that was reminded before is not
    reminded again, and another one as soon as the due time has moved.
    """
    reminds_at = subtract(city.terms[part.policy_id].calendar, due, before)
    if part.moved_at is None or reminds_at >= (moved_at := _ms(part.moved_at)):
        return reminds_at
    reminded = any(kind == "due-soon" and (id_, name) == (part.id, clock) for kind, id_, name, _ in case.announced)
    return None if reminded else moved_at


def _ms(text: str) -> int:
    return timestamps.to_ms(timestamps.from_text(text))
