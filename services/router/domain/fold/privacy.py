"""Folds the end of a case without an answer, its erasure, and its links."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case, Inquiry, Status
from services.router.domain.facts import Fact
from services.router.domain.part import Part
from services.router.domain.words import FactWords

WITHOUT_WORDS = frozenset(
    (
        "inquiry_id",
        "n",
        "sequence",
        "head",
        "causes",
        "inquiry",
        "parts",
        "status",
        "round",
        "policy_id",
        "rule",
        "rated",
        "recorded_at",
        "stopped",
        "announced",
        "links",
    )
)
"""The fields of a case that an erasure keeps. Every other one may hold words, such as those that a later version adds."""


def _refused(case: Case, fact: facts.CaseRefused, words: FactWords) -> None:
    _end(case, "refused")


def _withdrawn(case: Case, fact: facts.CaseWithdrawn, words: FactWords) -> None:
    _end(case, "withdrawn")


def _erased(case: Case, fact: facts.CaseErased, words: FactWords) -> None:
    """Drop every text, contact and digest at once: no later message can contain one, whatever the store still has."""
    _end(case, "erased")
    nothing = Case(case.inquiry_id)
    for field in fields(Case):
        if field.name not in WITHOUT_WORDS:
            setattr(case, field.name, getattr(nothing, field.name))
    case.inquiry = _inquiry_without_words(case.inquiry) if case.inquiry is not None else None
    case.parts = {id_: _part_without_words(part) for id_, part in case.parts.items()}
    case.causes = {id_: one._replace(digest=None) for id_, one in case.causes.items()}


def _linked(case: Case, fact: facts.CaseLinked, words: FactWords) -> None:
    case.links = (*case.links, fact.linked_to)


def _end(case: Case, status: Status) -> None:
    case.status, case.unsettled, case.arbitration, case.pending = status, (), None, None


def _inquiry_without_words(inquiry: Inquiry) -> Inquiry:
    return Inquiry(
        subject=inquiry.subject._replace(text=""),
        body=inquiry.body._replace(text=""),
        channel=inquiry.channel if inquiry.channel in facts.CHANNELS else "other",
        area=None,
        contact=None,
        departments=(),
        public=inquiry.public,
        confidential=inquiry.confidential,
        language=inquiry.language,
        received_at=inquiry.received_at,
    )


def _part_without_words(part: Part) -> Part:
    return Part(
        part.id,
        part.department,
        part.role,
        part.due,
        part.state,
        policy_id=part.policy_id,
        return_until=part.return_until,
        binding=part.binding,
        omitted=part.omitted,
        parent=part.parent,
    )


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.CaseRefused: _refused,
    facts.CaseWithdrawn: _withdrawn,
    facts.CaseErased: _erased,
    facts.CaseLinked: _linked,
}
