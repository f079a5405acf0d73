"""The clocks of one inquiry's parts, computed from its events."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.clocks.deadlines import CLOCKS, Clock, ClockName, Verdict
from shared.events.case_events import (
    EventBody,
    InquiryAnsweredEvent,
    InquiryRepliedEvent,
    PartAcceptedEvent,
    PartContributedEvent,
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
    """One event of an inquiry as the scorer keeps it."""

    sequence: int
    at: datetime
    body: EventBody


def clocks(facts: Iterable[CaseFact]) -> list[Clock]:
    """Every clock of every part of one inquiry.

    Each starts when its part is offered. `accept` stops at acceptance; `first_reply` at the department's interim word or
    at the release of the answer, whichever is first; `resolve` at the contribution. A returned or withdrawn part ends
    them all: returning within the accept time is an acceptance of the duty to say so, so that clock is kept.
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
    return list(running.values())


def _stops(body: EventBody) -> Sequence[tuple[str, ClockName, bool]]:
    """Which clocks an event touches: (part, clock, whether it ends the duty instead of fulfilling it)."""
    match body:
        case PartAcceptedEvent(part_id):
            return [(part_id, "accept", False)]
        case InquiryRepliedEvent(part_id):
            return [(part_id, "first_reply", False)]
        case PartContributedEvent(part_id):
            return [(part_id, "resolve", False)]
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
    """(clock, verdict) of the clocks that the facts with these new sequences have stopped."""
    before = {(c.part_id, c.clock): c for c in clocks(fact for fact in facts if fact.sequence not in new)}
    judged: list[tuple[ClockName, Verdict]] = []
    for clock in clocks(facts):
        stopped = clock.stopped_at or clock.ended_at
        earlier = before.get((clock.part_id, clock.clock))
        was = (earlier.stopped_at or earlier.ended_at) if earlier else None
        if stopped is not None and was is None:
            judged.append((clock.clock, clock.verdict(max(stopped, clock.due_at + timedelta(microseconds=1)))))
    return judged
