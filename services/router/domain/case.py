"""What a case is: the state that its facts, and the words beside them, fold into."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from services.router.domain import facts
from services.router.domain.facts import Fact
from services.router.domain.words import NONE_SAID, FactWords, Stated, Text, named_words
from shared.contracts.fields import Contact

PartState = Literal["offered", "accepted", "contributed", "returned", "withdrawn"]
Status = Literal["unknown", "registered", "triage", "assigned", "in-progress", "answered"]
OPEN = ("offered", "accepted")
ACTIVE = (*OPEN, "contributed")
CONTACT = tuple(Contact.model_fields)


class Inquiry(NamedTuple):
    """The resident's message; its words are empty once they are erased."""

    subject: Text
    body: Text
    channel: str
    area: str | None
    contact: Contact | None
    departments: tuple[str, ...]
    public: bool
    confidential: bool
    language: facts.Language
    received_at: str

    @property
    def shown_in_hall(self) -> bool:
        """Whether its answer may be published."""
        return self.public and not self.confidential


class Part(NamedTuple):
    """One department's share; `text` is its contribution, `draft` what it has shown of it to the desk."""

    id: str
    department: str
    role: facts.Role
    due: facts.DueTexts
    state: PartState = "offered"
    text: Text | None = None
    draft: str | None = None

    @property
    def active(self) -> bool:
        """Whether the department has, or had and fulfilled, a duty here."""
        return self.state in ACTIVE


class ReplyParagraph(NamedTuple):
    """One part of a joint reply: `before` stands in the whole text between the paragraph before and this one."""

    part_id: str
    department: str
    name: str
    before: str
    text: Text


class JointReply(NamedTuple):
    """One version of the joint reply, as it was composed; names as they were then."""

    id: str
    version: int
    round: int
    text: Text
    paragraphs: tuple[ReplyParagraph, ...]


class Decided(NamedTuple):
    """An input that this case has decided: by which decision, which bytes it had, and where it lay on the log.

    An erased one has no `digest`.
    """

    n: int
    digest: str | None
    partition: int
    offset: int


