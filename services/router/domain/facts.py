"""Facts: one class for each change of a case. `TYPES` maps the classes to event types.

A fact contains no free text, only ids, codes, times, numbers, booleans and commitments to texts in the decision's words.
A new fact needs a class here, a line in `TYPES`, a function in `fold.py` and its outputs; a test names what is missing.
Facts are named tuples with dictionaries inside, because a process makes, serialises and folds thousands in a second.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, get_args

from shared.contracts.commitments import Commitment

PartId = Annotated[str, r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}-p[1-9]\d*"]
ReplyId = Annotated[str, r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}-r[1-9]\d*"]
DepartmentCode = Annotated[str, r"[a-z][a-z0-9-]{1,30}"]
CityId = Annotated[str, r"\S+"]
"""The id of a rule or a policy in the city's files."""
Area = Annotated[str, r".+"]
"""The name of an area in the directory. What a resident writes instead is words."""
Time = Annotated[str, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"]
Role = Literal["lead", "co-handler"]
Satisfied = Literal["yes", "mostly", "no"]
Language = Literal["zh", "en"]
Channel = Literal["web", "hotline", "window", "microblog", "app", "email", "wechat", "import", "other"]
TriageReason = Literal["no-rule", "unknown-department", "returned", "no-department", "department-retired", "other"]
ReturnReason = Literal["not-ours", "wrong-area", "incomplete", "lacks-facts", "duplicate", "other"]
Clock = Literal["accept", "first_reply", "resolve"]
ActionKind = Literal["visit", "call", "evidence", "other"]
FramePart = Literal["opening", "closing"]
CHANNELS: tuple[str, ...] = get_args(Channel)
TRIAGE_REASONS: tuple[str, ...] = get_args(TriageReason)
RETURN_REASONS: tuple[str, ...] = get_args(ReturnReason)
ACTION_KINDS: tuple[str, ...] = get_args(ActionKind)
FRAME_PARTS: tuple[FramePart, ...] = get_args(FramePart)


class DueTexts(TypedDict):
    """When each clock of a part runs out."""

    accept: Time
    first_reply: Time
    resolve: Time


class ActionTaken(TypedDict):
    """An action that a department took for its contribution, such as a visit."""

    kind: ActionKind
    at: Time
    note: Commitment | None


class ParagraphOf(TypedDict):
    """One paragraph of a joint reply."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None


class Registered(NamedTuple):
    """Intake accepted a resident's message. `named`: the departments that the resident chose and the city has."""

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
    """The inquiry waits for an assignment by hand, or the part that `part_id` names does."""

    reason: TriageReason
    part_id: PartId | None = None
    department: DepartmentCode | None = None


class Assigned(NamedTuple):
    """Departments handle the inquiry. `rule` is None when a person assigned it."""

    lead: DepartmentCode
    co_handlers: tuple[DepartmentCode, ...]
    rule: CityId | None
    policy_id: CityId
    round: int
    why: Commitment | None = None


class Replied(NamedTuple):
    """A department sent the resident an interim reply."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None = None


class Composed(NamedTuple):
    """The contributions are joined into one text, lead first. `version` counts the joint replies of a round."""

    reply_id: ReplyId
    version: int
    round: int
    text: Commitment | None
    paragraphs: tuple[ParagraphOf, ...]


class Answered(NamedTuple):
    """The newest joint reply is released. `parts`: the ids of the parts in it."""

    round: int
    parts: tuple[PartId, ...]


class Rated(NamedTuple):
    """The resident rated the answer of a round."""

    round: int
    solved: bool
    satisfied: Satisfied
    words: Commitment | None = None


class LinkRequested(NamedTuple):
    """Somebody who knows the ticket number asked for the link to the ticket."""


class Offered(NamedTuple):
    """A department is offered a part, with the due times of its clocks.

    `policy_id` is None when the part has the policy of the assignment. `provisional` names the clocks whose due time may
    still move, because the public holidays before it are not announced yet.
    """

    part_id: PartId
    department: DepartmentCode
    role: Role
    due: DueTexts
    round: int
    policy_id: CityId | None = None
    provisional: tuple[Clock, ...] = ()


class Changed(NamedTuple):
    """The department keeps its part, in this role, and other departments of the inquiry have changed."""

    part_id: PartId
    department: DepartmentCode
    role: Role


class Accepted(NamedTuple):
    """The department accepted its part."""

    part_id: PartId
    department: DepartmentCode


class Contributed(NamedTuple):
    """The department sent its final contribution to the joint reply."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None = None
    actions: tuple[ActionTaken, ...] = ()


class Returned(NamedTuple):
    """The department returned its part. `suggest`: the department of the city that it suggests."""

    part_id: PartId
    department: DepartmentCode
    reason: ReturnReason
    suggest: DepartmentCode | None = None
    words: Commitment | None = None


class Withdrawn(NamedTuple):
    """An operator or a retirement withdrew the part from its department."""

    part_id: PartId
    department: DepartmentCode
    why: Commitment | None = None


class Released(NamedTuple):
    """A replay took the parked inputs of the inquiry."""


class AwaitingRelease(NamedTuple):
    """The composed joint reply waits for this many approvals, each by another user."""

    reply_id: ReplyId
    version: int
    round: int
    approvers: int


class ReplyEdited(NamedTuple):
    """The opening, the closing or the order changed. `department` is None when a user of the whole city changed it.

    `order` is empty when it stays. `opening` and `closing` are None when they stay, or when `removed` names them.
    """

    reply_id: ReplyId
    version: int
    department: DepartmentCode | None = None
    order: tuple[DepartmentCode, ...] = ()
    removed: tuple[FramePart, ...] = ()
    opening: Commitment | None = None
    closing: Commitment | None = None


class Approved(NamedTuple):
    """A user approved this version of the joint reply."""

    reply_id: ReplyId
    version: int


class ReleaseRefused(NamedTuple):
    """A user refused the release of this version. `part_id` must be written again; None for all parts of the reply."""

    reply_id: ReplyId
    version: int
    part_id: PartId | None = None
    words: Commitment | None = None


class ReplyReleased(NamedTuple):
    """This version of the joint reply has its approvals and is released."""

    reply_id: ReplyId
    version: int


class UnknownFact(NamedTuple):
    """A fact of a type that only a later version knows. It changes nothing."""

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
    | LinkRequested
    | Offered
    | Changed
    | Accepted
    | Contributed
    | Returned
    | Withdrawn
    | Released
    | AwaitingRelease
    | ReplyEdited
    | Approved
    | ReleaseRefused
    | ReplyReleased
    | UnknownFact
)

OMITTED_WHEN_EMPTY: Mapping[type[Fact], tuple[str, ...]] = {Offered: ("policy_id", "provisional")}
"""Fields that an event has only when they say something, so that most events do not grow."""

TYPES: Mapping[type[Fact], str] = {
    Registered: "inquiry.registered",
    Triaged: "inquiry.triaged",
    Assigned: "inquiry.assigned",
    Replied: "inquiry.replied",
    Composed: "reply.composed",
    Answered: "inquiry.answered",
    Rated: "inquiry.rated",
    LinkRequested: "inquiry.link-requested",
    Offered: "part.offered",
    Changed: "part.changed",
    Accepted: "part.accepted",
    Contributed: "part.contributed",
    Returned: "part.returned",
    Withdrawn: "part.withdrawn",
    Released: "case.released",
    AwaitingRelease: "inquiry.awaiting-release",
    ReplyEdited: "reply.edited",
    Approved: "reply.approved",
    ReleaseRefused: "reply.refused",
    ReplyReleased: "reply.released",
}
