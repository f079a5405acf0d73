"""Facts: what is true of a case from now on. One class a fact; `TYPES` is the list of all.

A new fact is a class here, its line in `TYPES`, its fold in `case.py` and its outputs; a test names what is missing.
They are named tuples because thousands are made and folded a second. Times are RFC 3339 texts.
"""

from collections.abc import Mapping
from typing import NamedTuple

from services.router.domain.assignment_rules import Why
from shared.contracts.fields import Contact
from shared.contracts.inputs import InquiryReceived
from shared.runtime import timestamps


class DueTexts(NamedTuple):
    """When each clock of a part is due."""

    accept: str
    first_reply: str
    resolve: str


class ActionTaken(NamedTuple):
    """Something that a department did for its contribution."""

    kind: str
    at: str
    note: str | None = None


class Registered(NamedTuple):
    """The resident's message, whole."""

    inquiry_id: str
    subject: str
    body: str
    channel: str
    area: str | None
    contact: Contact | None
    departments: tuple[str, ...]
    public: bool
    confidential: bool
    language: str
    received_at: str

    @property
    def shown_in_hall(self) -> bool:
        """Whether its answer may be published."""
        return self.public and not self.confidential


class Triaged(NamedTuple):
    """Somebody must assign the inquiry, or the one part of it that `part_id` names."""

    reason: str
    part_id: str | None = None
    department: str | None = None
    departments: tuple[str, ...] = ()


class Assigned(NamedTuple):
    """Who handles the inquiry; `rule` is None when a person assigned it."""

    lead: str
    co_handlers: tuple[str, ...]
    why: Why
    rule: str | None
    policy_id: str
    round: int


class Replied(NamedTuple):
    """A department's interim word to the resident."""

    part_id: str
    department: str
    text: str
    by: str | None = None


class Answered(NamedTuple):
    """The joint reply of a round: its parts and their departments, lead first."""

    round: int
    parts: tuple[str, ...]
    departments: tuple[str, ...]


class Rated(NamedTuple):
    """The resident's rating of a round."""

    inquiry_id: str
    round: int
    solved: bool
    satisfied: str
    words: str | None = None


class Offered(NamedTuple):
    """A department's share of the inquiry, and by when."""

    part_id: str
    department: str
    role: str
    due: DueTexts
    round: int
    why: str


class Changed(NamedTuple):
    """The part stays with its department; who handles the inquiry with it has changed."""

    part_id: str
    department: str
    role: str


class Accepted(NamedTuple):
    """The department accepts its part."""

    part_id: str
    department: str
    by: str | None = None


class Drafted(NamedTuple):
    """A draft of a contribution; it completes nothing."""

    part_id: str
    department: str
    text: str
    by: str | None = None
    actions: tuple[ActionTaken, ...] = ()


class Contributed(NamedTuple):
    """The department's share of the answer."""

    part_id: str
    department: str
    text: str
    by: str | None = None
    actions: tuple[ActionTaken, ...] = ()


class Returned(NamedTuple):
    """The department hands its part back; `reason` is what it wrote, a code or not."""

    part_id: str
    by: str | None
    reason: str
    words: str
    suggest: str | None
    department: str


class Withdrawn(NamedTuple):
    """The part is taken away from its department."""

    part_id: str
    department: str
    why: str
    by: str


class Released(NamedTuple):
    """The parked inputs of the inquiry were replayed."""

    by: str


class UnknownFact(NamedTuple):
    """A fact of a later version: it is kept as it is and changes nothing here."""

    type: str
    data: Mapping[str, object]


Fact = (
    Registered
    | Triaged
    | Assigned
    | Replied
    | Answered
    | Rated
    | Offered
    | Changed
    | Accepted
    | Drafted
    | Contributed
    | Returned
    | Withdrawn
    | Released
    | UnknownFact
)

TYPES: Mapping[type[Fact], str] = {
    Registered: "inquiry.registered",
    Triaged: "inquiry.triaged",
    Assigned: "inquiry.assigned",
    Replied: "inquiry.replied",
    Answered: "inquiry.answered",
    Rated: "inquiry.rated",
    Offered: "part.offered",
    Changed: "part.changed",
    Accepted: "part.accepted",
    Drafted: "part.drafted",
    Contributed: "part.contributed",
    Returned: "part.returned",
    Withdrawn: "part.withdrawn",
    Released: "case.released",
}


def registered(message: InquiryReceived) -> Registered:
    """The fact that a message makes."""
    return Registered(
        inquiry_id=message.inquiry_id,
        subject=message.subject,
        body=message.body,
        channel=message.channel,
        area=message.area,
        contact=message.contact,
        departments=message.departments,
        public=message.public,
        confidential=message.confidential,
        language=message.language,
        received_at=timestamps.to_text(message.received_at),
    )


def type_of(fact: Fact) -> str:
    """The fact's name in stored decisions and, with the prefix, on topics."""
    return fact.type if isinstance(fact, UnknownFact) else TYPES[type(fact)]
