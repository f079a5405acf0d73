"""The joint reply: made when every part is contributed."""

from services.router.domain import facts
from services.router.domain.case import Case


def answered(case: Case) -> facts.Answered:
    """The answer, when every duty is fulfilled."""
    parts = case.active_parts
    return facts.Answered(case.round, tuple(part.id for part in parts), tuple(part.department for part in parts))
