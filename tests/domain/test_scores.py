"""Scores: clocks, periods, shares, and a scoreboard computed by hand."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from services.scorer.domain.clocks import CaseFact, clocks, newly_judged
from services.scorer.domain.periods import Period, period
from services.scorer.domain.scoreboard import DepartmentCounts, rows, share
from services.scorer.responses import DepartmentScores
from shared.city import Name
from shared.events.case_events import (
    DueTimes,
    EventBody,
    InquiryAnsweredEvent,
    InquiryRatedEvent,
    InquiryRepliedEvent,
    PartAcceptedEvent,
    PartContributedEvent,
    PartEvent,
    PartOfferedEvent,
    PartReturnedEvent,
    PartWithdrawnEvent,
)
from shared.runtime import timestamps
from tests.builders import INQUIRY, MONDAY_NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")
MS = timedelta(milliseconds=1)
DAY = timedelta(days=1)
MARCH = period("2026-03", SHANGHAI)
NEXT_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
LIGHTING, ROADS = f"{INQUIRY}-p1", f"{INQUIRY}-p2"


Told = tuple[datetime, EventBody]


def case(*told: Told) -> list[CaseFact]:
    """The numbered events of an inquiry."""
    return [CaseFact(number, at, body) for number, (at, body) in enumerate(told, 1)]


def offered(part: str, department: str, at: datetime = MONDAY_NOON) -> Told:
    due = DueTimes(accept=at + 1 * DAY, first_reply=at + 3 * DAY, resolve=at + 15 * DAY)
    return at, PartOfferedEvent(part, department, "lead", due)


def act(kind: type[PartEvent], part: str, at: datetime) -> Told:
    return at, cast(EventBody, kind(part, "lighting"))


def answer(at: datetime, *parts: str) -> Told:
    return at, InquiryAnsweredEvent(1, parts)


def rating(at: datetime, satisfied: str, solved: bool) -> Told:
    return at, InquiryRatedEvent(1, solved, satisfied)


def verdicts(facts: list[CaseFact], as_of: datetime = NEXT_YEAR) -> dict[str, str]:
    return {one.clock: one.verdict(as_of) for one in clocks(facts)}


# ── clocks ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("late", "verdict"), [(timedelta(), "kept"), (MS, "broken")], ids=["in time", "late"])
@pytest.mark.parametrize(
    ("clock_name", "kind", "days"),
    [("accept", PartAcceptedEvent, 1), ("first_reply", InquiryRepliedEvent, 3), ("resolve", PartContributedEvent, 15)],
)
def test_a_clock_is_kept_until_its_due_time_inclusive(
    clock_name: str, kind: type[PartEvent], days: int, late: timedelta, verdict: str
) -> None:
    facts = case(offered(LIGHTING, "lighting"), act(kind, LIGHTING, MONDAY_NOON + days * DAY + late))
    assert verdicts(facts)[clock_name] == verdict


def test_an_open_clock_is_broken_once_overdue() -> None:
    facts = case(offered(LIGHTING, "lighting"))
    assert verdicts(facts, MONDAY_NOON + DAY) == {"accept": "open", "first_reply": "open", "resolve": "open"}
    assert verdicts(facts, MONDAY_NOON + DAY + MS)["accept"] == "broken"
    assert verdicts(facts, MONDAY_NOON + 15 * DAY + MS) == dict.fromkeys(("accept", "first_reply", "resolve"), "broken")


def test_returning_in_time_keeps_the_accept_clock_and_voids_the_others() -> None:
    facts = case(offered(LIGHTING, "lighting"), act(PartReturnedEvent, LIGHTING, MONDAY_NOON + DAY))
    assert verdicts(facts) == {"accept": "kept", "first_reply": "void", "resolve": "void"}


def test_returning_late_leaves_overdue_clocks_broken() -> None:
    facts = case(offered(LIGHTING, "lighting"), act(PartReturnedEvent, LIGHTING, MONDAY_NOON + 4 * DAY))
    assert verdicts(facts) == {"accept": "broken", "first_reply": "broken", "resolve": "void"}


def test_withdrawing_voids_every_clock() -> None:
    facts = case(offered(LIGHTING, "lighting"), act(PartWithdrawnEvent, LIGHTING, MONDAY_NOON + DAY))
    assert verdicts(facts) == dict.fromkeys(("accept", "first_reply", "resolve"), "void")


def test_the_reply_stops_the_first_reply_clock_of_all_its_parts() -> None:
    at = MONDAY_NOON + 3 * DAY
    facts = case(offered(LIGHTING, "lighting"), offered(ROADS, "roads"), answer(at, LIGHTING))
    first = {one.part_id: one.verdict(NEXT_YEAR) for one in clocks(facts) if one.clock == "first_reply"}
    assert first == {LIGHTING: "kept", ROADS: "broken"}


def test_an_interim_reply_keeps_the_first_reply_clock_even_if_the_reply_is_late() -> None:
    facts = case(
        offered(LIGHTING, "lighting"),
        act(InquiryRepliedEvent, LIGHTING, MONDAY_NOON + DAY),
        answer(MONDAY_NOON + 10 * DAY, LIGHTING),
    )
    [first] = [one for one in clocks(facts) if one.clock == "first_reply"]
    assert (first.verdict(NEXT_YEAR), first.stopped_at) == ("kept", MONDAY_NOON + DAY)


def test_the_order_of_arrival_does_not_matter() -> None:
    facts = case(offered(LIGHTING, "lighting"), act(PartAcceptedEvent, LIGHTING, MONDAY_NOON + DAY))
    assert clocks(reversed(facts)) == clocks(facts)


def test_each_verdict_is_reported_once() -> None:
    facts = case(
        offered(LIGHTING, "lighting"),
        act(PartAcceptedEvent, LIGHTING, MONDAY_NOON + DAY),
        act(PartContributedEvent, LIGHTING, MONDAY_NOON + 16 * DAY),
        answer(MONDAY_NOON + 16 * DAY, LIGHTING),
    )
    assert newly_judged(facts[:2], {1, 2}) == [("accept", "kept")]
    assert sorted(newly_judged(facts[:3], {3})) == [("first_reply", "broken"), ("resolve", "broken")]
    assert newly_judged(facts, {4}) == []
    assert newly_judged(facts, set()) == []


# ── periods ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("2026-03", "2026-02-28T16:00:00.000Z", "2026-03-31T16:00:00.000Z"),
        ("2026-12", "2026-11-30T16:00:00.000Z", "2026-12-31T16:00:00.000Z"),
        ("2024-02", "2024-01-31T16:00:00.000Z", "2024-02-29T16:00:00.000Z"),
        ("2026-W53", "2026-12-27T16:00:00.000Z", "2027-01-03T16:00:00.000Z"),
        ("2026-W01", "2025-12-28T16:00:00.000Z", "2026-01-04T16:00:00.000Z"),
        ("2026-12-31", "2026-12-30T16:00:00.000Z", "2026-12-31T16:00:00.000Z"),
    ],
)
def test_a_period_runs_from_midnight_to_midnight_in_the_city(name: str, start: str, end: str) -> None:
    over = period(name, SHANGHAI)
    assert (timestamps.to_text(over.start), timestamps.to_text(over.end), over.zone) == (start, end, "Asia/Shanghai")


def test_a_day_on_which_the_clocks_change_has_twenty_three_hours() -> None:
    over = period("2026-03-29", ZoneInfo("Europe/Berlin"))
    assert over.end.astimezone(UTC) - over.start.astimezone(UTC) == timedelta(hours=23)


@pytest.mark.parametrize(
    "name",
    ["", "2026", "2026-13", "2026-00", "2025-W53", "2026-W54", "2026-W00", "2026-02-30", "今年", "2026-W", "9999-12"],
)
def test_a_wrong_period_is_named_with_what_would_be_right(name: str) -> None:
    with pytest.raises(ValueError, match="is not a period; write a month like 2026-11") as told:
        period(name, SHANGHAI)
    assert str(told.value).startswith(repr(name))


# ── shares ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, None),
        (0, 3, "0.0000"),
        (3, 3, "1.0000"),
        (1, 3, "0.3333"),
        (2, 3, "0.6667"),
        (1, 20_000, "0.0000"),
        (3, 20_000, "0.0002"),
        (5, 20_000, "0.0002"),
        (12_345, 100_000_000, "0.0001"),
    ],
)
def test_a_share_has_four_decimals_half_to_even_and_is_null_of_nothing(part: int, whole: int, said: str | None) -> None:
    assert share(part, whole) == said


# ── a scoreboard ─────────────────────────────────────────────────────────────

WATER, PARKS = "20260316-0000000B-p1", "20260316-0000000C-p1"
MORNING = (
    case(  # a joint reply, lighting in time, roads late, rated well
        offered(LIGHTING, "lighting"),
        offered(ROADS, "roads"),
        act(PartAcceptedEvent, LIGHTING, MONDAY_NOON + DAY),
        act(PartAcceptedEvent, ROADS, MONDAY_NOON + 2 * DAY),
        act(InquiryRepliedEvent, LIGHTING, MONDAY_NOON + 2 * DAY),
        act(PartContributedEvent, LIGHTING, MONDAY_NOON + 4 * DAY),
        act(PartContributedEvent, ROADS, MONDAY_NOON + 5 * DAY),
        answer(MONDAY_NOON + 5 * DAY, LIGHTING, ROADS),
        rating(MONDAY_NOON + 6 * DAY, "mostly", True),
    ),
    case(  # lighting alone, satisfied and not solved
        offered(WATER, "lighting"),
        act(PartAcceptedEvent, WATER, MONDAY_NOON),
        act(PartContributedEvent, WATER, MONDAY_NOON + DAY),
        answer(MONDAY_NOON + DAY, WATER),
        rating(MONDAY_NOON + 2 * DAY, "yes", False),
    ),
    case(  # parks returns its part, roads has not answered
        offered(PARKS, "parks"),
        act(PartReturnedEvent, PARKS, MONDAY_NOON + DAY),
        offered("20260316-0000000C-p2", "roads", MONDAY_NOON + DAY),
    ),
)
# assigned, answered, released, returned, joint · (kept, broken, open) of accept, first reply, resolve · valid … mostly
BY_HAND = {
    "lighting": ((2, 2, 2, 0, 1), ((2, 0, 0), (2, 0, 0), (2, 0, 0)), (2, 2, 1, 1, 1)),
    "roads": ((2, 1, 1, 0, 1), ((0, 2, 0), (0, 2, 0), (1, 0, 1)), (1, 0, 1, 0, 1)),
    "parks": ((1, 0, 0, 1, 0), ((1, 0, 0), (0, 0, 0), (0, 0, 0)), (0, 0, 0, 0, 0)),
}


def figures(row: DepartmentCounts) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...], tuple[int, ...]]:
    counts = (row.assigned, row.answered, row.released, row.returned, row.joint)
    judged = tuple(tuple(asdict(one).values()) for one in (row.accept, row.first_reply, row.resolve))
    return counts, judged, tuple(asdict(row.ratings).values())


def board(over: Period, as_of: datetime) -> dict[str, Any]:
    return {code: figures(row) for code, row in rows(MORNING, over, as_of).items()}


def test_a_scoreboard_equals_the_one_counted_by_hand() -> None:
    assert board(MARCH, MONDAY_NOON + 8 * DAY) == BY_HAND


def test_all_clocks_are_open_before_their_due_time() -> None:
    (assigned, *_), judged, _ = board(MARCH, MONDAY_NOON)["roads"]
    assert (assigned, judged) == (1, ((0, 0, 1), (0, 0, 1), (0, 0, 1)))


def test_later_events_never_change_an_earlier_view() -> None:
    as_of = MONDAY_NOON + 2 * DAY
    known_then = [[fact for fact in facts if fact.at <= as_of] for facts in MORNING]
    assert rows(known_then, MARCH, as_of) == rows(MORNING, MARCH, as_of)


def test_a_part_counts_on_the_day_of_its_offer_in_the_citys_time_zone() -> None:
    midnight = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    last, first = case(offered(LIGHTING, "lighting", midnight - MS)), case(offered(ROADS, "roads", midnight))
    assert set(rows([last, first], MARCH, NEXT_YEAR)) == {"lighting"}
    assert set(rows([last, first], period("2026-04", SHANGHAI), NEXT_YEAR)) == {"roads"}


def test_a_part_that_is_contributed_again_before_its_release_counts_once() -> None:
    facts = case(
        offered(LIGHTING, "lighting"),
        act(PartContributedEvent, LIGHTING, MONDAY_NOON + DAY),
        act(PartContributedEvent, LIGHTING, MONDAY_NOON + 20 * DAY),
        answer(MONDAY_NOON + 21 * DAY, LIGHTING),
    )
    counts = rows([facts], MARCH, NEXT_YEAR)["lighting"]
    assert (counts.assigned, counts.answered, counts.released) == (1, 1, 1)
    assert verdicts(facts)["resolve"] == "kept"


def test_shares_count_judged_clocks_only() -> None:
    counts = rows(MORNING, MARCH, MONDAY_NOON + 8 * DAY)["roads"]
    shown = DepartmentScores.of("roads", Name(zh="道路处", en="Roads"), counts).model_dump()
    assert shown["volume"] == {"assigned": 2, "answered": 1, "released": 1}
    assert shown["clocks"]["accept"] == {"kept": 0, "broken": 2, "open": 0, "share": "0.0000"}
    assert shown["clocks"]["resolve"] == {"kept": 1, "broken": 0, "open": 1, "share": "1.0000"}
    nothing = DepartmentScores.of("noise", Name(zh="噪声科", en="Noise"), DepartmentCounts())
    assert nothing.clocks.accept.share is None
