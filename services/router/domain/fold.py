"""Folds facts, and the texts beside them, into a case: one function for each class of fact."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.router.domain import facts
from services.router.domain.case import (
    Author,
    Case,
    DecidedInput,
    Inquiry,
    JointReply,
    Part,
    PartReturn,
    PendingRelease,
    ReplyFrame,
    ReplyParagraph,
)
from services.router.domain.facts import Fact
from services.router.domain.words import NO_FACT_WORDS, FactWords, NewFact, Text, words_by_place
from shared.contracts.fields import Contact

CONTACT_FIELDS = tuple(Contact.model_fields)
BETWEEN = "\n\n"


def _set_part(case: Case, part: Part) -> None:
    case.parts = {**case.parts, part.id: part}
    case.active_parts_cache = None
    _set_status(case)


def _set_status(case: Case) -> None:
    """Derive the status from the states of the parts, unless triage, a release or the answer decides it."""
    if case.unsettled:
        case.status = "triage"
    elif case.pending is not None:
        case.status = "awaiting-release"
    elif case.status != "answered":
        states = {part.state for part in case.active_parts}
        case.status = "registered" if not states else "assigned" if states == {"offered"} else "in-progress"


def _registered(case: Case, fact: facts.Registered, words: FactWords) -> None:
    contact = {name: value for name in CONTACT_FIELDS if (value := words.get(f"contact/{name}")) is not None}
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
    case.unsettled = (*(one for one in case.unsettled if one not in (None, fact.part_id)), fact.part_id)
    case.status = "triage"


def _assigned(case: Case, fact: facts.Assigned, words: FactWords) -> None:
    case.unsettled = ()
    case.why = words.get("why") or ""
    case.policy_id, case.rule = fact.policy_id, fact.rule or case.rule
    _set_status(case)


def _offered(case: Case, fact: facts.Offered, words: FactWords) -> None:
    _set_part(
        case, Part(fact.part_id, fact.department, fact.role, fact.due, policy_id=fact.policy_id or case.policy_id)
    )


def _changed(case: Case, fact: facts.Changed, words: FactWords) -> None:
    _set_part(case, case.parts[fact.part_id]._replace(role=fact.role))


def _accepted(case: Case, fact: facts.Accepted, words: FactWords) -> None:
    _set_part(case, case.parts[fact.part_id]._replace(state="accepted"))


def _contributed(case: Case, fact: facts.Contributed, words: FactWords) -> None:
    author = Author(fact.department, words.user)
    _outdate(case)
    _set_part(
        case, case.parts[fact.part_id]._replace(state="contributed", text=words.text("text"), draft=None, author=author)
    )


def _outdate(case: Case) -> None:
    """A text of the joint reply changes: its approvals no longer count."""
    case.pending, case.outdated = None, True


def _returned(case: Case, fact: facts.Returned, words: FactWords) -> None:
    case.unsettled = (*case.unsettled, fact.part_id)
    back = PartReturn(words.get("reason") or fact.reason, words.text("words"))
    _set_part(case, case.parts[fact.part_id]._replace(state="returned", returned=back))


def _withdrawn(case: Case, fact: facts.Withdrawn, words: FactWords) -> None:
    case.unsettled = tuple(one for one in case.unsettled if one != fact.part_id)
    _set_part(case, case.parts[fact.part_id]._replace(state="withdrawn"))


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
    text = framed(case.frame, "".join([one.before + one.text.text for one in paragraphs]))
    place = words.text("text").place
    case.reply = JointReply(fact.reply_id, fact.version, fact.round, Text(place, text), paragraphs, case.frame)
    case.outdated = False


def framed(frame: ReplyFrame, paragraphs: str) -> str:
    """The text of a joint reply: its opening, its paragraphs and its closing, with an empty line between them."""
    if frame.opening is None and frame.closing is None:
        return paragraphs
    opening, closing = (one and one.text for one in (frame.opening, frame.closing))
    return BETWEEN.join(one for one in (opening, paragraphs, closing) if one)


def _awaiting_release(case: Case, fact: facts.AwaitingRelease, words: FactWords) -> None:
    case.pending = PendingRelease(fact.approvers)
    _set_status(case)


def _edited(case: Case, fact: facts.ReplyEdited, words: FactWords) -> None:
    texts = {
        name: words.text(name) if getattr(fact, name) is not None else getattr(case.frame, name)
        for name in facts.FRAME_PARTS
        if name not in fact.removed
    }
    author = Author(fact.department, words.user)
    order = fact.order or case.frame.order
    case.frame = ReplyFrame(texts.get("opening"), texts.get("closing"), order, case.frame.authors | {author})
    _outdate(case)
    _set_status(case)


def _approved(case: Case, fact: facts.Approved, words: FactWords) -> None:
    if case.pending is not None and words.user is not None:
        case.pending = case.pending._replace(approved_by=(*case.pending.approved_by, words.user))


def _release_refused(case: Case, fact: facts.ReleaseRefused, words: FactWords) -> None:
    refused = {one.part_id for one in case.reply.paragraphs} if case.reply else set()
    if fact.part_id is not None:
        refused = {fact.part_id}
    _outdate(case)
    for id_ in sorted(refused):
        part = case.parts[id_]
        _set_part(case, part._replace(state="accepted", text=None, draft=part.text.text if part.text else None))


def _reply_released(case: Case, fact: facts.ReplyReleased, words: FactWords) -> None:
    case.released = case.reply


def _answered(case: Case, fact: facts.Answered, words: FactWords) -> None:
    case.status, case.released, case.pending = "answered", case.reply, None


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
    facts.LinkRequested: _unchanged,
    facts.Offered: _offered,
    facts.Changed: _changed,
    facts.Accepted: _accepted,
    facts.Contributed: _contributed,
    facts.Returned: _returned,
    facts.Withdrawn: _withdrawn,
    facts.Released: _unchanged,
    facts.AwaitingRelease: _awaiting_release,
    facts.ReplyEdited: _edited,
    facts.Approved: _approved,
    facts.ReleaseRefused: _release_refused,
    facts.ReplyReleased: _reply_released,
    facts.UnknownFact: _unchanged,
}


_fields = attrgetter(*(one.name for one in fields(Case) if one.init))


def copy_of(case: Case) -> Case:
    """A shallow copy, which the functions below may change. They replace mappings and never change one in place."""
    return Case(*_fields(case))


def fold_fact(case: Case, fact: Fact, words: FactWords) -> None:
    """Change the case by one fact. An unknown fact, written by a later version, changes nothing."""
    FOLD[type(fact)](case, fact, words)


def fold_draft(case: Case, part_id: str, draft: str) -> None:
    """Change the case by a draft, which is a text without a fact."""
    case.parts = {**case.parts, part_id: case.parts[part_id]._replace(draft=draft)}
    case.active_parts_cache = None


def fold_cause(case: Case, cause: str, decided: DecidedInput) -> None:
    """Change the case by the id of the input of its n-th decision."""
    case.n, case.causes = decided.n, {**case.causes, cause: decided}


def fold(case: Case, *more: NewFact) -> Case:
    """A copy of the case with these facts, for a rule that must know the state after them."""
    after = copy_of(case)
    for one in more:
        fold_fact(after, one.fact, NO_FACT_WORDS._replace(words=words_by_place(0, one.texts, one.private)))
    return after
