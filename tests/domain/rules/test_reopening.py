"""A rating reopens the inquiry, by the policy of the lead (心通桥)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.router.domain.city_index import CityIndex, city_index
from services.scorer.domain.clocks import CaseFact, clocks
from services.scorer.domain.holdings import holdings
from services.scorer.domain.periods import period
from services.scorer.domain.scoreboard import rows
from shared.city import City, retire
from shared.clocks.deadlines import CLOCKS, Clock
from shared.events.case_events import event_body
from shared.kafka import topics
from shared.runtime import timestamps
from tests.builders import (
    CITY,
    INQUIRY,
    MONDAY_NOON,
    Step,
    Story,
    accepted,
    assigned,
    contributed,
    later,
    rated,
    received,
    replied,
    returned,
    told,
)
from tests.calendars import SHANGHAI
from tests.domain.rules.stories import BOTH, states
from tests.releasing import approved, release_refused, reply_edited

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
T2 = MONDAY_NOON + 5 * DAY
LIGHT = received("路灯不亮")
UNHAPPY = rated(solved=False, satisfied="no", words="灯又灭了，请再来看看。")
ANSWERED = (BOTH, contributed("lighting", "灯亮了"), contributed("roads", "路补了"))


def reopening(more: list[dict[str, Any]] | None = None, **fields: Any) -> CityIndex:
    """The city with this `reopening`; `more` are further policies before it."""
    general = {"id": "standard", "accept_h": 24, "first_reply_h": 72, "resolve_h": 360, "reopening": fields}
    return city_index(City.model_validate(CITY.model_dump() | {"policies": [*(more or []), general]}))


def again(round_: int) -> Step:
    """The resident is still not content."""
    return rated(round_, solved=False, satisfied="no", words=f"第{round_}次还是没好")


def offers(story: Story) -> list[dict[str, Any]]:
    """The offers of the last decision."""
    return [one for kind, one in story.on(topics.EVENTS) if kind == "part.offered"][-len(story.case.active_parts) :]


def to(department: str, story: Story) -> list[tuple[str, dict[str, Any]]]:
    return story.on(topics.inbox(department))


# ── a round begins ───────────────────────────────────────────────────────────


def test_a_discontented_rating_begins_a_round_and_the_same_departments_get_their_parts_back() -> None:
    story = told(*ANSWERED, UNHAPPY)
    assert story.events()[-4:] == ["inquiry.rated", "inquiry.reopened", "part.offered", "part.offered"]
    assert (story.case.status, story.case.round, story.case.lead) == ("reopened", 2, "lighting")
    assert [(one.id[-2:], one.department, one.role) for one in story.case.active_parts] == [
        ("p3", "lighting", "lead"),
        ("p4", "roads", "co-handler"),
    ]
    reopened = dict(story.on(topics.EVENTS))["inquiry.reopened"]
    assert (reopened["round"], reopened["policy_id"], reopened["clock"]) == (2, "standard", "new")
    assert (reopened["state"], reopened["departments"]) == ("reopened", [])
    assert [one["round"] for one in offers(story)] == [2, 2]


def test_the_resident_is_told_who_has_it_again_and_by_when() -> None:
    story = told(*ANSWERED, UNHAPPY)
    said = story.resident()
    assert (said["what"], said["case"]["state"], said["case"]["round"]) == ("reopened", "reopened", 2)
    assert said["case"]["reply"] is None
    assert said["text"] == (
        "根据您的评价，该诉求已重新办理，已派单：路灯管理所主办，道路处协办。首次答复时限 2026-03-19 15:00。"
    )


def test_departments_read_the_rating_and_the_words() -> None:
    story = told(*ANSWERED, UNHAPPY)
    [(kind, rating), (_, offer)] = to("roads", story)[-2:]
    assert kind == "part.rated"
    assert rating == {
        "part_id": f"{INQUIRY}-p2",
        "inquiry_id": INQUIRY,
        "round": 1,
        "solved": False,
        "satisfied": "no",
        "words": "灯又灭了，请再来看看。",
    }
    assert (offer["part_id"], offer["round"]) == (f"{INQUIRY}-p4", 2)
    assert offer["reopened"] == {
        "round": 1,
        "solved": False,
        "satisfied": "no",
        "words": "灯又灭了，请再来看看。",
        "answer": "【路灯管理所】\n灯亮了\n\n【道路处】\n路补了",
    }
    assert offer["why"] == "居民评价后重新办理 / reopened because of the resident's rating"


def test_departments_read_a_good_rating_too() -> None:
    story = told(*ANSWERED, rated(words="谢谢"))
    assert story.case.status == "answered"
    for department in ("lighting", "roads"):
        kind, rating = to(department, story)[-1]
        assert (kind, rating["solved"], rating["words"]) == ("part.rated", True, "谢谢")


def test_a_rating_without_words_has_none_for_the_departments() -> None:
    assert "words" not in to("roads", told(*ANSWERED, rated()))[-1][1]


@pytest.mark.parametrize(
    ("when", "solved", "satisfied", "reopens"),
    [
        (["not-solved", "not-satisfied"], True, "yes", False),
        (["not-solved", "not-satisfied"], True, "mostly", False),
        (["not-solved", "not-satisfied"], True, "no", True),
        (["not-solved", "not-satisfied"], False, "yes", True),
        (["not-solved"], True, "no", False),
        (["not-satisfied"], False, "mostly", False),
        ([], False, "no", False),
    ],
)
def test_the_policy_says_which_ratings_reopen(when: list[str], solved: bool, satisfied: str, reopens: bool) -> None:
    city = reopening(when=when)
    story = told(LIGHT, contributed("lighting", "亮了"), rated(solved=solved, satisfied=satisfied), city=city)
    assert story.case.status == ("reopened" if reopens else "answered")
    assert story.case.rated == {1}


def test_the_policy_of_the_lead_counts_for_all() -> None:
    strict = {"id": "roads", "when": {"departments": ["roads"]}, "accept_h": 1, "first_reply_h": 2, "resolve_h": 3}
    never = reopening([strict | {"reopening": {"when": []}}])
    assert told(*ANSWERED, UNHAPPY, city=never).case.round == 2
    lead = {"id": "lighting", "when": {"departments": ["lighting"]}, "accept_h": 1, "first_reply_h": 2, "resolve_h": 3}
    assert told(*ANSWERED, UNHAPPY, city=reopening([lead | {"reopening": {"when": []}}])).case.round == 1


# ── reopened gives way to in-progress ────────────────────────────────────────


@pytest.mark.parametrize(
    "step",
    [accepted("roads"), replied("roads", "正在复查"), contributed("roads", "重铺了")],
    ids=["accepts", "replies", "contributes"],
)
def test_reopened_lasts_until_a_department_acts(step: Step) -> None:
    story = told(*ANSWERED, UNHAPPY)
    assert told(step, after_this=story).case.status == "in-progress"


def test_a_return_goes_to_triage_and_the_new_department_finds_it_reopened() -> None:
    story = told(LIGHT, contributed("lighting", "亮了"), UNHAPPY, returned("lighting"))
    assert story.case.status == "triage"
    again = told(assigned("roads"), after_this=story)
    assert (again.case.status, again.case.round, again.case.lead) == ("reopened", 2, "roads")
    assert to("roads", again)[-1][1]["reopened"]["answer"] == "【路灯管理所】\n亮了"


def test_a_second_round_is_answered_and_rated_on_its_own() -> None:
    second = (contributed("lighting", "换了灯泡"), contributed("roads", "重铺了"))
    story = told(*ANSWERED, UNHAPPY, *second)
    assert (story.case.status, story.case.round) == ("answered", 2)
    said = story.resident()
    assert (said["what"], said["case"]["round"]) == ("answered", 2)
    assert [one["text"] for one in said["case"]["reply"]["paragraphs"]] == ["换了灯泡", "重铺了"]
    assert story.case.released is not None
    assert (story.case.released.id, story.case.released.version) == (f"{INQUIRY}-r2", 1)
    assert [(one.round, one.reply.id) for one in story.case.earlier] == [(1, f"{INQUIRY}-r1")]
    assert "has no answer to rate" in (told(rated(1), after_this=story).refusal or "")
    assert told(rated(2), after_this=story).case.rated == {1, 2}


def test_a_reopened_inquiry_cannot_be_rated_before_its_next_answer() -> None:
    story = told(*ANSWERED, UNHAPPY)
    for round_ in (1, 2):
        assert "has no answer to rate" in (told(rated(round_), after_this=story).refusal or "")


def test_a_part_of_the_earlier_answer_takes_no_more_messages() -> None:
    old = f"{INQUIRY}-p1"
    story = told(*ANSWERED, UNHAPPY)
    for step in (
        contributed("lighting", "改一改", part=old),
        accepted("lighting", part=old),
        returned("lighting", part=old),
    ):
        after = told(step, after_this=story)
        assert after.refusal is not None
        assert (after.last.facts, after.case.status) == ((), "reopened")


# ── release of each round ────────────────────────────────────────────────────


def test_each_round_needs_its_own_approvals() -> None:
    with_approval = {
        "id": "standard",
        "accept_h": 24,
        "first_reply_h": 72,
        "resolve_h": 360,
        "release": {"approvers": 1},
    }
    city = city_index(City.model_validate(CITY.model_dump() | {"policies": [with_approval]}))
    story = told(
        LIGHT, contributed("lighting", "亮了"), approved(), UNHAPPY, contributed("lighting", "又亮了"), city=city
    )
    assert (story.case.status, story.case.round) == ("awaiting-release", 2)
    assert "又亮了" not in str([one for topic in (topics.RESIDENTS, topics.EVENTS) for one in story.on(topic)])
    old = told(contributed("lighting", "改第一轮", part=f"{INQUIRY}-p1"), city=city, after_this=story)
    assert "earlier round" in (old.refusal or "")
    refused = told(release_refused(), contributed("lighting", "换了"), city=city, after_this=story)
    draft = [one for kind, one in to("lighting", refused) if kind == "reply.draft"][-1]
    assert (draft["reply_id"], draft["version"], draft["text"]) == (f"{INQUIRY}-r2", 2, "【路灯管理所】\n换了")
    released = told(approved(), city=city, after_this=refused)
    assert (released.case.status, released.resident()["case"]["round"]) == ("answered", 2)


def test_the_frame_of_the_first_answer_is_not_in_the_second() -> None:
    with_approval = {
        "id": "standard",
        "accept_h": 24,
        "first_reply_h": 72,
        "resolve_h": 360,
        "release": {"approvers": 1},
    }
    city = city_index(City.model_validate(CITY.model_dump() | {"policies": [with_approval]}))
    first = (LIGHT, contributed("lighting", "亮了"), reply_edited(opening="您好："), approved(), UNHAPPY)
    story = told(*first, contributed("lighting", "又亮了"), city=city)
    assert story.case.reply is not None
    assert story.case.reply.text.text == "【路灯管理所】\n又亮了"


# ── the window ───────────────────────────────────────────────────────────────


def test_a_rating_in_the_last_moment_of_the_window_reopens_and_a_later_one_only_counts() -> None:
    city = reopening(window_days=15)
    answered = told(LIGHT, contributed("lighting", "亮了"), city=city)
    until = timestamps.from_text(answered.case.released_at) + 15 * DAY
    assert told(later(UNHAPPY, until), city=city, after_this=answered).case.round == 2
    late = told(later(UNHAPPY, until + timedelta(milliseconds=1)), city=city, after_this=answered)
    assert (late.case.status, late.case.round, sorted(late.case.rated)) == ("answered", 1, [1])
    assert to("lighting", late)[-1][0] == "part.rated"
    assert late.resident()["text"] == "您的评价已记录，谢谢。"


# ── the limit ────────────────────────────────────────────────────────────────


def test_at_the_limit_a_coordinator_chooses_a_new_lead_and_after_it_nothing_reopens() -> None:
    city = reopening(limit=2)
    story = told(LIGHT, contributed("lighting", "一"), again(1), contributed("lighting", "二"), again(2), city=city)
    assert story.events()[-3:] == ["inquiry.rated", "inquiry.reopened", "inquiry.triaged"]
    assert (story.case.status, story.case.round) == ("triage", 3)
    triaged = story.on(topics.EVENTS)[-1][1]
    assert (triaged["reason"], triaged["part_id"]) == ("reopened", None)
    what = [(one["what"], one["text"]) for _, one in story.on(topics.RESIDENTS)][-2]
    assert what == ("reopened", "根据您的评价，该诉求已重新办理，现由协调人员确定承办部门。")
    new_lead = told(assigned("roads", "lighting"), city=city, after_this=story)
    assert (new_lead.case.status, new_lead.case.lead) == ("reopened", "roads")
    offer = to("roads", new_lead)[-1][1]
    assert (offer["reopened"]["words"], offer["reopened"]["answer"]) == ("第2次还是没好", "【路灯管理所】\n二")
    third = told(contributed("roads", "三"), contributed("lighting", "三"), again(3), city=city, after_this=new_lead)
    assert (third.case.status, third.case.round, sorted(third.case.rated)) == ("answered", 3, [1, 2, 3])


def test_without_reopenings_in_the_policy_a_rating_only_counts() -> None:
    story = told(LIGHT, contributed("lighting", "一"), again(1), city=reopening(limit=0))
    assert (story.case.status, story.case.round, sorted(story.case.rated)) == ("answered", 1, [1])


def test_a_retired_department_does_not_get_its_part_back() -> None:
    answered = told(*ANSWERED)
    retired = city_index(retire(CITY, "roads", "并入城管局"))
    story = told(UNHAPPY, city=retired, after_this=answered)
    assert (story.case.status, story.case.round, story.case.active_parts) == ("triage", 2, ())
    assert story.on(topics.EVENTS)[-1][1]["reason"] == "department-retired"


# ── clocks ───────────────────────────────────────────────────────────────────


def facts_of(story: Story) -> list[CaseFact]:
    return [
        CaseFact(one["sequence"], timestamps.from_text(one["at"]), event_body(f"chorus.{kind}", one))
        for kind, one in story.on(topics.EVENTS)
    ]


def by_part(story: Story) -> dict[tuple[str, str], Clock]:
    return {(one.part_id[-2:], one.clock): one for one in clocks(facts_of(story))}


def test_the_gap_is_neither_work_nor_pause_and_round_two_starts_anew() -> None:
    """▸ Answered t1, reopened t2: the verdicts of round 1 stay, the clocks of round 2 start at t2 (policy `new`)."""
    before = told(LIGHT, accepted("lighting"), contributed("lighting", "亮了"))
    first = by_part(before)
    story = told(later(UNHAPPY, T2), after_this=before)
    both = by_part(story)
    assert {key: both[key] for key in first} == first
    for name, hours in (("accept", 24), ("first_reply", 72), ("resolve", 360)):
        clock = both["p2", name]
        assert (clock.started_at, clock.due_at) == (T2, T2 + hours * HOUR)
        assert clock.verdict(T2 + hours * HOUR) == "open"
        assert first["p1", name].verdict(T2 + 100 * DAY) == "kept"
    late = told(later(contributed("lighting", "又亮了"), T2 + 20 * DAY), after_this=story)
    assert by_part(late)["p2", "resolve"].verdict(T2 + 21 * DAY) == "broken"
    assert by_part(late)["p1", "resolve"].verdict(T2 + 21 * DAY) == "kept"
    assert holdings(facts_of(late)) == {}


def test_the_score_of_the_first_round_does_not_change_with_the_second() -> None:
    march = period("2026-03", SHANGHAI)
    first = told(LIGHT, contributed("lighting", "亮了"), again(1))
    before = rows([facts_of(first)], march, T2)["lighting"]
    assert (before.assigned, before.answered, before.ratings.valid, before.reopened) == (2, 1, 1, 1)
    second = told(later(contributed("lighting", "又亮了"), T2), later(rated(2), T2 + HOUR), after_this=first)
    whole = rows([facts_of(second)], march, T2 + DAY)["lighting"]
    assert (whole.assigned, whole.answered, whole.released, whole.reopened) == (2, 2, 2, 1)
    assert (whole.ratings.valid, whole.ratings.solved, whole.ratings.satisfied) == (2, 1, 1)
    [resolve] = {one.resolve.kept for one in (whole,)}
    assert (resolve, before.resolve.kept, before.resolve.open) == (2, 1, 1)


def limits(**hours: int) -> dict[str, Any]:
    return {f"{name}_h": value for name, value in hours.items()}


def due(story: Story) -> dict[str, datetime]:
    [part] = story.case.active_parts
    return {name: timestamps.from_text(part.due[name]) for name in CLOCKS}


def test_continuing_clocks_have_the_time_that_was_left() -> None:
    """Accepted after 1 of 24 h, answered after 2 of 72 and of 360 h: 23, 70 and 358 h are left."""
    city = reopening(clock="continue")
    story = told(LIGHT, accepted("lighting"), contributed("lighting", "亮了"), later(UNHAPPY, T2), city=city)
    assert due(story) == {"accept": T2 + 23 * HOUR, "first_reply": T2 + 70 * HOUR, "resolve": T2 + 358 * HOUR}


def test_a_continuing_clock_that_ran_out_has_nothing_left() -> None:
    city = reopening(clock="continue")
    late = later(contributed("lighting", "亮了"), MONDAY_NOON + 4 * DAY)
    story = told(LIGHT, accepted("lighting"), late, later(UNHAPPY, T2), city=city)
    assert due(story)["first_reply"] == T2
    assert by_part(story)["p2", "first_reply"].verdict(T2 + timedelta(milliseconds=1)) == "broken"


def test_continuing_clocks_count_working_time() -> None:
    """Noon on Monday to 14:30: one hour of the working day's 7.5 is used, and the rest counts from Saturday's reopening."""
    working = {
        "id": "standard",
        "calendar": "working",
        "clocks": {"accept": "2h", "first_reply": "3h", "resolve": "5h"},
    }
    policy = working | {"reopening": {"clock": "continue"}}
    city = city_index(City.model_validate(CITY.model_dump() | {"policies": [policy]}))
    at = MONDAY_NOON + 2.5 * HOUR
    story = told(LIGHT, later(contributed("lighting", "亮了"), at), later(UNHAPPY, T2), city=city)
    monday = datetime(2026, 3, 23, 9, tzinfo=SHANGHAI)
    assert due(story) == {
        "accept": monday + HOUR,
        "first_reply": monday + 2 * HOUR,
        "resolve": datetime(2026, 3, 23, 14, 30, tzinfo=SHANGHAI),
    }


def test_restarting_clocks_follow_the_former_policy_and_new_ones_the_policy_that_counts_now() -> None:
    special = {"id": "lighting", "when": {"departments": ["lighting"]}} | limits(accept=1, first_reply=2, resolve=3)
    answered = told(LIGHT, contributed("lighting", "亮了"), city=reopening(clock="restart"))
    for clock, hours, policy_id in (("restart", 360, "standard"), ("new", 3, "lighting")):
        city = reopening([special | {"reopening": {"clock": clock}}], clock=clock)
        story = told(later(UNHAPPY, T2), city=city, after_this=answered)
        assert (due(story)["resolve"], offers(story)[0].get("policy_id") or "standard") == (
            T2 + hours * HOUR,
            policy_id,
        )


def test_a_policy_that_the_city_no_longer_has_gives_way_to_the_one_that_counts_now() -> None:
    answered = told(LIGHT, contributed("lighting", "亮了"))
    other = {"id": "later", "reopening": {"clock": "continue"}} | limits(accept=1, first_reply=2, resolve=400)
    city = city_index(City.model_validate(CITY.model_dump() | {"policies": [other]}))
    story = told(later(UNHAPPY, T2), city=city, after_this=answered)
    assert (story.case.round, due(story)["resolve"]) == (2, T2 + 359 * HOUR)
    assert offers(story)[0]["policy_id"] == "later"


def test_a_part_that_settled_a_dispute_still_cannot_be_returned() -> None:
    from tests.returning import RETURNING, arbitrated

    dispute = (received("路灯不亮"), returned("lighting"), assigned("roads"), returned("roads"))
    answered = told(*dispute, arbitrated("roads"), contributed("roads", "补了"), city=RETURNING)
    story = told(UNHAPPY, city=RETURNING, after_this=answered)
    assert states(story)["roads"] == "offered"
    assert "cannot return it" in (told(returned("roads"), city=RETURNING, after_this=story).refusal or "")
