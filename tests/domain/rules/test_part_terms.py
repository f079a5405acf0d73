"""The policy of a part: by channel, department, category and priority; in force on the day of receipt; in working time."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.router.domain.city_index import CityIndex, city_index
from shared.city import Calendar, City, Policy
from shared.city.calendars import PublicHolidays
from shared.city.policies import PartCircumstances, policy_for
from shared.kafka import topics
from tests.builders import CITY, Story, a_rule, assigned, received, returned, told
from tests.domain.rules.stories import BOTH

# 2026 as announced: 1-5 May are free, the Saturday of 9 May makes up for a day off. Nothing is known of 2027.
CHINA_2026 = PublicHolidays(
    country="CN",
    free_days=tuple(date(2026, 5, day) for day in range(1, 6)),
    working_days=(date(2026, 5, 9),),
    known_until=date(2027, 1, 1),
)


def policy(id_: str, accept: str = "2h", first_reply: str = "3d", resolve: str = "5d", **more: Any) -> Policy:
    clocks = {"accept": accept, "first_reply": first_reply, "resolve": resolve}
    return Policy.model_validate({"id": id_, "clocks": clocks, "calendar": "working"} | more)


def city(*policies: Policy, **more: Any) -> CityIndex:
    changes = {"policies": policies, "public_holidays": (CHINA_2026,)} | more
    return city_index(City.model_validate(CITY.model_dump() | changes))


def offers(story: Story) -> dict[str, dict[str, Any]]:
    """The newest offer of each department, as its event."""
    events = [value for kind, value in story.on(topics.EVENTS) if kind == "part.offered"]
    return {one["department"]: one for one in events}


def policies_of(story: Story) -> dict[str, str]:
    """The policy that each department reads in its newest offer."""
    inboxes = {code: story.on(topics.inbox(code)) for code in offers(story)}
    return {
        code: [value["policy_id"] for kind, value in inbox if kind == "part.offered"][-1]
        for code, inbox in inboxes.items()
    }


def at(text: str) -> datetime:
    """A time in Asia/Shanghai, eight hours ahead of UTC."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


STANDARD = policy("standard")


def test_due_times_follow_the_working_calendar_over_holidays_lunch_and_a_make_up_saturday() -> None:
    """Thu 16:00: 2 h left; 1-5 May free; Wed, Thu, Fri, Sat 7.5 h each; Mon 3 h before lunch and 2.5 h after it."""
    step = received("路灯不亮", received_at=at("2026-04-30 15:59:58"))
    story = told(step.__class__(step.payload, at=at("2026-04-30 16:00:00")), city=city(STANDARD))
    assert offers(story)["lighting"]["due"] == {
        "accept": "2026-04-30T10:00:00.000Z",
        "first_reply": "2026-05-08T08:00:00.000Z",
        "resolve": "2026-05-11T08:00:00.000Z",
    }


def test_an_offer_says_nothing_that_goes_without_saying() -> None:
    offer = offers(told(received("路灯不亮"), city=city(STANDARD)))["lighting"]
    assert offer.keys().isdisjoint({"policy_id", "provisional"})


def test_the_first_policy_that_matches_counts_for_each_part() -> None:
    rules = [rule.model_copy(update={"category": "lights", "priority": "high"}) for rule in CITY.rules]
    special = [
        policy("by-phone", when={"channels": ["hotline"]}),
        policy("roads-only", when={"departments": ["roads"]}, accept="1h"),
        policy("lights", when={"categories": ["lights"], "priorities": ["high"]}),
        STANDARD,
    ]
    directory = city(*special, rules=rules)
    story = told(BOTH, city=directory)
    assert policies_of(story) == {"lighting": "lights", "roads": "roads-only"}
    [assignment] = [value for kind, value in story.on(topics.EVENTS) if kind == "inquiry.assigned"]
    assert assignment["policy_id"] == "lights"
    assert "policy_id" not in offers(story)["lighting"]
    assert offers(story)["roads"]["policy_id"] == "roads-only"
    assert {part.department: part.policy_id for part in story.case.parts.values()} == policies_of(story)
    assert policies_of(told(received("路灯", channel="hotline"), city=directory)) == {"lighting": "by-phone"}
    assert policies_of(told(received("别的", departments=("parks",)), city=directory)) == {"parks": "standard"}


def test_the_category_of_the_last_rule_counts_when_a_person_assigns_again() -> None:
    rules = [a_rule("dark", "路灯", "lighting").model_copy(update={"category": "lights"})]
    directory = city(policy("lights", when={"categories": ["lights"]}), STANDARD, rules=rules)
    story = told(received("路灯不亮"), returned("lighting"), assigned("water", "parks"), city=directory)
    assert policies_of(story)["water"] == "lights"
    story = told(returned("parks"), assigned("roads"), city=directory, after_this=story)
    assert policies_of(story)["roads"] == "lights"
    story = told(received("没有规则的事"), assigned("water"), city=directory)
    assert policies_of(story) == {"water": "standard"}


