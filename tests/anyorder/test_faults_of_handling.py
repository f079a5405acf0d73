"""For each thing that a department, the desk or a resident may do with a case: a fault in it that the histories find."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from services.router.domain import facts, fold
from services.router.domain.case import Case, Inquiry
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact
from services.router.domain.fold import privacy as folded_privacy
from services.router.domain.outputs import resident
from services.router.domain.rules import corrections, privacy, questions, reassignment, returns
from services.router.domain.words import FactWords
from shared.clocks.calendar import WorkingCalendar
from shared.clocks.pauses import due_after
from shared.contracts.case_commands import (
    CaseApprove,
    CaseClose,
    CaseErase,
    CaseHide,
    CaseLink,
    CasePublish,
    CaseReassign,
    CaseRefuse,
    CaseRetract,
)
from shared.contracts.department_outbox import PartContributed, PartCorrected, PartDelegated, PartReturned, ReplyGoAhead
from shared.contracts.envelope import Payload
from shared.contracts.extensions import CaseExtend, PartExtensionAsked
from shared.contracts.questions import CaseAsk, InquiryAdded, PartAsked
from shared.contracts.resident_inputs import InquiryWithdrawn
from tests.anyorder.cities import STRICT_WITH_ONE, STRICT_WITHOUT, WITH_ONE_APPROVER, WITHOUT_APPROVERS
from tests.anyorder.test_any_order import search

HOUR_MS = 3_600_000
Plant = Callable[[pytest.MonkeyPatch], None]


def is_not_folded(kind: type[Fact], patch: pytest.MonkeyPatch) -> None:
    """The fact is recorded and changes nothing."""

    def unchanged(case: Case, fact: Fact, words: FactWords) -> None: ...

    patch.setitem(cast(Any, fold.FOLD), kind, unchanged)


def questions_do_not_pause(patch: pytest.MonkeyPatch) -> None:
    is_not_folded(facts.Paused, patch)


def an_answer_takes_an_hour(patch: pytest.MonkeyPatch) -> None:
    def too_early(calendar: WorkingCalendar, at: int, left: int) -> int:
        return due_after(calendar, at, max(0, left - HOUR_MS))

    patch.setattr(questions, "due_after", too_early)


def extensions_do_not_count(patch: pytest.MonkeyPatch) -> None:
    is_not_folded(facts.Extended, patch)


def closed_cases_go_on(patch: pytest.MonkeyPatch) -> None:
    is_not_folded(facts.Closed, patch)


def hidden_entries_stay(patch: pytest.MonkeyPatch) -> None:
    is_not_folded(facts.HallHidden, patch)


def private_inquiries_are_published(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Inquiry, "shown_in_hall", property(lambda inquiry: True))


def ended_cases_keep_open_parts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(privacy, "open_parts_withdrawn", lambda case, texts=None: [])


def erased_parts_keep_their_texts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(folded_privacy, "_part_without_words", lambda part: part)


def links_are_lost(patch: pytest.MonkeyPatch) -> None:
    is_not_folded(facts.CaseLinked, patch)


def late_contributions_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Case, "waits_for_addendum", property(lambda case: False))


def pieces_outlive_their_part(patch: pytest.MonkeyPatch) -> None:
    for module in (returns, reassignment):
        patch.setattr(module, "withdrawn_pieces", lambda case, part_id, why=None: [])


def corrections_need_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(corrections, "approvers_needed", lambda case, directory: 0)


def residents_read_of_no_retraction(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(cast(Any, resident.WHAT), facts.Retracted)


PLAIN, STRICT, ONE = (WITHOUT_APPROVERS,), (STRICT_WITHOUT, STRICT_WITH_ONE), (WITH_ONE_APPROVER,)
FAULTS: dict[Plant, tuple[tuple[CityIndex, ...], tuple[type[Payload], ...]]] = {
    questions_do_not_pause: (PLAIN, (PartAsked, CaseAsk)),
    an_answer_takes_an_hour: (PLAIN, (PartAsked, InquiryAdded)),
    extensions_do_not_count: (PLAIN, (PartExtensionAsked, CaseExtend)),
    closed_cases_go_on: (PLAIN, (PartAsked, CaseClose)),
    hidden_entries_stay: (PLAIN, (CasePublish, CaseHide)),
    private_inquiries_are_published: (PLAIN, (CasePublish,)),
    ended_cases_keep_open_parts: (PLAIN, (CaseRefuse, InquiryWithdrawn)),
    erased_parts_keep_their_texts: (PLAIN, (CaseErase,)),
    links_are_lost: (PLAIN, (CaseLink,)),
    late_contributions_are_forgotten: (STRICT, (ReplyGoAhead, PartContributed)),
    pieces_outlive_their_part: (PLAIN, (PartDelegated, CaseReassign, PartReturned)),
    corrections_need_nobody: (ONE, (CaseApprove, CaseApprove, PartCorrected)),
    residents_read_of_no_retraction: (PLAIN, (CaseRetract,)),
}
"""Each fault with the cities in which it shows, and the inputs that come often."""


@pytest.mark.parametrize("plant", FAULTS)
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    cities, often = FAULTS[plant]
    with pytest.raises(AssertionError):
        search(cities, tuple(one.type for one in often))
