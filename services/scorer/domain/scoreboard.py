"""The counts of each department over a period."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from services.scorer.domain.clocks import CaseFact, clocks
from services.scorer.domain.periods import Period
from services.scorer.domain.ratings import count_rating
from shared.clocks.deadlines import CLOCKS


@dataclass
class DepartmentCounts:
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


def rows(inquiries: Iterable[Sequence[CaseFact]], over: Period, as_of: datetime) -> dict[str, DepartmentCounts]:
    """Counts by department: of the parts that were offered in the period, everything that has become of them by `as_of`.

    A rating counts for every department whose part stands in the answer it rates.
    """
    board: dict[str, DepartmentCounts] = defaultdict(DepartmentCounts)
    for facts in inquiries:
        _count(board, [fact for fact in facts if fact.at <= as_of], over, as_of)
    return dict(board)


def _count(board: dict[str, DepartmentCounts], facts: Sequence[CaseFact], over: Period, as_of: datetime) -> None:
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
                count_rating(board[offered[part]].ratings, fact.data, part in kept_first)


def share(part: int, whole: int) -> str | None:
    """`part / whole` with four decimals, rounded half to even; None of nothing."""
    if whole == 0:
        return None
    return str((Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))


def line(code: str, name: Mapping[str, str], row: DepartmentCounts) -> dict[str, Any]:
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
