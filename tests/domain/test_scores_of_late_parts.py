"""Scores of a reply that goes out without a late part: its clock breaks, its addendum counts once."""

from datetime import timedelta

from services.scorer.domain.scoreboard import DepartmentCounts, rows
from shared.events.case_events import (
    InquirySupplementedEvent,
    PartAcceptedEvent,
    PartContributedEvent,
    event_body,
)
from shared.kafka import topics
from tests.builders import MONDAY_NOON, contributed, told
from tests.domain.rules.stories import BOTH
from tests.domain.test_scores import (
    DAY,
    LIGHTING,
    MARCH,
    NEXT_YEAR,
    ROADS,
    Told,
    act,
    answer,
    case,
    offered,
    rating,
)
from tests.joining import GOING_AHEAD, late, went_ahead

LATE = MONDAY_NOON + 16 * DAY
ANSWERED: tuple[Told, ...] = (
    offered(LIGHTING, "lighting"),
    offered(ROADS, "roads"),
    act(PartContributedEvent, LIGHTING, MONDAY_NOON + DAY),
    answer(MONDAY_NOON + 15 * DAY + timedelta(hours=1), LIGHTING),
)
ADDED: tuple[Told, ...] = (
    act(PartAcceptedEvent, ROADS, LATE),
    act(PartContributedEvent, ROADS, LATE),
    (LATE, InquirySupplementedEvent(1, (ROADS,))),
)


def board(*facts: Told) -> dict[str, DepartmentCounts]:
    return rows([case(*facts)], MARCH, NEXT_YEAR)


def test_the_late_part_is_not_released_with_the_answer_and_its_clocks_break() -> None:
    roads = board(*ANSWERED)["roads"]
    assert (roads.assigned, roads.answered, roads.released) == (1, 0, 0)
    assert (roads.resolve.broken, roads.first_reply.broken) == (1, 1)


def test_an_addendum_counts_its_parts_as_released_and_joint() -> None:
    both = board(*ANSWERED, *ADDED)
    assert (both["roads"].answered, both["roads"].released, both["roads"].joint) == (1, 1, 1)
    assert (both["roads"].resolve.broken, both["lighting"].released) == (1, 1)


def test_a_rating_counts_for_the_departments_that_the_resident_has_read() -> None:
    rated = rating(LATE + DAY, "yes", True)
    before = board(*ANSWERED, rated, *ADDED)
    assert (before["lighting"].ratings.valid, before["roads"].ratings.valid) == (1, 0)
    after = board(*ANSWERED, *ADDED, rated)
    assert (after["lighting"].ratings.valid, after["roads"].ratings.valid) == (1, 1)


def test_the_scorer_reads_the_event_of_the_router() -> None:
    story = told(
        BOTH,
        contributed("lighting", "灯亮了"),
        late(went_ahead()),
        late(contributed("roads", "路补了"), 2),
        city=GOING_AHEAD,
    )
    [event] = [data for kind, data in story.on(topics.EVENTS) if kind == "inquiry.supplemented"]
    assert event_body(event["type"], event) == InquirySupplementedEvent(1, (ROADS,))
