"""Computes the clocks of an inquiry's parts from its events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.clocks.deadlines import CLOCKS, Clock, ClockName, Verdict
from shared.events.case_events import (
    EventBody,
    InquiryAnsweredEvent,
    InquiryPausedEvent,
    InquiryRepliedEvent,
    InquiryResumedEvent,
    PartAcceptedEvent,
    PartContributedEvent,
    PartExtendedEvent,
    PartOfferedEvent,
    PartReturnedEvent,
    PartWithdrawnEvent,
)

STOPPING = (
    PartAcceptedEvent,
    PartContributedEvent,
    PartReturnedEvent,
    PartWithdrawnEvent,
    InquiryRepliedEvent,
    InquiryAnsweredEvent,
)


class CaseFact(NamedTuple):
    """An event of an inquiry, as far as scores need it."""

    sequence: int
    at: datetime
    body: EventBody


def clocks(facts: Iterable[CaseFact]) -> list[Clock]:
    """Every clock of every part of one inquiry.

    A clock starts when its part is offered. `accept` stops when the department accepts the part; `first_reply` at its
    interim reply, its contribution or the release of the answer, the earliest of them; `resolve` at its contribution.
    The withdrawal of a part ends all its clocks. The return of a part ends `first_reply` and `resolve` and stops
    `accept`, because the department has answered the offer. A clock that ends by its due time is void, one that ends
    later is broken.

    A question to the resident pauses the clocks of its part that run. Events have the due times after the pause, and the
    new due time of an extension.
    """
    running: dict[tuple[str, ClockName], Clock] = {}
    for fact in sorted(facts, key=lambda one: one.sequence):
        body = fact.body
        if isinstance(body, PartOfferedEvent):
            for name, due_at in zip(CLOCKS, body.due, strict=True):
                running[body.part_id, name] = Clock(name, body.part_id, body.department, fact.at, due_at)
        elif isinstance(body, STOPPING):
            for part_id, name, ends in _stops(body):
                if (clock := running.get((part_id, name))) is not None:
                    running[part_id, name] = _stopped(clock, fact.at, ends)
        elif isinstance(body, PartExtendedEvent):
            _change(running, body.part_id, {"resolve": {"due_at": body.until}})
        elif isinstance(body, InquiryPausedEvent):
            for part_id in body.parts:
                _change(running, part_id, {name: {"paused_at": fact.at} for name in CLOCKS})
        elif isinstance(body, InquiryResumedEvent):
            for part_id, due in body.due:
                times = zip(CLOCKS, due, strict=True)
                _change(running, part_id, {name: {"due_at": due_at, "paused_at": None} for name, due_at in times})
    return list(running.values())


def _change(
    running: dict[tuple[str, ClockName], Clock],
    part_id: str,
    changed: Mapping[ClockName, Mapping[str, datetime | None]],
) -> None:
    """Change the clocks of a part that have neither stopped nor ended."""
    for name, fields in changed.items():
        clock = running.get((part_id, name))
        if clock is not None and clock.stopped_at is None and clock.ended_at is None:
            running[part_id, name] = replace(clock, **fields)  # type: ignore[arg-type]


def _stops(body: EventBody) -> Sequence[tuple[str, ClockName, bool]]:
    """The clocks that an event stops or ends: (part, clock, True when the event ends it)."""
    match body:
        case PartAcceptedEvent(part_id):
            return [(part_id, "accept", False)]
        case InquiryRepliedEvent(part_id):
            return [(part_id, "first_reply", False)]
        case PartContributedEvent(part_id):
            # The department has said its word, even if the resident reads it only with the joint reply.
            return [(part_id, "first_reply", False), (part_id, "resolve", False)]
        case InquiryAnsweredEvent(parts=parts):
            return [(part_id, "first_reply", False) for part_id in parts]
        case PartReturnedEvent(part_id):
            return [(part_id, "accept", False), (part_id, "first_reply", True), (part_id, "resolve", True)]
        case PartWithdrawnEvent(part_id):
            return [(part_id, name, True) for name in CLOCKS]
        case _:
            return ()


def _stopped(clock: Clock, at: datetime, ends: bool) -> Clock:
    if clock.stopped_at is not None or clock.ended_at is not None:
        return clock
    return replace(clock, ended_at=at) if ends else replace(clock, stopped_at=at)


def newly_judged(facts: Sequence[CaseFact], new: set[int]) -> list[tuple[ClockName, Verdict]]:
    """(clock, verdict) of each clock that events with these new sequences have stopped or ended."""
    before = {(c.part_id, c.clock): c for c in clocks(fact for fact in facts if fact.sequence not in new)}
    judged: list[tuple[ClockName, Verdict]] = []
    for clock in clocks(facts):
        stopped = clock.stopped_at or clock.ended_at
        earlier = before.get((clock.part_id, clock.clock))
        was = (earlier.stopped_at or earlier.ended_at) if earlier else None
        if stopped is not None and was is None:
            judged.append((clock.clock, clock.verdict(max(stopped, clock.due_at + timedelta(microseconds=1)))))
    return judged
