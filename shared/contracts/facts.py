"""Facts of a case, and the events that publish them."""

from pydantic import ConfigDict

from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Moment


class ActorShown(Documented):
    """Who caused an event, without a name."""

    model_config = ConfigDict(frozen=True)
    kind: str
    """`resident`, `department`, `staff` or `timer`."""
    role: str | None = None
    """The role of a staff user, such as `operator`; absent otherwise."""


class CaseEvent(Payload):
    """A fact on `inquiries.events`, without free text. The fields of its type come between `actor` and `state`.

    The value is compact JSON in this field order. `prev` is the hash of the value before: `sha256sum` verifies a case.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    type: str  # type: ignore[misc]
    """The type of the event, such as `chorus.part.offered`; `ce_type` repeats it."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    sequence: int
    """The number of the event within its case, counted from 1 without gaps."""
    at: Moment
    """When the input that caused the event was recorded."""
    actor: ActorShown
    """Who caused the event."""
    state: str
    """The state of the case after this fact."""
    departments: tuple[str, ...]
    """The codes of the departments that have a part after this fact, the lead first."""
    part_states: dict[str, int]
    """How many parts are in each state after this fact."""
    prev: str | None
    """The SHA-256 of the value of the case's previous event, in hexadecimal; null in the first."""


EVENT_TYPES = tuple(
    PREFIX + name
    for name in (
        "inquiry.registered",
        "inquiry.triaged",
        "inquiry.assigned",
        "inquiry.replied",
        "reply.composed",
        "inquiry.answered",
        "inquiry.rated",
        "inquiry.link-requested",
        "clock.due-soon",
        "clock.broken",
        "part.offered",
        "part.changed",
        "part.accepted",
        "part.contributed",
        "part.returned",
        "part.withdrawn",
        "case.released",
        "inquiry.awaiting-release",
        "reply.edited",
        "reply.approved",
        "reply.refused",
        "reply.released",
        "part.omitted",
        "inquiry.supplemented",
        "part.delegated",
        "part.corrected",
        "reply.corrected",
        "reply.retracted",
        "hall.published",
        "hall.hidden",
        "hall.redacted",
        "hall.reported",
        "part.asked",
        "inquiry.paused",
        "inquiry.resumed",
        "inquiry.added",
        "inquiry.reminded",
        "inquiry.closed",
        "inquiry.reopened",
        "part.extension-asked",
        "part.extended",
        "part.extension-refused",
        "inquiry.rating-reminded",
        "inquiry.refused",
        "inquiry.withdrawn",
        "inquiry.erased",
        "inquiry.linked",
    )
)
