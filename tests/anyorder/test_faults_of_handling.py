"""For each thing that a department, the desk or a resident may do with a case: a fault in it that the histories find."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import Phase

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
from tests.anyorder.cities import STRICT_WITH_ONE, STRICT_WITHOUT, WITH_ONE_APPROVER, WITHOUT_APPROVERS
from tests.anyorder.test_any_order import run

ATTEMPTS = 4
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


PLAIN, STRICT = (WITHOUT_APPROVERS,), (STRICT_WITHOUT, STRICT_WITH_ONE)
FAULTS: dict[Plant, tuple[CityIndex, ...]] = {
    questions_do_not_pause: PLAIN,
    an_answer_takes_an_hour: PLAIN,
    extensions_do_not_count: PLAIN,
    closed_cases_go_on: PLAIN,
    hidden_entries_stay: PLAIN,
    private_inquiries_are_published: PLAIN,
    ended_cases_keep_open_parts: PLAIN,
    erased_parts_keep_their_texts: PLAIN,
    links_are_lost: PLAIN,
    late_contributions_are_forgotten: STRICT,
    pieces_outlive_their_part: PLAIN,
    corrections_need_nobody: (WITH_ONE_APPROVER,),
    residents_read_of_no_retraction: PLAIN,
}


@pytest.mark.parametrize("plant", FAULTS)
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        run_all(FAULTS[plant])


def run_all(cities: tuple[CityIndex, ...]) -> None:
    """Histories in these cities, at most ATTEMPTS times as many as a test plays."""
    more: dict[str, Any] = {"phases": [Phase.generate], "report_multiple_bugs": False, "print_blob": False}
    for _ in range(ATTEMPTS):
        for city in cities:
            run(city, same_ones=False, **more)
