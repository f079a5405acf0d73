"""The joint reply: made when every part is contributed."""

from services.router.domain import facts
from services.router.domain.case import Case


def answer_when_complete(case: Case) -> facts.Answered | None:
    """The answer of this round, once every duty is fulfilled."""
    if case.status == "answered" or not case.complete:
        return None
    parts = case.active_parts
    return facts.Answered(case.round, tuple(part.id for part in parts), tuple(part.department for part in parts))
