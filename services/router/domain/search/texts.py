"""The texts of a case that staff can search, and which departments may find each of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from services.router.domain.case import Case
from services.router.domain.decision import Decision, after
from services.router.domain.outputs.case_events import event_type
from services.router.domain.part import ACTIVE
from services.router.domain.words import FactWords

TOLD_TO_THE_RESIDENT = {
    "chorus.inquiry.replied": "text",
    "chorus.inquiry.added": "text",
    "chorus.part.asked": "text",
    "chorus.inquiry.rated": "words",
    "chorus.inquiry.closed": "why",
}
"""The texts of facts that the resident wrote or reads at once, so that each department of the case may find them."""


class SearchableTexts(NamedTuple):
    """`shared` is for every department that has a part. `own` is for one department each, and for staff without one.

    `pending` is a joint reply before its release, which its lead and approvers see. Names and contacts are not searched.
    Drafts are not either: they make no event, so the index would not know when they change.
    """

    case: Case
    shared: tuple[str, ...]
    own: Mapping[str, tuple[str, ...]]
    pending: str | None

    @property
    def departments(self) -> list[str]:
        """The departments that have the case, or had it in an earlier round, in alphabetical order."""
        return sorted({part.department for part in self.case.parts.values() if part.state in ACTIVE})

    @property
    def all(self) -> Iterator[str]:
        yield from self.shared
        for some in self.own.values():
            yield from some
        if self.pending:
            yield self.pending


def searchable(inquiry_id: str, decisions: Iterable[Decision]) -> SearchableTexts:
    """The texts of a case from its decisions, given in any order; erased texts are left out."""
    case, told, released = Case(inquiry_id), list[str](), list[str]()
    for decision in sorted(decisions, key=lambda one: one.n):
        case = after(case, decision)
        told += _told(decision)
        replies = (case.released, *(one.reply for one in case.addenda))
        released += [one.text.text for one in replies if one is not None and one.text.text not in released]
    inquiry, reply = case.inquiry, case.reply
    message = (inquiry.subject.text, inquiry.body.text) if inquiry is not None else ()
    shared = tuple(one for one in (*message, *told, *released) if one)
    pending = reply.text.text if reply is not None and not case.is_released(reply) else None
    return SearchableTexts(case, shared, _contributions(case), pending or None)


def _told(decision: Decision) -> Iterator[str]:
    for index, fact in enumerate(decision.facts):
        field = TOLD_TO_THE_RESIDENT.get(event_type(fact))
        if field is not None and (text := FactWords(decision.words, decision.n, index).get(field)):
            yield text


def _contributions(case: Case) -> dict[str, tuple[str, ...]]:
    """The contributions that are not released, by department; those of a piece also for the department above."""
    released = {one.text.text for one in case.released_paragraphs}
    found: dict[str, tuple[str, ...]] = {}
    for part in case.parts.values():
        if part.text is not None and part.text.text and part.text.text not in released:
            above = case.parts.get(part.parent or "")
            for department in {part.department: None, **({above.department: None} if above is not None else {})}:
                found[department] = (*found.get(department, ()), part.text.text)
    return found
