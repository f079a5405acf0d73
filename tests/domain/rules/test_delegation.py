"""Delegation: the quality bureau coordinates its district bureaus within the day, and answers for all of them."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from services.router.domain.city_index import city_index
from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from services.router.domain.timers import timers_of
from services.scorer.domain.clocks import CaseFact, clocks
from services.scorer.domain.scoreboard import rows
from shared.city import retire
from shared.contracts.delegated_parts import DelegatedPartContributed, DelegatedPartReturned
from shared.contracts.department_inbox import PartOffered
from shared.contracts.department_outbox import Action, PartContributed
from shared.contracts.limits import DEPARTMENTS_MAX
from shared.events.case_events import event_body
from shared.kafka import topics
from shared.runtime import timestamps
from tests.builders import (
    INQUIRY,
    MONDAY_NOON,
    Step,
    Story,
    a_department,
    accepted,
    assigned,
    at_the_desk,
    contributed,
    drafted,
    later,
    part_of,
    recalled,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.delegating import BUREAUS, LIFTS, OFFICES, bureaus, delegated
from tests.domain.rules.stories import states
from tests.domain.test_scores import MARCH, NEXT_YEAR
from tests.returning import reassigned

EAST, WEST, NORTH = OFFICES
ALL = tuple(OFFICES)
P1, P2, P3, P4 = (f"{INQUIRY}-p{number}" for number in (1, 2, 3, 4))


def lifts(*steps: Step, after: Story | None = None) -> Story:
    return told(*steps, city=BUREAUS, after_this=after)


def code(story: Story) -> str | None:
    return story.last.refusal


def inbox(story: Story, department: str) -> list[str]:
    return [kind for kind, _ in story.on(topics.inbox(department))]


def public(story: Story) -> str:
    """Everything that residents, the hall, mails and status pages are made of."""
    return "".join(one.value.decode() for one in story.messages if one.topic == topics.RESIDENTS)


def passed_on(text: str | None = "请今日内核查电梯") -> Story:
    return lifts(LIFTS, delegated("quality", *ALL, text=text))


# ── the story ────────────────────────────────────────────────────────────────


def test_the_quality_bureau_coordinates_its_district_bureaus_within_the_day() -> None:
    story = passed_on()
    assert story.events()[-5:] == ["part.accepted", "part.delegated", "part.offered", "part.offered", "part.offered"]
    story = lifts(
        accepted(EAST),
        contributed(WEST, "西区两部电梯已停用"),
        contributed(EAST, "东区全部合格"),
        contributed(NORTH, "北区一部维修中"),
        after=story,
    )
    assert (story.case.state, story.case.lead) == ("in-progress", "quality")
    came_back = [DelegatedPartContributed.model_validate(data) for kind, data in story.on(topics.inbox("quality"))[1:]]
    assert [(one.part_id, one.parent, one.department, one.text) for one in came_back] == [
        (P3, P1, WEST, "西区两部电梯已停用"),
        (P2, P1, EAST, "东区全部合格"),
        (P4, P1, NORTH, "北区一部维修中"),
    ]
    story = lifts(contributed("quality", "全市电梯已核查：三部停用检修。"), after=story)
    assert (story.case.state, story.texts()) == ("answered", ["全市电梯已核查：三部停用检修。"])
    assert {inbox(story, office)[-1] for office in ALL} == {"part.closed"}


def test_nothing_of_the_offices_is_published_unless_the_bureau_sends_it() -> None:
    story = lifts(
        accepted(EAST),
        contributed(EAST, "机密甲"),
        returned(WEST, words="机密乙"),
        withdrawn(NORTH, why="机密丙"),
        contributed("quality", "全市电梯已核查"),
        after=passed_on("机密指示"),
    )
    assert "机密" not in public(story)
    for office, name in OFFICES.items():
        assert office not in public(story)
        assert name not in public(story)
    events = json.dumps(story.on(topics.EVENTS), ensure_ascii=False)
    assert "机密" not in events
    assert [one["code"] for one in story.resident()["case"]["departments"]] == ["quality"]


def test_an_office_gets_the_message_of_the_resident_and_what_the_bureau_wrote() -> None:
    [(kind, data)] = passed_on().on(topics.inbox(EAST))
    offer = PartOffered.model_validate(data)
    assert (kind, offer.part_id, offer.parent, offer.delegated_by) == ("part.offered", P2, P1, "quality")
    assert (offer.subject, offer.body, offer.instructions) == (
        "电梯年检过期",
        "多个小区的电梯困人。",
        "请今日内核查电梯",
    )
    assert offer.why == "由质监局交办 / delegated by Quality Bureau"
    assert (offer.role, offer.lead, offer.co_handlers) == ("co-handler", "quality", ())
    [(_, without)] = passed_on(None).on(topics.inbox(EAST))
    assert "instructions" not in without


def test_a_department_beside_the_bureau_reads_nothing_of_its_offices() -> None:
    story = lifts(received("电梯和路灯都坏了"), delegated("quality", EAST, text="机密"), contributed(EAST, "机密"))
    assert inbox(story, "lighting") == ["part.offered"]
    assert "机密" not in json.dumps(story.on(topics.inbox("lighting")), ensure_ascii=False)
    assert story.case.co_handlers == ("lighting",)


def test_the_events_name_everybody_inside() -> None:
    story = passed_on()
    events = story.on(topics.EVENTS)
    [fact] = [data for kind, data in events if kind == "part.delegated"]
    assert (fact["part_id"], fact["department"], fact["to"], set(fact["text"])) == (
        P1,
        "quality",
        list(ALL),
        {"sha256"},
    )
    [*_, last] = events
    assert (last[1]["parent"], last[1]["departments"]) == (P1, ["quality", *ALL])
    assert last[1]["part_states"] == {"accepted": 1, "offered": 3}


# ── who may delegate what to whom ────────────────────────────────────────────


@pytest.mark.parametrize(
    ("to", "refusal", "said"),
    [
        (("lighting",), "not-an-office", "'lighting' is not an active department below 'quality'"),
        (("nobody",), "not-an-office", "'nobody' is not an active department below 'quality'"),
        (("quality-east-lifts",), "not-an-office", "'quality-east-lifts'"),
        (("quality",), "not-an-office", "'quality' is not an active department below"),
        ((EAST, EAST), "department-twice", "named twice"),
    ],
)
def test_a_part_is_delegated_only_to_the_department_s_own_offices(to: tuple[str, ...], refusal: str, said: str) -> None:
    story = lifts(LIFTS, delegated("quality", *to))
    assert (code(story), said in (story.refusal or ""), states(story)) == (refusal, True, {"quality": "offered"})


def test_the_refusal_names_the_offices() -> None:
    story = lifts(LIFTS, delegated("quality", "lighting"))
    assert story.last.refused is not None
    assert story.last.refused.remedy == f"Delegate to {', '.join(ALL)}."
    story = lifts(received("路灯不亮"), delegated("lighting", EAST))
    assert story.last.refused is not None
    assert story.last.refused.remedy == "Answer the part yourself, or return it."


def test_a_retired_office_gets_nothing() -> None:
    city = city_index(retire(bureaus(), EAST, "并入西区"))
    assert code(told(LIFTS, delegated("quality", EAST), city=city)) == "not-an-office"


def test_two_levels_at_most() -> None:
    story = lifts(delegated(EAST, "quality-east-lifts"), after=passed_on())
    assert (code(story), len(story.case.parts)) == ("delegated-part", 4)


def test_only_the_department_itself_and_a_coordinator_delegate() -> None:
    story = lifts(LIFTS, replace(delegated("quality", EAST), department="lighting"))
    assert code(story) == "not-your-part"
    story = lifts(delegated("quality", EAST, user=701), after=story)
    assert (code(story), states(story)) == (None, {"quality": "accepted", EAST: "offered"})


def test_an_office_that_has_a_part_gets_no_second_one() -> None:
    story = lifts(delegated("quality", EAST), after=passed_on())
    assert (code(story), len(story.case.parts)) == ("department-has-part", 4)


def test_several_delegations_follow_one_another() -> None:
    story = lifts(LIFTS, delegated("quality", EAST, text="查东区"), delegated("quality", WEST, text="查西区"))
    assert [part.instructions and part.instructions.text for part in story.case.parts.values()][1:] == [
        "查东区",
        "查西区",
    ]


def test_at_most_twenty_offices_work_on_a_part() -> None:
    offices = [a_department(f"office-{number}", parent="quality") for number in range(21)]
    city = bureaus()
    index = city_index(city.model_copy(update={"departments": (*city.departments, *offices)}))
    codes = [one.code for one in offices]
    story = told(LIFTS, delegated("quality", *codes[:20]), delegated("quality", codes[20]), city=index)
    assert (code(story), len(story.case.delegated_parts)) == ("too-many-departments", DEPARTMENTS_MAX)


@pytest.mark.parametrize("over", [contributed("quality", "核查完毕"), returned("quality"), withdrawn("quality")])
def test_a_part_that_is_over_cannot_be_delegated(over: Step) -> None:
    assert code(lifts(LIFTS, over, delegated("quality", EAST))) == "part-not-open"


# ── what comes back ──────────────────────────────────────────────────────────


def test_an_office_returns_its_piece_to_the_bureau_and_not_to_triage() -> None:
    story = lifts(returned(WEST, "wrong-area", "不在本区", suggest=EAST), after=passed_on())
    assert (story.case.state, story.case.unsettled) == ("in-progress", ())
    kind, data = story.on(topics.inbox("quality"))[-1]
    back = DelegatedPartReturned.model_validate(data)
    assert (kind, back.part_id, back.parent, back.department) == ("part.returned", P3, P1, WEST)
    assert (back.reason, back.words, back.suggest) == ("wrong-area", "不在本区", EAST)
    story = lifts(delegated("quality", WEST, text="请再核"), after=story)
    assert (code(story), part_of(story.case, WEST)) == (None, f"{INQUIRY}-p5")


def test_the_return_of_a_piece_does_not_count_as_a_return_of_the_inquiry() -> None:
    story = lifts(returned(WEST), returned(EAST), returned("quality"), assigned("lighting"), after=passed_on())
    kinds = dict(story.on(topics.inbox("lighting")))
    assert [one["department"] for one in kinds["part.offered"]["returned"]] == ["quality"]


def test_an_office_replaces_its_contribution_and_the_bureau_gets_both() -> None:
    story = lifts(contributed(EAST, "合格"), contributed(EAST, "复查合格"), after=passed_on())
    assert [data["text"] for kind, data in story.on(topics.inbox("quality")) if kind == "part.contributed"] == [
        "合格",
        "复查合格",
    ]


def test_drafts_of_an_office_stay_with_it() -> None:
    story = lifts(drafted(EAST, "草稿"), after=passed_on())
    assert inbox(story, "quality") == ["part.offered"]


def test_an_office_has_no_interim_reply_to_the_resident() -> None:
    story = lifts(replied(EAST, "正在核查"), after=passed_on())
    assert (code(story), "正在核查" in public(story)) == ("delegated-part", False)


def test_the_bureau_may_answer_before_every_office_is_in_and_their_duty_goes_on() -> None:
    story = lifts(contributed(EAST, "合格"), contributed("quality", "已安排核查"), after=passed_on())
    assert (story.case.state, states(story)[WEST]) == ("answered", "offered")
    assert (inbox(story, EAST)[-1], inbox(story, WEST)[-1]) == ("part.closed", "part.offered")
    before = len(story.on(topics.RESIDENTS))
    story = lifts(contributed(WEST, "西区合格"), after=story)
    assert (code(story), story.case.state) == (None, "answered")
    assert (len(story.on(topics.RESIDENTS)), inbox(story, "quality")[-1]) == (before, "part.contributed")


def test_the_actions_of_an_office_reach_the_bureau() -> None:

    action = Action(kind="drone flight", at=MONDAY_NOON, note="拍了照片")
    step = Step(lambda case: PartContributed(part_id=P2, text="合格", actions=(action,)), EAST)
    story = lifts(step, after=passed_on())
    [reported] = story.on(topics.inbox("quality"))[-1][1]["actions"]
    assert reported == {"kind": "drone flight", "at": "2026-03-16T04:00:00.000Z", "note": "拍了照片"}


# ── the part above ends ──────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (withdrawn("quality", why="电话已答复"), "电话已答复"),
        (recalled("quality"), "The department is retired: 并入水务局"),
        (reassigned("quality", "lighting", words="由路灯所统一答复"), "由路灯所统一答复"),
        (returned("quality"), "交办部门不再承办该件 / the department that delegated the part no longer has it"),
    ],
    ids=["withdrawn", "retired", "reassigned", "returned"],
)
def test_the_pieces_are_withdrawn_with_the_part(step: Step, why: str) -> None:
    story = lifts(contributed(EAST, "合格"), step, after=passed_on())
    assert {states(story)[office] for office in ALL} == {"withdrawn"}
    for office in ALL:
        kind, data = story.on(topics.inbox(office))[-1]
        assert (kind, data["why"]) == ("part.withdrawn", why)
    assert "part.returned" not in inbox(story, "quality")
    assert {one.part_id for one in timers_of(story.case, BUREAUS)} & {P2, P3, P4} == set()


def test_the_desk_withdraws_one_piece_and_the_bureau_reads_it() -> None:
    story = lifts(withdrawn(WEST, why="西区已并入东区"), after=passed_on())
    assert (story.case.state, states(story)[EAST]) == ("in-progress", "offered")
    kind, data = story.on(topics.inbox("quality"))[-1]
    assert (kind, data["part_id"], data["reason"], data["words"]) == (
        "part.returned",
        P3,
        "withdrawn",
        "西区已并入东区",
    )


def test_a_retired_office_s_piece_goes_back_to_the_bureau_and_not_to_triage() -> None:
    story = lifts(recalled(WEST), after=passed_on())
    assert (story.case.state, states(story)[WEST], inbox(story, "quality")[-1]) == (
        "in-progress",
        "withdrawn",
        "part.returned",
    )


def test_the_whole_part_moves_to_one_of_the_offices() -> None:
    story = lifts(reassigned("quality", EAST, words="由东区直接答复"), after=passed_on())
    assert (code(story), story.case.lead, len(story.case.delegated_parts)) == (None, EAST, 0)
    assert inbox(story, EAST) == ["part.offered", "part.withdrawn", "part.offered"]
    assert code(lifts(reassigned("quality", "lighting"), after=lifts(received("电梯和路灯")))) == "department-has-part"


def test_a_piece_is_not_reassigned_by_itself() -> None:
    story = lifts(reassigned(WEST, "lighting"), after=passed_on())
    assert (code(story), states(story)[WEST]) == ("delegated-part", "offered")


# ── clocks ───────────────────────────────────────────────────────────────────


def due(story: Story, part_id: str) -> dict[str, str]:
    found = story.case.parts[part_id].due
    return {"accept": found["accept"], "first_reply": found["first_reply"], "resolve": found["resolve"]}


def test_the_clocks_of_the_offices_end_before_those_of_the_bureau() -> None:
    """Offered on Monday at noon with two days of 7.5 hours; delegated at 14:00, when 14.5 hours of work are left."""
    story = lifts(LIFTS, later(delegated("quality", EAST), MONDAY_NOON + timedelta(hours=2)))
    assert due(story, P1)["resolve"] == "2026-03-18T04:00:00.000Z"
    # 80 % of 14.5 hours are 11 h 36 min: 4 h until Monday 18:00, 7.5 h on Tuesday, 6 min on Wednesday.
    assert due(story, P2) == {
        "accept": "2026-03-16T08:00:00.000Z",
        "first_reply": "2026-03-18T01:06:00.000Z",
        "resolve": "2026-03-18T01:06:00.000Z",
    }


@pytest.mark.parametrize("hours", [0, 1, 24, 40, 47, 47.99])
def test_at_any_time_before_the_due_time_an_office_has_less_time_than_the_bureau(hours: float) -> None:
    story = lifts(LIFTS, later(delegated("quality", EAST), MONDAY_NOON + timedelta(hours=hours)))
    own = due(story, P2)
    assert own["accept"] <= own["resolve"] < due(story, P1)["resolve"]


def test_when_the_bureau_is_late_already_an_office_gets_its_own_policy_s_time() -> None:
    story = lifts(LIFTS, later(delegated("quality", EAST), MONDAY_NOON + timedelta(days=3)))
    assert due(story, P2)["resolve"] == "2026-03-23T04:00:00.000Z"


def test_the_offices_are_judged_by_their_own_clocks_and_counted_as_parts() -> None:
    story = lifts(accepted(EAST), contributed(EAST, "合格"), contributed("quality", "已核查"), after=passed_on())
    facts = [
        CaseFact(number, timestamps.from_text(data["at"]), event_body(f"chorus.{kind}", data))
        for number, (kind, data) in enumerate(story.on(topics.EVENTS), 1)
    ]
    board = rows([facts], MARCH, NEXT_YEAR)
    assert {code: one.assigned for code, one in board.items()} == {"quality": 1, EAST: 1, WEST: 1, NORTH: 1}
    assert (board[EAST].answered, board[EAST].released, board[EAST].resolve.kept) == (1, 0, 1)
    assert (board[WEST].resolve.broken, board["quality"].resolve.kept, board["quality"].released) == (1, 1, 1)
    assert {one.department for one in clocks(facts)} == {"quality", *ALL}


# ── stored and repeated ──────────────────────────────────────────────────────


def test_a_delegated_case_folds_to_the_same_from_its_stored_decisions() -> None:
    long = "指示" * 300
    story = lifts(contributed(EAST, "合格" * 300), returned(WEST), withdrawn(NORTH), after=passed_on(long))
    stored = [from_document(one.document()) for one in story.decisions]
    assert case_of(INQUIRY, stored) == story.case
    assert with_messages(INQUIRY, stored) == list(story.decisions)
    assert [one for one in story.decisions[1].stored_messages if long in one.value] == []
    assert story.decisions[1].document()["v"] == 3


def test_a_clerk_without_kafka_reads_the_refusal_at_the_desk() -> None:
    story = lifts(LIFTS, at_the_desk(delegated("quality", "lighting"), 801))
    assert (code(story), inbox(story, "quality")) == ("not-an-office", ["part.offered"])
