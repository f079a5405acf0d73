"""An inquiry ends without an answer: the desk refuses it, the resident withdraws it, or its words are erased.

The desk also links an inquiry to an earlier one about the same matter.
"""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import OPEN
from services.router.domain.rules.preconditions import ANSWERED_BEFORE, NOT_REFUSABLE, Facts, Refused, by, payload_of
from services.router.domain.words import NO_WORDS, NewFact, Words
from shared.contracts.case_commands import CaseLink, CaseRefuse
from shared.contracts.resident_inputs import InquiryWithdrawn
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import gettext_noop, translations

BY_RESIDENT = gettext_noop("the resident has withdrawn the message")


def refuse(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Refuse the inquiry, and withdraw its open parts with the same words."""
    command = payload_of(given, CaseRefuse)
    if case.is_answered:
        raise NOT_REFUSABLE.of(case, given)
    texts = {"words": command.words}
    if command.instead is not None:
        texts["instead"] = command.instead
    refused = NewFact(facts.CaseRefused(command.reason), texts=texts, private=by(given))
    return [*open_parts_withdrawn(case, {"why": command.words}), refused]


def withdraw(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Withdraw the inquiry, and its open parts with the resident's reason."""
    withdrawal = payload_of(given, InquiryWithdrawn)
    if case.is_answered:
        raise ANSWERED_BEFORE.of(case, given)
    told = " / ".join(translations(language).gettext(BY_RESIDENT) for language in LANGUAGES)
    if withdrawal.why is not None:
        told = f"{told}: {withdrawal.why}"
    texts = {} if withdrawal.why is None else {"why": withdrawal.why}
    return [*open_parts_withdrawn(case, {"why": told}), NewFact(facts.CaseWithdrawn(), texts=texts)]


def erase(case: Case, given: Input, directory: CityIndex) -> Facts:
    """End the case for ever, in every state, also before its message is decided. No reason and no name is kept."""
    return [*open_parts_withdrawn(case), NewFact(facts.CaseErased(case.n + 1))]


def open_parts_withdrawn(case: Case, texts: Words = NO_WORDS) -> Facts:
    """`part.withdrawn` for each open part; the clocks of the part end with it."""
    return [
        NewFact(facts.Withdrawn(part.id, part.department), texts=texts)
        for part in case.parts.values()
        if part.state in OPEN
    ]


def link(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record that the inquiry is about the same matter as another one."""
    command = payload_of(given, CaseLink)
    if command.linked_to == case.inquiry_id:
        raise Refused(
            "linked-to-itself",
            f"The inquiry {case.inquiry_id!r} cannot be linked to itself.",
            "Name the other inquiry in `linked_to`.",
        )
    if command.linked_to in case.links:
        raise Refused(
            "linked-before",
            f"The inquiry {case.inquiry_id!r} is linked to {command.linked_to!r} already.",
            "No action is needed.",
        )
    return [NewFact(facts.CaseLinked(command.linked_to), private=by(given))]
