"""Every message that crosses a topic: its type, its fields, and the headers it travels with (CloudEvents 1.0, binary mode)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, field_validator
from pydantic_core import to_json

from shared import clock

PREFIX = "chorus."
SUBJECT_MAX = 200
BODY_MAX = 20_000
TEXT_MAX = 20_000
DEPARTMENTS_MAX = 20
YEARS = range(1970, 9999)


def in_reach(moment: datetime) -> datetime:
    """Refuse a time that has no year of four digits in UTC: it could be read here and never be written again."""
    try:
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = 0
    if year not in YEARS:
        raise ValueError(f"is out of reach; write a time from {YEARS[0]} to {YEARS[-1]}")
    return moment


Moment = Annotated[
    AwareDatetime, AfterValidator(in_reach), PlainSerializer(clock.to_text, return_type=str, when_used="json")
]
"""A point in time; in JSON always RFC 3339 in UTC with milliseconds."""


Header = tuple[str, bytes | None]


class Origin(NamedTuple):
    """The CloudEvents attributes that all messages of one cause have alike.

    `recorded_at` is the time stamped at the door, RFC 3339. `digest` tells of an input which bytes its sender sent: the
    same id with another digest is another message.
    """

    source: str
    subject: str
    recorded_at: str
    causation: str | None = None
    digest: str | None = None


@lru_cache(maxsize=4)
def _alike(origin: Origin) -> tuple[Header, list[Header], list[Header]]:
    """The headers of an origin: source, then what stands before and after the sequence."""
    at = origin.recorded_at.encode()
    before: list[Header] = [
        ("ce_specversion", b"1.0"),
        ("ce_time", at),
        ("ce_subject", origin.subject.encode()),
        ("ce_recordedtime", at),
        ("content-type", b"application/json"),
    ]
    told = (("ce_causationid", origin.causation), ("ce_digest", origin.digest))
    after: list[Header] = [(name, text.encode()) for name, text in told if text is not None]
    return ("ce_source", origin.source.encode()), before, after


class Message(NamedTuple):
    """One message to publish: where, under which key, its own attributes, and its JSON."""

    topic: str
    key: str
    id: str
    type: str
    origin: Origin
    value: bytes
    sequence: int | None = None

    @property
    def record(self) -> tuple[bytes, bytes, list[Header]]:
        """Key, value and headers, in the fixed names of the project; made when it goes out: thousands wait for that."""
        _, key, id_, type_, origin, value, sequence = self
        source, before, after = _alike(origin)
        number: list[Header] = [] if sequence is None else [("ce_sequence", b"%d" % sequence)]
        own = ("ce_id", id_.encode()), source, ("ce_type", type_.encode())
        return key.encode(), value, [*own, *before, *number, *after]


class Payload(BaseModel):
    """What every message body has in common: unknown fields are skipped, so that fields can be added."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: ClassVar[str]


def as_json(data: Mapping[str, Any]) -> bytes:
    """Compact JSON, characters as they are. The serialiser of pydantic: many times as fast as the standard library's."""
    return to_json(data)


def no_nul(text: str | None) -> str | None:
    """Refuse U+0000, which no store and no page can carry."""
    if text is not None and "\0" in text:
        raise ValueError("contains U+0000, which cannot be stored; leave it out")
    return text


def has_words(remedy: str) -> Callable[[str], str]:
    """A check that refuses text without a word in it; `remedy` says what would be right."""

    def check(text: str) -> str:
        no_nul(text)
        if not text.strip():
            raise ValueError(f"is blank; {remedy}")
        return text

    return check


class Contact(BaseModel):
    """How a resident may be reached; kept out of `inquiries.events` and of every log."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: str | None = Field(None, max_length=100)
    phone: str | None = Field(None, max_length=40)
    email: str | None = Field(None, max_length=254)


# ── inputs: residents ────────────────────────────────────────────────────────


class InquiryReceived(Payload):
    """A resident's message, as intake wrote it into its ledger."""

    type: ClassVar[str] = PREFIX + "inquiry.received"
    inquiry_id: str
    subject: str
    body: str
    channel: str = "web"
    area: str | None = None
    contact: Contact | None = None
    departments: tuple[str, ...] = ()
    public: bool = False
    confidential: bool = False
    language: Literal["zh", "en"] = "zh"
    received_at: Moment


class InquiryRated(Payload):
    """The resident's word on one round's answer."""

    type: ClassVar[str] = PREFIX + "inquiry.rated"
    inquiry_id: str
    round: int = Field(ge=1)
    solved: bool
    satisfied: Literal["yes", "mostly", "no"]
    words: str | None = Field(None, max_length=TEXT_MAX)


# ── inputs: departments ──────────────────────────────────────────────────────


class PartMessage(Payload):
    """What every message in an outbox has: the part it speaks of and, if it likes, who wrote it."""

    part_id: str
    by: str | None = Field(None, max_length=100)

    _no_nul = field_validator("by")(no_nul)


class PartAccepted(PartMessage):
    """The department takes its part."""

    type: ClassVar[str] = PREFIX + "part.accepted"


class Action(BaseModel):
    """Something a department did on the way: kind, when, and a note."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: str = Field(max_length=100)
    at: Moment
    note: str | None = Field(None, max_length=2_000)


class PartContributed(PartMessage):
    """The department's share of the answer; `final=false` is a draft that completes nothing."""

    type: ClassVar[str] = PREFIX + "part.contributed"
    text: str = Field(min_length=1, max_length=TEXT_MAX)
    final: bool = True
    actions: tuple[Action, ...] = Field((), max_length=50)

    _words = field_validator("text")(has_words("write the department's share of the answer"))


