"""What a department reads about the answer with which the resident was not content, when the inquiry is reopened."""

from services.router.domain.case import Case
from shared.contracts.limits import TEXT_MAX

REJECTED_ANSWER_MAX = TEXT_MAX
"""Characters. A longer answer is left out: with it, the offers to 20 departments could exceed the size of a decision."""


def rejected_answer(case: Case) -> dict[str, object] | None:
    """The last rating and the answer that it is about; None when the resident has not rated any."""
    if not case.ratings or not case.earlier:
        return None
    rating, answer = case.ratings[-1], case.earlier[-1]
    fields: dict[str, object] = {"round": rating.round, "solved": rating.solved, "satisfied": rating.satisfied}
    if rating.words is not None:
        fields["words"] = rating.words.text
    if answer.round == rating.round and len(answer.text) <= REJECTED_ANSWER_MAX:
        fields["answer"] = answer.text
    return fields
