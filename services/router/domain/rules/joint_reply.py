"""The joint reply: made when every part is contributed."""

from __future__ import annotations

from services.router.domain.case import Case
from shared.contracts.facts import Fact


def answered(case: Case) -> Fact:
    """The answer, when every duty is fulfilled."""
    parts = case.active_parts
    return Fact(
        "inquiry.answered",
        {"round": case.round, "parts": [part.id for part in parts], "departments": [part.department for part in parts]},
    )
