"""The time a department held a part that it returned: kept from its offer to its return, whatever its clocks say."""

from datetime import timedelta

from services.scorer.domain.clocks import clocks
from services.scorer.domain.holdings import holdings
from services.scorer.domain.scoreboard import rows
from shared.events.case_events import PartAcceptedEvent, PartContributedEvent, PartReturnedEvent
from tests.builders import MONDAY_NOON
from tests.domain.test_scores import DAY, LIGHTING, MARCH, NEXT_YEAR, ROADS, act, case, offered

HOUR = timedelta(hours=1)


def test_a_returned_part_is_held_from_its_offer_to_its_return() -> None:
    facts = case(
        offered(LIGHTING, "lighting"),
        act(PartAcceptedEvent, LIGHTING, MONDAY_NOON + HOUR),
        act(PartReturnedEvent, LIGHTING, MONDAY_NOON + 5 * HOUR),
        offered(ROADS, "roads", MONDAY_NOON + 6 * HOUR),
    )
    [held] = holdings(facts).values()
    assert (held.part_id, held.department, held.offered_at) == (LIGHTING, "lighting", MONDAY_NOON)
    assert held.held_ms == 5 * 3_600_000


def test_the_record_changes_no_verdict() -> None:
    facts = case(offered(LIGHTING, "lighting"), act(PartReturnedEvent, LIGHTING, MONDAY_NOON + 5 * HOUR))
    assert [one.verdict(NEXT_YEAR) for one in clocks(facts)] == ["kept", "void", "void"]
    row = rows([facts], MARCH, NEXT_YEAR)["lighting"]
    assert (row.accept.kept, row.first_reply.kept, row.first_reply.broken, row.returned) == (1, 0, 0, 1)
    assert row.returned_held_ms == 5 * 3_600_000


def test_each_return_has_its_own_record_in_any_order_of_arrival() -> None:
    facts = case(
        offered(LIGHTING, "lighting"),
        act(PartReturnedEvent, LIGHTING, MONDAY_NOON + 1 * HOUR),
        offered(ROADS, "roads", MONDAY_NOON + 2 * HOUR),
        act(PartReturnedEvent, ROADS, MONDAY_NOON + 2 * DAY),
    )
    held = holdings(reversed(facts))
    assert {part: one.held_ms // 3_600_000 for part, one in held.items()} == {LIGHTING: 1, ROADS: 46}


def test_a_part_that_stays_has_no_record() -> None:
    facts = case(offered(LIGHTING, "lighting"), act(PartContributedEvent, LIGHTING, MONDAY_NOON + HOUR))
    assert holdings(facts) == {}
    assert rows([facts], MARCH, NEXT_YEAR)["lighting"].returned_held_ms == 0
    assert holdings([]) == {}


def test_a_return_without_its_offer_has_no_record() -> None:
    assert holdings(case(act(PartReturnedEvent, LIGHTING, MONDAY_NOON))) == {}


def test_a_month_counts_the_returns_of_parts_that_it_offered() -> None:
    facts = case(offered(LIGHTING, "lighting"), act(PartReturnedEvent, LIGHTING, MONDAY_NOON + 30 * DAY))
    assert rows([facts], MARCH, NEXT_YEAR)["lighting"].returned_held_ms == 30 * 24 * 3_600_000
