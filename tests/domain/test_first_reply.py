"""First-reply clocks and ratings of each department."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from services.scorer.domain.clocks import CaseFact, clocks
from services.scorer.domain.periods import period
from services.scorer.domain.scoreboard import rows
from shared.events.case_events import event_body
from shared.runtime import timestamps
from tests.builders import INQUIRY, MONDAY_NOON

LIGHTING, ROADS = f"{INQUIRY}-p1", f"{INQUIRY}-p2"


def fact(sequence: int, hours: int, kind: str, **data: object) -> CaseFact:
    body = event_body(f"chorus.{kind}", data)
    return CaseFact(sequence, MONDAY_NOON + timedelta(hours=hours), body)


def offered(sequence: int, part_id: str, department: str) -> CaseFact:
    due = {
        name: timestamps.to_text(MONDAY_NOON + timedelta(hours=limit))
        for name, limit in (("accept", 24), ("first_reply", 72), ("resolve", 360))
    }
    return fact(sequence, 0, "part.offered", part_id=part_id, department=department, role="lead", due=due)


STORY = [
    offered(1, LIGHTING, "lighting"),
    offered(2, ROADS, "roads"),
    fact(3, 5, "part.contributed", part_id=LIGHTING, department="lighting"),
    fact(4, 90, "part.contributed", part_id=ROADS, department="roads"),
]


def first_replies(*facts: CaseFact) -> dict[str, tuple[str, int | None]]:
    """By department: the verdict after a month, and the hours until the clock stopped."""
    return {
        one.department: (
            one.verdict(MONDAY_NOON + timedelta(days=30)),
            round((one.stopped_at - MONDAY_NOON).total_seconds() / 3600) if one.stopped_at else None,
        )
        for one in clocks(facts)
        if one.clock == "first_reply"
    }


def test_a_contribution_stops_the_first_reply_clock_of_its_own_department_only() -> None:
    assert first_replies(*STORY) == {"lighting": ("kept", 5), "roads": ("broken", 90)}
    assert first_replies(*STORY[:3]) == {"lighting": ("kept", 5), "roads": ("broken", None)}


def test_a_department_that_contributed_in_time_is_not_charged_for_another_that_is_silent() -> None:
    answer = fact(5, 200, "inquiry.answered", round=1, parts=[LIGHTING, ROADS])
    assert first_replies(*STORY, answer) == {"lighting": ("kept", 5), "roads": ("broken", 90)}


def test_an_interim_reply_stops_only_the_clock_of_its_department() -> None:
    word = fact(3, 71, "inquiry.replied", part_id=ROADS, department="roads")
    assert first_replies(*STORY[:2], word) == {"lighting": ("broken", None), "roads": ("kept", 71)}


def test_a_rating_counts_for_departments_with_a_part_in_the_reply() -> None:
    story = [
        offered(1, LIGHTING, "lighting"),
        offered(2, ROADS, "roads"),
        fact(3, 1, "part.withdrawn", part_id=ROADS, department="roads"),
        fact(4, 2, "part.contributed", part_id=LIGHTING, department="lighting"),
        fact(5, 2, "inquiry.answered", round=1, parts=[LIGHTING]),
        fact(6, 3, "inquiry.rated", round=1, solved=True, satisfied="yes"),
    ]
    march = period("2026-03", ZoneInfo("Asia/Shanghai"))
    board = rows([story], march, MONDAY_NOON + timedelta(days=9))
    assert {code: one.ratings.valid for code, one in board.items()} == {"lighting": 1, "roads": 0}
