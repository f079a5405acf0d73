"""Folds corrections and retractions of released replies into a case."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.fold.status import outdate, set_part
from services.router.domain.part import Author
from services.router.domain.reply import JointReply, ReplyParagraph, TextChange
from services.router.domain.words import FactWords, Text


def corrected_parts(case: Case) -> tuple[str, ...]:
    """The parts of the released reply that have a newer text, in its order."""
    released = case.released.paragraphs if case.released is not None and case.status == "answered" else ()
    return tuple(one.part_id for one in released if case.parts[one.part_id].text != one.text)


def _correction_sent(case: Case, fact: facts.CorrectionSent, words: FactWords) -> None:
    author = Author(None if fact.by_city else fact.department, words.user)
    outdate(case)
    set_part(case, case.parts[fact.part_id]._replace(text=words.text("text"), author=author))


def refuse_correction(case: Case, released: JointReply, part_id: str | None) -> None:
    """Take back one correction that waits, or all: the parts have their released text again."""
    for one in released.paragraphs:
        if part_id in (None, one.part_id):
            set_part(case, case.parts[one.part_id]._replace(text=one.text, author=one.author))
    outdate(case)
    if not corrected_parts(case):
        case.reply, case.outdated = released, False


def _corrected(case: Case, fact: facts.Corrected, words: FactWords) -> None:
    former = case.released
    assert former is not None
    changed = [one for one in former.paragraphs if one.part_id in fact.parts]
    case.changes += tuple(_change("corrected", case, one, one.text) for one in changed)
    case.retracted -= set(fact.parts)
    case.released, case.pending, case.hall = case.reply, None, case.hall.changed()


def _retracted(case: Case, fact: facts.Retracted, words: FactWords) -> None:
    reason = words.text("words")
    case.changes += tuple(
        _change("retracted", case, one, reason) for one in case.released_paragraphs if one.part_id in fact.parts
    )
    case.retracted |= set(fact.parts)
    case.hall = case.hall.changed()


def _change(what: Literal["corrected", "retracted"], case: Case, one: ReplyParagraph, text: Text) -> TextChange:
    author = case.parts[one.part_id].author
    by_city = what == "corrected" and author is not None and author.department is None
    return TextChange(what, case.recorded_at, case.round, one.part_id, one.department, one.name, text, by_city)


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.CorrectionSent: _correction_sent,
    facts.Corrected: _corrected,
    facts.Retracted: _retracted,
}
