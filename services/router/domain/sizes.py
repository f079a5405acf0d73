"""The size of a decision. One that Kafka or the store would refuse is never made: its case could not continue."""

from collections.abc import Iterator

from services.router.domain.decision import Decision, Refusal
from shared.contracts.limits import DOCUMENT_BYTES_MAX, MESSAGE_BYTES_MAX

CHARACTER_BYTES = 4
REMEDY = "Write less; the case has no room for more."


def too_large(decision: Decision) -> Refusal | None:
    """The refusal of an input whose decision is too large; None if it fits."""
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
    """All texts of its document that people wrote or that contain such texts."""
    yield from decision.events
    yield from decision.words.values()
    yield from (one.value for one in decision.stored_messages)
    yield decision.picture or ""
