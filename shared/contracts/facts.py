"""Facts of a case, and the events that publish them."""

from pydantic import ConfigDict

from shared.contracts.envelope import PREFIX, Payload


class CaseEvent(Payload):
    """A fact on `inquiries.events`, without residents' words or contacts; its fields depend on its type."""

    model_config = ConfigDict(frozen=True, extra="allow")
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""


EVENT_TYPES = tuple(
    PREFIX + name
    for name in (
        "inquiry.registered",
        "inquiry.triaged",
        "inquiry.assigned",
        "inquiry.replied",
        "inquiry.answered",
        "inquiry.rated",
        "part.offered",
        "part.accepted",
        "part.contributed",
        "part.returned",
        "part.withdrawn",
    )
)
