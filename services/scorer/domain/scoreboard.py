"""Counts parts, clocks and ratings of each department over a period."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from services.scorer.domain.clocks import CaseFact, clocks
from services.scorer.domain.holdings import holdings
from services.scorer.domain.periods import Period
from services.scorer.domain.ratings import PartRating, RatingCounts, rating_counts
from shared.clocks.deadlines import ClockName, Verdict
from shared.events.case_events import (
    InquiryAnsweredEvent,
    InquiryRatedEvent,
    InquiryReopenedEvent,
    InquirySupplementedEvent,
    PartContributedEvent,
    PartOfferedEvent,
    PartReturnedEvent,
)


@dataclass(frozen=True, slots=True)
class ClockCounts:
    """The verdicts of one clock."""

    kept: int = 0
    broken: int = 0
    open: int = 0

    @property
    def share(self) -> str | None:
        """Kept clocks as a share of kept and broken ones; None when both are 0."""
        return share(self.kept, self.kept + self.broken)


@dataclass(frozen=True, slots=True)
class DepartmentCounts:
    assigned: int = 0
    answered: int = 0
    released: int = 0
    returned: int = 0
    returned_held_ms: int = 0
    reopened: int = 0
    joint: int = 0
    accept: ClockCounts = ClockCounts()
    first_reply: ClockCounts = ClockCounts()
    resolve: ClockCounts = ClockCounts()
    ratings: RatingCounts = field(default_factory=RatingCounts)


@dataclass(slots=True)
class _Tally:
    """The running counts of a department."""

    assigned: int = 0
    answered: int = 0
    released: int = 0
    returned: int = 0
    returned_held_ms: int = 0
    reopened: int = 0
    joint: int = 0
    verdicts: Counter[tuple[ClockName, Verdict]] = field(default_factory=Counter)
    ratings: list[PartRating] = field(default_factory=list)

    def counts(self) -> DepartmentCounts:
        return DepartmentCounts(
            assigned=self.assigned,
            answered=self.answered,
            released=self.released,
            returned=self.returned,
            returned_held_ms=self.returned_held_ms,
            reopened=self.reopened,
            joint=self.joint,
            accept=self._clock("accept"),
            first_reply=self._clock("first_reply"),
            resolve=self._clock("resolve"),
            ratings=rating_counts(self.ratings),
        )

    def _clock(self, name: ClockName) -> ClockCounts:
        counts = self.verdicts
        return ClockCounts(kept=counts[name, "kept"], broken=counts[name, "broken"], open=counts[name, "open"])


def rows(inquiries: Iterable[Sequence[CaseFact]], over: Period, as_of: datetime) -> dict[str, DepartmentCounts]:
    """Counts by department, for the parts that were offered in the period, from events up to `as_of`.

    Each round has parts of its own. A rating counts for every department that has a part in the rated answer, and so does
    the reopening that may follow.
    """
    board: defaultdict[str, _Tally] = defaultdict(_Tally)
    for facts in inquiries:
        _count(board, [fact for fact in facts if fact.at <= as_of], over, as_of)
    return {department: tally.counts() for department, tally in board.items()}


def _count(board: defaultdict[str, _Tally], facts: Sequence[CaseFact], over: Period, as_of: datetime) -> None:
    offered = {
        fact.body.part_id: fact.body.department
        for fact in facts
        if isinstance(fact.body, PartOfferedEvent) and over.start <= fact.at < over.end
    }
    kept_first: set[str] = set()
    for clock in clocks(facts):
        if clock.part_id in offered and (verdict := clock.verdict(as_of)) != "void":
            board[clock.department].verdicts[clock.clock, verdict] += 1
            if clock.clock == "first_reply" and verdict == "kept":
                kept_first.add(clock.part_id)
    for department in offered.values():
        board[department].assigned += 1
    for part_id, held in holdings(facts).items():
        if part_id in offered:
            board[offered[part_id]].returned_held_ms += held.held_ms
    parts: tuple[str, ...] = ()
    contributed: set[str] = set()
    for fact in sorted(facts, key=lambda one: one.sequence):
        match fact.body:
            case PartContributedEvent(part_id) if part_id in offered and part_id not in contributed:
                # A department contributes again when it replaces its text or an approver refuses it.
                contributed.add(part_id)
                board[offered[part_id]].answered += 1
            case PartReturnedEvent(part_id) if part_id in offered:
                board[offered[part_id]].returned += 1
            case InquiryAnsweredEvent(parts=parts):
                for part_id in offered.keys() & set(parts):
                    board[offered[part_id]].released += 1
                    board[offered[part_id]].joint += len(parts) > 1
            case InquirySupplementedEvent(parts=added):
                # The answer has at least one part more than the addendum. A later rating counts for all of them.
                parts += added
                for part_id in offered.keys() & set(added):
                    board[offered[part_id]].released += 1
                    board[offered[part_id]].joint += 1
            case InquiryRatedEvent() as rating:
                for part_id in offered.keys() & set(parts):
                    board[offered[part_id]].ratings.append(PartRating(rating, part_id in kept_first))
            case InquiryReopenedEvent():
                for part_id in offered.keys() & set(parts):
                    board[offered[part_id]].reopened += 1
                parts = ()


def share(part: int, whole: int) -> str | None:
    """`part / whole` with four decimals, rounded half to even; None when `whole` is 0."""
    if whole == 0:
        return None
    return str((Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))
