"""Folds the facts of joint replies into a case."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.fold.corrections import refuse_correction
from services.router.domain.fold.status import outdate, release_addendum, set_part, set_status
from services.router.domain.part import Author
from services.router.domain.reply import NO_FRAME, JointReply, PendingRelease, ReplyFrame, ReplyParagraph
from services.router.domain.words import FactWords, Text

BETWEEN = "\n\n"


def _composed(case: Case, fact: facts.Composed, words: FactWords) -> None:
    paragraphs = tuple(
        ReplyParagraph(
            one["part_id"],
            one["department"],
            words.get(f"paragraphs/{at}/name") or "",
            words.get(f"paragraphs/{at}/before") or "",
            case.parts[one["part_id"]].text or Text("", ""),
            case.parts[one["part_id"]].author,
        )
        for at, one in enumerate(fact.paragraphs)
    )
    frame = frame_of_next(case, fact.addendum)
    text = framed(frame, "".join([one.before + one.text.text for one in paragraphs]))
    place = words.text("text").place
    reply = JointReply(fact.reply_id, fact.version, fact.round, Text(place, text), paragraphs, frame, fact.addendum)
    case.reply, case.outdated = reply, False
    if fact.addendum:
        case.composed_addendum = fact.version
    else:
        case.composed = fact.version


def frame_of_next(case: Case, addendum: int) -> ReplyFrame:
    """What the next version has around its paragraphs: a correction keeps the frame of the released reply."""
    if case.is_answered and not addendum and case.released is not None:
        return case.released.frame
    return case.frame


def framed(frame: ReplyFrame, paragraphs: str) -> str:
    """The text of a joint reply: its opening, its paragraphs and its closing, with an empty line between them."""
    if frame.opening is None and frame.closing is None:
        return paragraphs
    opening, closing = (one and one.text for one in (frame.opening, frame.closing))
    return BETWEEN.join(one for one in (opening, paragraphs, closing) if one)


def _awaiting_release(case: Case, fact: facts.AwaitingRelease, words: FactWords) -> None:
    case.pending, case.closed = PendingRelease(fact.approvers), None
    set_status(case)


def _edited(case: Case, fact: facts.ReplyEdited, words: FactWords) -> None:
    texts = {
        name: words.text(name) if getattr(fact, name) is not None else getattr(case.frame, name)
        for name in facts.FRAME_PARTS
        if name not in fact.removed
    }
    author = Author(fact.department, words.user)
    order = fact.order or case.frame.order
    case.frame = ReplyFrame(texts.get("opening"), texts.get("closing"), order, case.frame.authors | {author})
    outdate(case)
    set_status(case)


def _approved(case: Case, fact: facts.Approved, words: FactWords) -> None:
    if case.pending is not None and words.user is not None:
        case.pending = case.pending._replace(approved_by=(*case.pending.approved_by, words.user))


def _release_refused(case: Case, fact: facts.ReleaseRefused, words: FactWords) -> None:
    if case.status == "answered" and case.released is not None:
        refuse_correction(case, case.released, fact.part_id)
        return
    refused = {one.part_id for one in case.reply.paragraphs} if case.reply else set()
    if fact.part_id is not None:
        refused = {fact.part_id}
    outdate(case)
    for id_ in sorted(refused):
        part = case.parts[id_]
        set_part(case, part._replace(state="accepted", text=None, draft=part.text.text if part.text else None))


def _reply_released(case: Case, fact: facts.ReplyReleased, words: FactWords) -> None:
    if case.reply is not None and case.reply.addendum:
        release_addendum(case)
    elif case.status != "answered":
        case.released = case.reply
    elif case.pending is not None:
        # `reply.corrected` keeps the former text before it replaces it.
        case.pending = case.pending._replace(released=True)


def _answered(case: Case, fact: facts.Answered, words: FactWords) -> None:
    case.released, case.released_at, case.pending, case.closed = case.reply, case.recorded_at, None, None
    case.retracted -= set(fact.parts)
    case.hall = case.hall.released_with(fact.publication == "automatic")
    case.frame = NO_FRAME
    set_status(case)


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.Composed: _composed,
    facts.AwaitingRelease: _awaiting_release,
    facts.ReplyEdited: _edited,
    facts.Approved: _approved,
    facts.ReleaseRefused: _release_refused,
    facts.ReplyReleased: _reply_released,
    facts.Answered: _answered,
}
