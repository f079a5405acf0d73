"""How long a department held a part that it returned: from the offer to the return.

A return ends the part's clocks, and the next department's clocks start anew with their own offer. This record keeps the
time that the return cost. It is derived from the stored events, so a rule can charge it later to the department.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from services.scorer.domain.clocks import CaseFact
from shared.events.case_events import PartOfferedEvent, PartReturnedEvent


class Holding(NamedTuple):
    """One returned part, and the department that returned it."""

    part_id: str
    department: str
    offered_at: datetime
    returned_at: datetime

    @property
    def held_ms(self) -> int:
        """The natural time from the offer to the return, in milliseconds."""
        return (self.returned_at - self.offered_at) // timedelta(milliseconds=1)


def holdings(facts: Iterable[CaseFact]) -> dict[str, Holding]:
    """The returned parts of one inquiry by part_id. A return without its offer, which a gap may hide, has no record."""
    offered: dict[str, CaseFact] = {}
    found: dict[str, Holding] = {}
    for fact in sorted(facts, key=lambda one: one.sequence):
        match fact.body:
            case PartOfferedEvent(part_id):
                offered.setdefault(part_id, fact)
            case PartReturnedEvent(part_id, department) if part_id in offered and part_id not in found:
                found[part_id] = Holding(part_id, department, offered[part_id].at, fact.at)
    return found