def test_a_policy_changed_on_the_tenth_leaves_earlier_parts_alone() -> None:
    old, new = policy("standard"), policy("quick", accept="1h", resolve="4d", effective_from="2026-03-20")
    story = told(received("路灯不亮"), city=city(old))
    before = dict(story.case.parts)
    # The city is changed while the case runs, and another department joins it.
    changed = city(new, old)
    story = told(returned("lighting"), assigned("water"), city=changed, after_this=story)
    assert story.case.parts["20260316-7KQ2M9XD-p1"].due == before["20260316-7KQ2M9XD-p1"].due
    assert policies_of(story) == {"lighting": "standard", "water": "standard"}
    # Received on the 20th: the new one. The day begins in the city's zone, not in UTC.
    late = told(received("路灯不亮", received_at=at("2026-03-20 00:00:00")), city=changed)
    early = told(received("路灯不亮", received_at=at("2026-03-19 23:59:59")), city=changed)
    assert (policies_of(late), policies_of(early)) == ({"lighting": "quick"}, {"lighting": "standard"})
    assert late.case.policy_id == "quick"


def test_hours_of_a_policy_that_change_under_the_same_id_leave_earlier_parts_alone() -> None:
    story = told(received("三家一起"), city=city(policy("standard")))
    before = {part.id: part.due for part in story.case.parts.values()}
    shorter = city(policy("standard", resolve="4d"), revision=2)
    story = told(returned("water"), assigned("parks", "roads"), city=shorter, after_this=story)
    after = {part.id: part.due for part in story.case.parts.values()}
    assert {id_: due for id_, due in after.items() if id_ in before} == before
    [fresh] = [due for id_, due in after.items() if id_ not in before]
    assert fresh["resolve"] < next(iter(before.values()))["resolve"]


def test_before_the_first_day_of_any_policy_the_last_general_one_counts() -> None:
    later = policy("later", effective_from="2027-01-01")
    special = policy("special", when={"channels": ["web"]}, effective_from="2027-01-01")
    assert policies_of(told(received("路灯"), city=city(special, later))) == {"lighting": "later"}


@pytest.mark.parametrize(
    ("day", "channel", "found"),
    [
        ("2025-12-31", "web", "old"),
        ("2026-01-01", "web", "old"),
        ("2026-06-30", "web", "old"),
        ("2026-07-01", "web", "new"),
        ("2026-07-01", "app", "app"),
    ],
)
def test_the_first_one_in_force_counts(day: str, channel: str, found: str) -> None:
    policies = (
        policy("app", when={"channels": ["app"]}, effective_from="2026-07-01"),
        policy("new", effective_from="2026-07-01"),
        policy("old", effective_from="2026-01-01"),
    )
    assert policy_for(policies, PartCircumstances(date.fromisoformat(day), channel, "roads")).id == found


def test_a_due_time_beyond_the_announced_holidays_is_provisional() -> None:
    step = received("路灯不亮")
    story = told(
        step.__class__(step.payload, at=at("2026-12-30 16:00:00")), city=city(policy("standard", resolve="5d"))
    )
    offer = offers(story)["lighting"]
    assert offer["provisional"] == ["first_reply", "resolve"]
    [(_, sent)] = story.on(topics.inbox("lighting"))
    assert sent["provisional"] == ["first_reply", "resolve"]
    # Without an announcement 1 January is a Friday like any other.
    assert offer["due"]["resolve"] == "2027-01-06T08:00:00.000Z"


def test_former_hours_are_natural_hours() -> None:
    former = Policy(id="standard", accept_h=24, first_reply_h=72, resolve_h=360)
    step = received("路灯不亮")
    story = told(step.__class__(step.payload, at=at("2026-04-30 16:00:00")), city=city(former))
    assert offers(story)["lighting"]["due"]["resolve"] == "2026-05-15T08:00:00.000Z"


def test_a_calendar_has_a_time_zone_of_its_own() -> None:
    tokyo = Calendar(id="tokyo", time_zone="Asia/Tokyo", hours=("09:00-17:00",))
    step = received("路灯不亮")
    directory = city(policy("standard", accept="1h", calendar="tokyo"), calendars=(tokyo,))
    story = told(step.__class__(step.payload, at=at("2026-03-16 07:00:00")), city=directory)
    assert offers(story)["lighting"]["due"]["accept"] == "2026-03-16T01:00:00.000Z"
