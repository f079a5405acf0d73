"""The timers of a case: which there are, when they ring, and their ids."""

from datetime import timedelta

import pytest

from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.timers import due_timers, next_ring, timers_of
from shared.city import City
from shared.runtime import timestamps
from tests.builders import (
    CITY,
    DIRECTORY,
    MONDAY_NOON,
    Step,
    Story,
    accepted,
    contributed,
    later,
    rang,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.calendars import at, text

GIVEN = received("路灯不亮")


def a_city_that_reminds(*steps: dict[str, str], calendar: str = "natural", **clocks: str) -> CityIndex:
    """The sample city with one policy: 10, 20 and 100 hours."""
    policy = {
        "id": "standard",
        "calendar": calendar,
        "clocks": {"accept": "10h", "first_reply": "20h", "resolve": "100h"} | clocks,
        "supervision": [{"tell": "desk"} | step for step in steps],
    }
    return city_index(City.model_validate(CITY.model_dump() | {"policies": [policy]}))


AT_80 = a_city_that_reminds({"at": "80%"}, {"at": "due", "tell": "head"})


def rings(story: Story, city: CityIndex) -> list[tuple[float, str, str | None]]:
    """Hours after the offer, kind and clock of each timer of a part, in order."""
    offered = timestamps.to_ms(MONDAY_NOON)
    timers = [one for one in timers_of(story.case, city) if one.part_id is not None]
    return [((one.rings_at - offered) / 3_600_000, one.kind, one.clock) for one in timers]


def test_every_clock_that_runs_has_a_reminder_and_a_due_time() -> None:
    assert rings(told(GIVEN, city=AT_80), AT_80) == [
        (8, "due-soon", "accept"),
        (10, "overdue", "accept"),
        (16, "due-soon", "first_reply"),
        (20, "overdue", "first_reply"),
        (80, "due-soon", "resolve"),
        (100, "overdue", "resolve"),
    ]


def test_without_supervision_nobody_is_reminded() -> None:
    assert {kind for _, kind, _ in rings(told(GIVEN), DIRECTORY)} == {"overdue"}


def test_a_reminder_may_come_a_time_before_the_due_time_and_then_not_for_a_shorter_clock() -> None:
    city = a_city_that_reminds({"before": "12h"})
    found = [(hours, clock) for hours, kind, clock in rings(told(GIVEN, city=city), city) if kind == "due-soon"]
    assert found == [(8, "first_reply"), (88, "resolve")]


def test_a_step_of_supervision_after_the_due_time_reminds_nobody() -> None:
    city = a_city_that_reminds({"at": "due"}, {"after": "1d"})
    assert {kind for _, kind, _ in rings(told(GIVEN, city=city), city)} == {"overdue"}


def test_a_reminder_two_working_hours_before_monday_at_ten_comes_on_friday_at_four() -> None:
    hours = {"id": "office", "hours": ["09:00-17:00"]}
    policy = {
        "id": "standard",
        "calendar": "office",
        "clocks": {"accept": "33h", "first_reply": "33h", "resolve": "33h"},
        "supervision": [{"before": "2h", "tell": "desk"}],
    }
    city = city_index(City.model_validate(CITY.model_dump() | {"calendars": [hours], "policies": [policy]}))
    offered = timestamps.from_ms(at("2026-03-17 09:00"))
    timers = timers_of(told(later(GIVEN, offered), city=city).case, city)
    assert {(one.kind, text(one.rings_at)) for one in timers} == {
        ("due-soon", "Fri 2026-03-20 16:00"),
        ("overdue", "Mon 2026-03-23 10:00"),
    }


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([accepted("lighting")], {"first_reply", "resolve"}),
        ([replied("lighting", "周五")], {"resolve"}),
        ([contributed("lighting", "亮了")], set()),
        ([returned("lighting")], set()),
        ([withdrawn("lighting")], set()),
    ],
)
def test_a_clock_that_stopped_in_time_has_no_timer(steps: list[Step], left: set[str]) -> None:
    story = told(GIVEN, *steps)
    assert {clock for _, _, clock in rings(story, DIRECTORY)} == left


def test_a_timer_that_was_recorded_does_not_ring_again() -> None:
    story = told(GIVEN, rang("lighting", kind="due-soon"), city=AT_80)
    assert (8, "due-soon", "accept") not in rings(story, AT_80)
    story = told(rang("lighting"), after_this=story, city=AT_80)
    assert {clock for _, _, clock in rings(story, AT_80)} == {"first_reply", "resolve"}


def test_a_clock_that_stopped_too_late_rings_although_the_part_is_over() -> None:
    after = MONDAY_NOON + timedelta(hours=500)
    story = told(GIVEN, later(contributed("lighting", "亮了"), after))
    assert story.case.status == "answered"
    assert rings(story, DIRECTORY) == [
        (24, "overdue", "accept"),
        (72, "overdue", "first_reply"),
        (360, "overdue", "resolve"),
    ]


def test_the_next_ring_is_that_of_the_first_timer() -> None:
    story = told(GIVEN, city=AT_80)
    assert next_ring(story.case, AT_80) == timers_of(story.case, AT_80)[0].rings_at
    assert next_ring(told(received("别的事")).case, DIRECTORY) is None


def test_a_reminder_whose_due_time_has_passed_is_left_out() -> None:
    story, hour = told(GIVEN, city=AT_80), 3_600_000
    noon = timestamps.to_ms(MONDAY_NOON)

    def due(hours: int) -> list[tuple[str, str | None]]:
        return [(one.kind, one.clock) for one in due_timers(story.case, AT_80, noon + hours * hour)]

    assert due(7) == []
    assert due(8) == due(9) == [("due-soon", "accept")]
    assert due(17) == [("overdue", "accept"), ("due-soon", "first_reply")]


def test_an_id_belongs_to_the_part_the_clock_the_kind_and_the_due_time() -> None:
    case = told(received("路灯和路面都坏了"), city=AT_80).case
    timers = timers_of(case, AT_80)
    again = [timer._replace(rings_at=0) for timer in timers]
    assert len({one.id_in(case.inquiry_id) for one in timers}) == len(timers) == 12
    assert [one.id_in(case.inquiry_id) for one in again] == [one.id_in(case.inquiry_id) for one in timers]
    extended = timers[0]._replace(due_at="2027-01-01T00:00:00.000Z")
    assert extended.id_in(case.inquiry_id) != timers[0].id_in(case.inquiry_id)
    assert timers[0].id_in("20260316-00000000") != timers[0].id_in(case.inquiry_id)


def test_a_policy_that_the_city_no_longer_has_leaves_the_due_times() -> None:
    story = told(GIVEN, city=AT_80)
    other = city_index(City.model_validate(CITY.model_dump() | {"policies": [{**POLICY, "id": "other"}]}))
    assert {kind for _, kind, _ in rings(story, other)} == {"overdue"}


POLICY = {
    "clocks": {"accept": "1h", "first_reply": "2h", "resolve": "3h"},
    "supervision": [{"at": "50%", "tell": "desk"}],
}
