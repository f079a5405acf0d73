"""Facts: what is true of a case from now on. One class a fact; `TYPES` is the list of all.

Facts hold no free text: ids, codes, times, numbers, truth values, and commitments to texts that stand in the decision's
words. A new fact is a class here, its line in `TYPES`, its fold in `case.py` and its outputs; a test names what is missing.
They are named tuples, with dictionaries inside, because thousands are made, serialised and folded a second.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, get_args

from shared.contracts.commitments import Commitment

PartId = Annotated[str, r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}-p[1-9]\d*"]
ReplyId = Annotated[str, r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}-r[1-9]\d*"]
DepartmentCode = Annotated[str, r"[a-z][a-z0-9-]{1,30}"]
CityId = Annotated[str, r"\S+"]
"""The id of a rule or a policy, as the city's files have it."""
Area = Annotated[str, r".+"]
"""An area as the directory writes it; never as a resident does."""
Time = Annotated[str, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"]
Role = Literal["lead", "co-handler"]
Satisfied = Literal["yes", "mostly", "no"]
Language = Literal["zh", "en"]
Channel = Literal["web", "hotline", "window", "microblog", "app", "email", "wechat", "import", "other"]
TriageReason = Literal["no-rule", "unknown-department", "returned", "no-department", "department-retired", "other"]
ReturnReason = Literal["not-ours", "wrong-area", "incomplete", "lacks-facts", "duplicate", "other"]
ActionKind = Literal["visit", "call", "evidence", "other"]
CHANNELS: tuple[str, ...] = get_args(Channel)
TRIAGE_REASONS: tuple[str, ...] = get_args(TriageReason)
RETURN_REASONS: tuple[str, ...] = get_args(ReturnReason)
ACTION_KINDS: tuple[str, ...] = get_args(ActionKind)


class DueTexts(TypedDict):
    """When each clock of a part is due."""

    accept: Time
    first_reply: Time
    resolve: Time


class ActionTaken(TypedDict):
    """Something that a department did for its contribution."""

    kind: ActionKind
    at: Time
    note: Commitment | None


class ParagraphOf(TypedDict):
    """One part in a joint reply."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None


class Registered(NamedTuple):
    """A resident's message; `named` are the departments that the resident chose and the city has."""

    channel: Channel
    language: Language
    public: bool
    confidential: bool
    received_at: Time
    area: Area | None = None
    named: tuple[DepartmentCode, ...] = ()
    subject: Commitment | None = None
    body: Commitment | None = None


class Triaged(NamedTuple):
    """Somebody must assign the inquiry, or the one part of it that `part_id` names."""

    reason: TriageReason
    part_id: PartId | None = None
    department: DepartmentCode | None = None


class Assigned(NamedTuple):
    """Who handles the inquiry; `rule` is None when a person assigned it."""

    lead: DepartmentCode
    co_handlers: tuple[DepartmentCode, ...]
    rule: CityId | None
    policy_id: CityId
    round: int
    why: Commitment | None = None


class Replied(NamedTuple):
    """A department's interim word to the resident."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None = None


class Composed(NamedTuple):
    """The parts joined into one text, lead first. `version` counts the texts of a round."""

    reply_id: ReplyId
    version: int
    round: int
    text: Commitment | None
    paragraphs: tuple[ParagraphOf, ...]


class Answered(NamedTuple):
    """The joint reply as it was composed last is released; `parts` are the ids of the parts in it."""

    round: int
    parts: tuple[PartId, ...]


class Rated(NamedTuple):
    """The resident's rating of a round."""

    round: int
    solved: bool
    satisfied: Satisfied
    words: Commitment | None = None


class Offered(NamedTuple):
    """A department's share of the inquiry, and by when."""

    part_id: PartId
    department: DepartmentCode
    role: Role
    due: DueTexts
    round: int


class Changed(NamedTuple):
    """The part stays with its department; who handles the inquiry with it has changed."""

    part_id: PartId
    department: DepartmentCode
    role: Role


class Accepted(NamedTuple):
    """The department accepts its part."""

    part_id: PartId
    department: DepartmentCode


class Contributed(NamedTuple):
    """The department's share of the answer."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None = None
    actions: tuple[ActionTaken, ...] = ()


class Returned(NamedTuple):
    """The department hands its part back. `suggest` is a department of the city."""

    part_id: PartId
    department: DepartmentCode
    reason: ReturnReason
    suggest: DepartmentCode | None = None
    words: Commitment | None = None


class Withdrawn(NamedTuple):
    """The part is taken away from its department."""

    part_id: PartId
    department: DepartmentCode
    why: Commitment | None = None


class Released(NamedTuple):
    """The parked inputs of the inquiry were replayed."""


class UnknownFact(NamedTuple):
    """A fact of a later version: it is kept as it is and changes nothing here."""

    type: str
    data: Mapping[str, Any]


Fact = (
    Registered
    | Triaged
    | Assigned
    | Replied
    | Composed
    | Answered
    | Rated
    | Offered
    | Changed
    | Accepted
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
    Composed: "reply.composed",
    Answered: "inquiry.answered",
    Rated: "inquiry.rated",
    Offered: "part.offered",
    Changed: "part.changed",
    Accepted: "part.accepted",
    Contributed: "part.contributed",
    Returned: "part.returned",
    Withdrawn: "part.withdrawn",
    Released: "case.released",
}
