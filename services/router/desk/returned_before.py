"""Which returns of an inquiry each part was offered after: a clerk reads them at the desk, as in `part.offered`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.decision import Decision


def returned_before(case: Case, decisions: Iterable[Decision]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The fields of `ReturnedBefore` by part_id, oldest part first. `decisions` are in order."""
    returns = {
        part.id: {"department": part.department, "reason": back.reason, "words": back.words.text}
        for part, back in case.returned_parts
    }
    returned: set[str] = set()
    found: dict[str, Sequence[Mapping[str, Any]]] = {}
    for decision in decisions:
        for fact in decision.facts:
            if isinstance(fact, facts.Returned):
                returned.add(fact.part_id)
            elif isinstance(fact, facts.Offered):
                found[fact.part_id] = [one for part_id, one in returns.items() if part_id in returned]
    return found
