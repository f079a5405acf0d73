"""What a decision weighs, so that none is made that Kafka or the store would not take: its case could never go on."""

from collections.abc import Iterator

from services.router.domain.decision import Decision, Refusal
from shared.contracts.limits import DOCUMENT_BYTES_MAX, MESSAGE_BYTES_MAX

CHARACTER_BYTES = 4
REMEDY = "Write less; the case has no room for more."


def too_large(decision: Decision) -> Refusal | None:
    """The refusal of an input whose decision would be too large; None for one that fits."""
    largest = max((len(one.value) for one in decision.messages), default=0)
    if largest > MESSAGE_BYTES_MAX:
        reason = f"A message of {largest} bytes would follow; at most {MESSAGE_BYTES_MAX} can be sent."
        return Refusal("too-large", reason, REMEDY)
    if CHARACTER_BYTES * sum(map(len, _texts(decision))) <= DOCUMENT_BYTES_MAX:
        return None
    size = sum(len(one.encode()) for one in _texts(decision))
    if size <= DOCUMENT_BYTES_MAX:
        return None
    reason = f"The decision would have {size} bytes; at most {DOCUMENT_BYTES_MAX} can be stored."
    return Refusal("too-large", reason, REMEDY)


def _texts(decision: Decision) -> Iterator[str]:
    """Everything in its document that somebody wrote, or that was made of it."""
    yield from decision.events
    yield from decision.words.values()
    yield from (one.value for one in decision.stored_messages)
    yield decision.picture or ""
