"""Reactions: facts that follow from the state itself, whatever input brought it about."""

from collections.abc import Callable

from services.router.domain.case import Case, fold
from services.router.domain.facts import Fact
from services.router.domain.rules.joint_reply import answer_when_complete

Reaction = Callable[[Case], Fact | None]
REACTIONS: tuple[Reaction, ...] = (answer_when_complete,)
MOST = 20
"""More reactions to one input are a rule that never ends."""


def react(case: Case) -> tuple[Case, list[Fact]]:
    """Apply reactions until none has anything to add; the case after them, and their facts in order."""
    made: list[Fact] = []
    while (fact := next((found for one in REACTIONS if (found := one(case)) is not None), None)) is not None:
        made.append(fact)
        case = fold(case, fact)
        if len(made) > MOST:
            raise RuntimeError(f"the reactions to {case.inquiry_id} do not end: {[type(one).__name__ for one in made]}")
    return case, made