class PartReplied(PartMessage):
    """The department's interim word to the resident."""

    type: ClassVar[str] = PREFIX + "part.replied"
    text: str = Field(min_length=1, max_length=TEXT_MAX)

    _words = field_validator("text")(has_words("write the word to the resident"))


class PartReturned(PartMessage):
    """The department gives its part back, with a reason."""

    type: ClassVar[str] = PREFIX + "part.returned"
    reason: str = Field(min_length=1, max_length=64)
    words: str = Field("", max_length=TEXT_MAX)
    suggest: str | None = Field(None, max_length=31)

    _no_nul = field_validator("reason", "words", "suggest")(no_nul)


# ── inputs: operators ────────────────────────────────────────────────────────


class CaseAssign(Payload):
    """Give the inquiry, or what came back of it, to departments."""

    type: ClassVar[str] = PREFIX + "case.assign"
    inquiry_id: str
    lead: str
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    by: str = "operator"


class CaseWithdrawPart(Payload):
    """Take a part away: its department owes nothing any more."""

    type: ClassVar[str] = PREFIX + "case.withdraw-part"
    inquiry_id: str
    part_id: str
    why: str = Field(min_length=1, max_length=2_000)
    by: str = "operator"

    _no_nul = field_validator("part_id", "why")(no_nul)


class CaseRecallPart(Payload):
    """Take a part back into triage: its department can answer no more, so somebody else must; `reason` is a code."""

    type: ClassVar[str] = PREFIX + "case.recall-part"
    inquiry_id: str
    part_id: str
    reason: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=64)
    why: str = Field(min_length=1, max_length=3_000)
    by: str = "operator"

    _no_nul = field_validator("part_id", "why")(no_nul)


class CaseReplay(Payload):
    """Take what was parked of this inquiry, in the order of the log, and let its later inputs go on."""

    type: ClassVar[str] = PREFIX + "case.replay"
    inquiry_id: str
    by: str = "operator"


# ── inbox ────────────────────────────────────────────────────────────────────


class Due(BaseModel):
    """When each clock of a part runs out."""

    model_config = ConfigDict(frozen=True)
    accept: Moment
    first_reply: Moment
    resolve: Moment


class PartOffered(Payload):
    """Everything a department needs to work on its part, self-contained."""

    type: ClassVar[str] = PREFIX + "part.offered"
    part_id: str
    inquiry_id: str
    role: Literal["lead", "co-handler"]
    lead: str
    co_handlers: tuple[str, ...]
    subject: str
    body: str
    area: str | None
    channel: str
    received_at: Moment
    contact: Contact | None = None
    due: Due
    why: str
    policy_id: str


class PartChanged(Payload):
    """The part is still this department's; who leads, or who else handles it, has changed."""

    type: ClassVar[str] = PREFIX + "part.changed"
    part_id: str
    inquiry_id: str
    role: Literal["lead", "co-handler"]
    lead: str
    co_handlers: tuple[str, ...]
    why: str


class PartWithdrawn(Payload):
    """The part is taken away; nothing is owed any more."""

    type: ClassVar[str] = PREFIX + "part.withdrawn"
    part_id: str
    inquiry_id: str
    why: str


class PartClosed(Payload):
    """The inquiry is answered: nothing more is owed for this round."""

    type: ClassVar[str] = PREFIX + "part.closed"
    part_id: str
    inquiry_id: str
    round: int


class MessageRefused(Payload):
    """A department's message that could not be taken: which, why, and what would be right."""

    type: ClassVar[str] = PREFIX + "message.refused"
    cause: str
    reason: str
    remedy: str


# ── residents' inbox ─────────────────────────────────────────────────────────


class Paragraph(BaseModel):
    """One part of a joint reply, the department's words unchanged."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    department: str
    name: str
    text: str


class Reply(BaseModel):
    """A joint reply: the whole text, and its paragraphs."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    text: str
    paragraphs: tuple[Paragraph, ...]


class Handler(BaseModel):
    """A department as the resident may see it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    code: str
    name: str
    role: str
    state: str
    due_at: Moment | None = None


class Picture(BaseModel):
    """The whole of a case that its resident may see, after one decision."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    state: str
    round: int
    subject: str
    language: Literal["zh", "en"]
    departments: tuple[Handler, ...]
    reply: Reply | None = None
    body: str | None = None


class ResidentTold(Payload):
    """Something a resident is told: what, in which words, and the picture that goes with it."""

    type: ClassVar[str] = PREFIX + "resident.told"
    inquiry_id: str
    what: str
    text: str
    contact: Contact | None = None
    public: bool = False
    case: Picture


DEPARTMENT_MESSAGES: Mapping[str, type[PartMessage]] = {
    model.type: model for model in (PartAccepted, PartContributed, PartReplied, PartReturned)
}
DOOR_MESSAGES: tuple[type[Payload], ...] = (
    InquiryReceived,
    InquiryRated,
    CaseAssign,
    CaseWithdrawPart,
    CaseRecallPart,
    CaseReplay,
)
INPUTS: Mapping[str, type[Payload]] = {model.type: model for model in (*DOOR_MESSAGES, *DEPARTMENT_MESSAGES.values())}
INBOX: Mapping[str, type[Payload]] = {
    model.type: model for model in (PartOffered, PartChanged, PartWithdrawn, PartClosed, MessageRefused)
}


def one_of(models: Mapping[str, type[Payload]]) -> Any:
    """The form of a topic that carries any of these."""
    return reduce(or_, models.values())


class CaseEvent(Payload):
    """A fact on `inquiries.events`, without residents' words or contacts; its fields depend on its type."""

    model_config = ConfigDict(frozen=True, extra="allow")
    inquiry_id: str


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


class Fact(NamedTuple):
    """Something that is true of a case from now on; facts are folded into its state in order."""

    type: str
    data: Mapping[str, Any]