@dataclass(slots=True)
class Case:
    """A case after its first `n` decisions; `sequence` counts its events, `head` is the SHA-256 of the last one's value.

    Nobody changes one that was given to him: `fold` changes a copy of its own, once for all facts of a decision.
    """

    inquiry_id: str
    n: int = 0
    sequence: int = 0
    head: str | None = None
    causes: Mapping[str, Decided] = field(default_factory=dict)
    inquiry: Inquiry | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    status: Status = "unknown"
    unsettled: tuple[str | None, ...] = ()
    """What somebody must settle while the case is in triage: ids of parts, None for the whole inquiry."""
    round: int = 1
    why: str = ""
    """Why its departments have it, in both languages."""
    reply: JointReply | None = None
    released: JointReply | None = None
    """The joint reply that was released last."""
    rated: frozenset[int] = frozenset()
    active_parts_known: tuple[Part, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def weight(self) -> int:
        """How many characters its words take in memory, roughly."""
        return 1_000 + 150 * len(self.causes) + sum(len(one.text) for one in self.texts)

    @property
    def texts(self) -> Iterator[Text]:
        """The texts that messages may refer to, the longest kinds first."""
        if self.reply is not None:
            yield self.reply.text
        if self.inquiry is not None:
            yield self.inquiry.body
        for part in self.parts.values():
            if part.text is not None:
                yield part.text
        if self.inquiry is not None:
            yield self.inquiry.subject

    @property
    def active_parts(self) -> tuple[Part, ...]:
        """The parts that count, lead first, then in the order of their numbers."""
        if self.active_parts_known is None:
            active = [part for part in self.parts.values() if part.active]
            self.active_parts_known = tuple(sorted(active, key=lambda part: part.role != "lead"))
        return self.active_parts_known

    @property
    def lead(self) -> str | None:
        """The department that leads now."""
        return next((part.department for part in self.active_parts if part.role == "lead"), None)

    @property
    def co_handlers(self) -> tuple[str, ...]:
        """The departments that handle it with the lead now."""
        return tuple(part.department for part in self.active_parts if part.role != "lead")

    @property
    def state(self) -> str:
        """The status as everybody outside knows it."""
        return "registered" if self.status == "unknown" else self.status

    @property
    def complete(self) -> bool:
        """Whether every duty is fulfilled, so that the parts can be joined."""
        parts = self.active_parts
        return bool(parts) and not self.unsettled and all(part.state == "contributed" for part in parts)


def _put(case: Case, part: Part) -> None:
    case.parts = {**case.parts, part.id: part}
    case.active_parts_known = None
    _handle(case)


def _handle(case: Case) -> None:
    """The status of a case that departments handle, by how far they are; one in triage or answered stays so."""
    if case.unsettled:
        case.status = "triage"
    elif case.status != "answered":
        states = {part.state for part in case.active_parts}
        case.status = "registered" if not states else "assigned" if states == {"offered"} else "in-progress"


def _registered(case: Case, fact: facts.Registered, words: FactWords) -> None:
    contact = {name: value for name in CONTACT if (value := words.get(f"contact/{name}")) is not None}
    named = words.get("departments")
    case.status = "registered"
    case.inquiry = Inquiry(
        subject=words.text("subject"),
        body=words.text("body"),
        channel=words.get("channel") or fact.channel,
        area=words.get("area"),
        contact=Contact(**contact) if contact else None,
        departments=tuple(named.split()) if named else fact.named,
        public=fact.public,
        confidential=fact.confidential,
        language=fact.language,
        received_at=fact.received_at,
    )


def _triaged(case: Case, fact: facts.Triaged, words: FactWords) -> None:
    """The whole inquiry, or one part of it, must be settled."""
    case.unsettled = (*(one for one in case.unsettled if one not in (None, fact.part_id)), fact.part_id)
    case.status = "triage"


def _assigned(case: Case, fact: facts.Assigned, words: FactWords) -> None:
    case.unsettled = ()
    case.why = words.get("why") or ""
    _handle(case)


def _offered(case: Case, fact: facts.Offered, words: FactWords) -> None:
    _put(case, Part(fact.part_id, fact.department, fact.role, fact.due))


def _changed(case: Case, fact: facts.Changed, words: FactWords) -> None:
    _put(case, case.parts[fact.part_id]._replace(role=fact.role))


def _accepted(case: Case, fact: facts.Accepted, words: FactWords) -> None:
    _put(case, case.parts[fact.part_id]._replace(state="accepted"))


def _contributed(case: Case, fact: facts.Contributed, words: FactWords) -> None:
    _put(case, case.parts[fact.part_id]._replace(state="contributed", text=words.text("text"), draft=None))


def _returned(case: Case, fact: facts.Returned, words: FactWords) -> None:
    case.unsettled = (*case.unsettled, fact.part_id)
    _put(case, case.parts[fact.part_id]._replace(state="returned"))


def _withdrawn(case: Case, fact: facts.Withdrawn, words: FactWords) -> None:
    case.unsettled = tuple(one for one in case.unsettled if one != fact.part_id)
    _put(case, case.parts[fact.part_id]._replace(state="withdrawn"))


def _composed(case: Case, fact: facts.Composed, words: FactWords) -> None:
    paragraphs = tuple(
        ReplyParagraph(
            one["part_id"],
            one["department"],
            words.get(f"paragraphs/{at}/name") or "",
            words.get(f"paragraphs/{at}/before") or "",
            case.parts[one["part_id"]].text or Text("", ""),
        )
        for at, one in enumerate(fact.paragraphs)
    )
    text = "".join([one.before + one.text.text for one in paragraphs])
    case.reply = JointReply(fact.reply_id, fact.version, fact.round, Text(words.text("text").place, text), paragraphs)


def _answered(case: Case, fact: facts.Answered, words: FactWords) -> None:
    case.status, case.released = "answered", case.reply


def _rated(case: Case, fact: facts.Rated, words: FactWords) -> None:
    case.rated = case.rated | {fact.round}


def _unchanged(case: Case, fact: Fact, words: FactWords) -> None:
    pass


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.Registered: _registered,
    facts.Triaged: _triaged,
    facts.Assigned: _assigned,
    facts.Replied: _unchanged,
    facts.Composed: _composed,
    facts.Answered: _answered,
    facts.Rated: _rated,
    facts.Offered: _offered,
    facts.Changed: _changed,
    facts.Accepted: _accepted,
    facts.Contributed: _contributed,
    facts.Returned: _returned,
    facts.Withdrawn: _withdrawn,
    facts.Released: _unchanged,
    facts.UnknownFact: _unchanged,
}


_fields = attrgetter(*(one.name for one in fields(Case) if one.init))


def copied(case: Case) -> Case:
    """A copy that `add` may change."""
    return Case(*_fields(case))


def add(case: Case, fact: Fact, words: FactWords) -> None:
    """Fold one more fact into this very case; one of a later version that this one does not know changes nothing."""
    FOLD[type(fact)](case, fact, words)


def fold(case: Case, *more: Stated) -> Case:
    """The case as it would be with more facts, before anybody has decided on them."""
    then = copied(case)
    for one in more:
        add(then, one.fact, NONE_SAID._replace(words=named_words(0, one.texts, one.private)))
    return then


def add_draft(case: Case, part_id: str, draft: str) -> None:
    """Fold in a draft, which is words without a fact."""
    case.parts = {**case.parts, part_id: case.parts[part_id]._replace(draft=draft)}
    case.active_parts_known = None


def note(case: Case, cause: str, decided: Decided) -> None:
    """Fold in the decision itself."""
    case.n, case.causes = decided.n, {**case.causes, cause: decided}
