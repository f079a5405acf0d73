"""Scores: a pure function of events and of the moment they are asked for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shared.clocks.deadlines import CLOCKS, Clock

FIRST_YEAR, LAST_YEAR = 1970, 9998
ACTS = ("part.accepted", "part.contributed", "part.returned", "part.withdrawn", "inquiry.replied", "inquiry.answered")


@dataclass(frozen=True, slots=True)
class Fact:
    """One event as the scorer keeps it; `type` without the prefix."""

    inquiry_id: str
    sequence: int
    type: str
    at: datetime
    data: Mapping[str, Any]


# ── clocks of one inquiry ────────────────────────────────────────────────────


def clocks(facts: Iterable[Fact]) -> list[Clock]:
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


def _stops(fact: Fact) -> Iterable[tuple[str, str, bool]]:
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


def newly_judged(facts: Sequence[Fact], new: set[int]) -> list[tuple[str, str]]:
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


# ── a period ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Period:
    """From the first moment (included) to the last (excluded), in the city's time zone."""

    name: str
    start: datetime
    end: datetime
    zone: str


def period(name: str, zone: ZoneInfo) -> Period:
    """A month `YYYY-MM`, an ISO week `YYYY-Www` or a day `YYYY-MM-DD`; raises ValueError for anything else."""
    try:
        if "W" in name:
            first, form = datetime.strptime(f"{name}-1", "%G-W%V-%u").date(), "%G-W%V"
            after = first + timedelta(days=7)
        elif name.count("-") == 1:
            first, form = datetime.strptime(name, "%Y-%m").date(), "%Y-%m"
            after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        else:
            first, form = datetime.strptime(name, "%Y-%m-%d").date(), "%Y-%m-%d"
            after = first + timedelta(days=1)
        if first.strftime(form) != name or not FIRST_YEAR <= first.year <= LAST_YEAR:
            raise ValueError(name)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name!r} is no period; write a month like 2026-11, a week like 2026-W47 or a day") from error
    start, end = (datetime.combine(day, time(), zone) for day in (first, after))
    return Period(name, start, end, str(zone))


def neighbours(over: Period) -> tuple[str, str]:
    """The months before and after the period, `YYYY-MM`."""
    return f"{over.start - timedelta(days=1):%Y-%m}", f"{over.end:%Y-%m}"


# ── a scoreboard ─────────────────────────────────────────────────────────────


@dataclass
class Row:
    """One department's counts over a period."""

    assigned: int = 0
    answered: int = 0
    released: int = 0
    returned: int = 0
    joint: int = 0
    clocks: dict[str, dict[str, int]] = field(
        default_factory=lambda: {name: {"kept": 0, "broken": 0, "open": 0} for name in CLOCKS}
    )
    ratings: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("valid", "contacted", "solved", "satisfied", "mostly"), 0)
    )


def rows(inquiries: Iterable[Sequence[Fact]], over: Period, as_of: datetime) -> dict[str, Row]:
    """Counts by department: of the parts that were offered in the period, everything that has become of them by `as_of`.

    A rating counts for every department whose part stands in the answer it rates.
    """
    board: dict[str, Row] = defaultdict(Row)
    for facts in inquiries:
        _count(board, [fact for fact in facts if fact.at <= as_of], over, as_of)
    return dict(board)


def _count(board: dict[str, Row], facts: Sequence[Fact], over: Period, as_of: datetime) -> None:
    offered = {
        f.data["part_id"]: f.data["department"]
        for f in facts
        if f.type == "part.offered" and over.start <= f.at < over.end
    }
    kept_first: set[str] = set()
    for clock in clocks(facts):
        if clock.part_id in offered and (verdict := clock.verdict(as_of)) != "void":
            board[clock.department].clocks[clock.clock][verdict] += 1
            if clock.clock == "first_reply" and verdict == "kept":
                kept_first.add(clock.part_id)
    for department in offered.values():
        board[department].assigned += 1
    parts: list[str] = []
    for fact in sorted(facts, key=lambda one: one.sequence):
        department = offered.get(fact.data.get("part_id") or "")
        if fact.type == "part.contributed" and department:
            board[department].answered += 1
        elif fact.type == "part.returned" and department:
            board[department].returned += 1
        elif fact.type == "inquiry.answered":
            parts = list(fact.data["parts"])
            for part in offered.keys() & set(parts):
                board[offered[part]].released += 1
                board[offered[part]].joint += len(parts) > 1
        elif fact.type == "inquiry.rated":
            for part in offered.keys() & set(parts):
                _rate(board[offered[part]].ratings, fact.data, part in kept_first)


def _rate(ratings: dict[str, int], rating: Mapping[str, Any], contacted: bool) -> None:
    ratings["valid"] += 1
    ratings["contacted"] += contacted
    ratings["solved"] += bool(rating["solved"])
    ratings["satisfied"] += rating["satisfied"] == "yes"
    ratings["mostly"] += rating["satisfied"] == "mostly"


def share(part: int, whole: int) -> str | None:
    """`part / whole` with four decimals, rounded half to even; None of nothing."""
    if whole == 0:
        return None
    return str((Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))


def line(code: str, name: Mapping[str, str], row: Row) -> dict[str, Any]:
    """A department's line on the scoreboard."""
    judged = {
        clock: counts | {"share": share(counts["kept"], counts["kept"] + counts["broken"])}
        for clock, counts in row.clocks.items()
    }
    rates = dict.fromkeys(("responded_rate", "solved_rate", "satisfied_rate", "composite"))
    return {
        "code": code,
        "name": dict(name),
        "volume": {"assigned": row.assigned, "answered": row.answered, "released": row.released},
        "clocks": judged,
        "ratings": row.ratings | rates,
        "returned": row.returned,
        "reopened": 0,
        "joint": row.joint,
        "ranked": False,
        "rank": None,
    }
