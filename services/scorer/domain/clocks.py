"""The clocks of one inquiry's parts, computed from its events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.clocks.deadlines import CLOCKS, Clock

ACTS = ("part.accepted", "part.contributed", "part.returned", "part.withdrawn", "inquiry.replied", "inquiry.answered")


@dataclass(frozen=True, slots=True)
class CaseFact:
    """One event as the scorer keeps it; `type` without the prefix."""

    inquiry_id: str
    sequence: int
    type: str
    at: datetime
    data: Mapping[str, Any]


def clocks(facts: Iterable[CaseFact]) -> list[Clock]:
    """Every clock of every part of one inquiry.

    Each starts when its part is offered. `accept` stops at acceptance; `first_reply` at the department's interim word or
    at the release of the answer, whichever is first; `resolve` at the contribution. A returned or withdrawn part ends
    them all: returning within the accept time is an acceptance of the duty to say so, so that clock is kept.
    """
    running: dict[tuple[str, str], Clock] = {}
    for fact in sorted(facts, key=lambda one: one.sequence):
        if fact.type == "part.offered":
            for name in CLOCKS:
                due = datetime.fromisoformat(fact.data["due"][name])
                part_id = fact.data["part_id"]
                running[part_id, name] = Clock(name, part_id, fact.data["department"], fact.at, due)
        elif fact.type in ACTS:
            for part_id, name, ends in _stops(fact):
                if (clock := running.get((part_id, name))) is not None:
                    running[part_id, name] = _stopped(clock, fact.at, ends)
    return list(running.values())


def _stops(fact: CaseFact) -> Iterable[tuple[str, str, bool]]:
    """Which clocks a fact touches: (part, clock, whether it ends the duty instead of fulfilling it)."""
    part_id = fact.data.get("part_id") or ""
    match fact.type:
        case "part.accepted":
            return [(part_id, "accept", False)]
        case "inquiry.replied":
            return [(part_id, "first_reply", False)]
        case "part.contributed":
            return [(part_id, "resolve", False)]
        case "inquiry.answered":
            return [(part, "first_reply", False) for part in fact.data["parts"]]
        case "part.returned":
            return [(part_id, "accept", False), (part_id, "first_reply", True), (part_id, "resolve", True)]
        case _:
            return [(part_id, name, True) for name in CLOCKS]


def _stopped(clock: Clock, at: datetime, ends: bool) -> Clock:
    if clock.stopped_at is not None or clock.ended_at is not None:
        return clock
    return replace(clock, ended_at=at) if ends else replace(clock, stopped_at=at)


def newly_judged(facts: Sequence[CaseFact], new: set[int]) -> list[tuple[str, str]]:
    """(clock, verdict) of the clocks that the facts with these new sequences have stopped."""
    before = {(c.part_id, c.clock): c for c in clocks(fact for fact in facts if fact.sequence not in new)}
    judged: list[tuple[str, str]] = []
    for clock in clocks(facts):
        stopped = clock.stopped_at or clock.ended_at
        earlier = before.get((clock.part_id, clock.clock))
        was = (earlier.stopped_at or earlier.ended_at) if earlier else None
        if stopped is not None and was is None:
            judged.append((clock.clock, clock.verdict(max(stopped, clock.due_at + timedelta(microseconds=1)))))
    return judged
