"""Stories of a case: who gets it, what each input makes of it, and when its reply is joined."""

import pytest

from services.router.domain.case import Case, fold
from services.router.domain.city_index import city_index
from services.router.domain.decision import from_document
from services.router.domain.facts import UnknownFact
from shared.kafka import topics
from tests.builders import (
    CITY,
    INQUIRY,
    Step,
    Story,
    a_city,
    a_department,
    accepted,
    assigned,
    contributed,
    drafted,
    rated,
    recalled,
    received,
    replied,
    returned,
    told,
    withdrawn,
)

BOTH = received("路灯和路面都坏了")


def states(story: Story) -> dict[str, str]:
    return {part.department: part.state for part in story.case.parts.values()}


# ── who gets it ──────────────────────────────────────────────────────────────


def test_a_message_is_assigned_by_the_rule_that_finds_its_words() -> None:
    story = told(received("门口的路灯不亮"))
    assert (story.case.state, story.case.lead, story.case.co_handlers) == ("assigned", "lighting", ())
    assert story.events() == ["inquiry.registered", "inquiry.assigned", "part.offered"]
    [(kind, offer)] = story.on(topics.inbox("lighting"))
    assert (kind, offer["part_id"], offer["role"]) == ("part.offered", f"{INQUIRY}-p1", "lead")
    assert offer["why"].startswith("路灯归lighting（标题提到“路灯”） / lighting answers for dark")


def test_the_clocks_of_a_part_begin_with_the_assignment() -> None:
    [(_, offer)] = told(received("门口的路灯不亮")).on(topics.inbox("lighting"))
    assert offer["due"] == {
        "accept": "2026-03-17T04:00:00.000Z",
        "first_reply": "2026-03-19T04:00:00.000Z",
        "resolve": "2026-03-31T04:00:00.000Z",
    }


def test_a_message_goes_to_the_departments_its_writer_named() -> None:
    story = told(received("路灯不亮", departments=("parks", "water")))
    assert (story.case.lead, story.case.co_handlers) == ("parks", ("water",))


def test_what_no_rule_finds_waits_in_triage_until_somebody_assigns_it() -> None:
    story = told(received("我想说点别的"))
    assert (story.case.state, story.events()) == ("triage", ["inquiry.registered", "inquiry.triaged"])
    story = told(assigned("parks", "water"), after_this=story)
    assert (story.case.state, story.case.lead, story.case.co_handlers) == ("assigned", "parks", ("water",))
    assert [kind for kind, _ in story.on(topics.inbox("parks"))] == ["part.offered"]


def test_a_department_that_left_since_intake_looked_sends_the_message_to_triage() -> None:
    gone = a_department("gone", retired=True)
    story = told(received("路灯不亮", departments=("gone",)), city=city_index(a_city(*CITY.departments, gone)))
    assert story.case.state == "triage"
    assert story.on(topics.EVENTS)[-1][1]["reason"] == "unknown-department"


def test_twenty_departments_handle_one_inquiry_and_answer_with_one_voice() -> None:
    codes = tuple(f"bureau-{number}" for number in range(1, 21))
    city = city_index(a_city(*(a_department(code) for code in codes)))
    story = told(received("大家一起", departments=codes), city=city)
    assert len(story.case.active_parts) == 20
    story = told(*(contributed(code, f"{code} 的话") for code in reversed(codes)), city=city, after_this=story)
    assert story.case.state == "answered"
    assert story.texts() == [f"{code} 的话" for code in codes]


def test_a_number_that_was_received_before_is_refused() -> None:
    story = told(received("路灯不亮"), received("另一件事"))
    assert story.refusal == f"The inquiry '{INQUIRY}' was received before."
    assert story.case.n == 2
    assert story.last.messages == ()


def test_what_comes_before_its_inquiry_is_refused_and_changes_nothing() -> None:
    story = told(accepted("lighting"))
    assert story.refusal == f"There is no inquiry '{INQUIRY}' yet."
    assert story.case.state == "registered"
    assert [kind for kind, _ in story.on(topics.inbox("lighting"))] == ["message.refused"]


# ── the joint reply ──────────────────────────────────────────────────────────


def test_the_reply_waits_for_every_part_and_puts_the_lead_first() -> None:
    story = told(received("三家一起来修"), contributed("water", "水停了"), contributed("roads", "路补了"))
    assert story.case.state == "in-progress"
    assert story.resident()["case"]["reply"] is None
    story = told(contributed("lighting", "灯亮了"), after_this=story)
    assert story.case.state == "answered"
    assert story.texts() == ["灯亮了", "路补了", "水停了"]
    assert (
        story.resident()["case"]["reply"]["text"]
        == "【路灯管理所】\n灯亮了\n\n【道路处】\n路补了\n\n【自来水公司】\n水停了"
    )


def test_every_department_learns_that_nothing_more_is_owed() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), contributed("roads", "路补了"))
    for number, department in enumerate(("lighting", "roads"), 1):
        kind, closed = story.on(topics.inbox(department))[-1]
        assert (kind, closed["part_id"], closed["round"]) == ("part.closed", f"{INQUIRY}-p{number}", 1)


@pytest.mark.parametrize(
    "words",
    [
        "🚧👷‍♀️ done",
        "تم إصلاح المصباح\u202e",
        "第一行\n\n  第二行\r\n\t第三行 ",
        "话" * 20_000,
        "{text} %s {0} {{",
        "上\u2028下",
    ],
    ids=["emoji", "right to left", "lines", "20,000 characters", "braces", "line separator"],
)
def test_a_departments_words_stay_as_they_are(words: str) -> None:
    story = told(received("路灯不亮"), contributed("lighting", words))
    assert story.texts() == [words]
    assert words in story.resident()["text"]


def test_a_draft_completes_nothing_and_is_shown_to_nobody() -> None:
    story = told(received("路灯不亮"), drafted("lighting", "草稿里的话"))
    assert (story.case.state, states(story)) == ("in-progress", {"lighting": "accepted"})
    assert not any("草稿里的话" in message.value.decode() for message in story.messages)
    story = told(contributed("lighting", "定稿"), after_this=story)
    assert story.texts() == ["定稿"]


def test_an_interim_word_reaches_the_resident_and_answers_nothing() -> None:
    story = told(received("路灯不亮"), replied("lighting", "灯泡周五到货"))
    assert (story.case.state, story.resident()["what"]) == ("in-progress", "replied")
    assert story.resident()["text"] == "路灯管理所告知进展：灯泡周五到货"
    assert story.events()[-2:] == ["part.accepted", "inquiry.replied"]


def test_a_contribution_says_by_itself_that_the_part_is_accepted() -> None:
    story = told(BOTH, contributed("roads", "路补了"))
    assert story.events()[-2:] == ["part.accepted", "part.contributed"]
    story = told(accepted("lighting"), contributed("lighting", "灯亮了"), after_this=story)
    assert story.events().count("part.accepted") == 2


# ── what a department may not ────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (accepted("lighting"), accepted("lighting"), "is accepted already"),
        (contributed("lighting", "灯亮了"), contributed("lighting", "灯又亮了"), "is contributed already"),
        (contributed("lighting", "灯亮了"), returned("lighting"), "is contributed already"),
        (contributed("lighting", "灯亮了"), replied("lighting", "稍等"), "is contributed already"),
        (returned("lighting"), contributed("lighting", "灯亮了"), "is returned already"),
        (returned("lighting"), returned("lighting"), "is returned already"),
        (withdrawn("lighting"), accepted("lighting"), "is withdrawn already"),
        (accepted("lighting"), accepted("roads", part=f"{INQUIRY}-p1"), "is not 'roads''s"),
        (accepted("lighting"), accepted("lighting", part=f"{INQUIRY}-p7"), "is not 'lighting''s"),
        (accepted("lighting"), accepted("parks", part=f"{INQUIRY}-p2"), "is not 'parks''s"),
    ],
    ids=[
        "accept twice",
        "contribute twice",
        "return what is contributed",
        "reply after contributing",
        "contribute what is returned",
        "return twice",
        "accept what is withdrawn",
        "another's part",
        "an unknown part",
        "a part of an inquiry that one does not handle",
    ],
)
def test_what_the_state_forbids_comes_back_with_cause_reason_and_remedy(first: Step, second: Step, reason: str) -> None:
    story = told(BOTH, first, second)
    assert reason in (story.refusal or "")
    sender = story.inputs[-1].department
    assert sender is not None
    [message] = story.last.messages
    assert message.topic == topics.inbox(sender)
    kind, refused = story.on(message.topic)[-1]
    assert kind == "message.refused"
    assert refused["cause"] == "origin-3"
    assert reason in refused["reason"]
    assert refused["remedy"].endswith(".")


def test_a_refusal_changes_nothing_but_the_count_of_decisions() -> None:
    before = told(BOTH, accepted("lighting"))
    after = told(accepted("lighting"), after_this=before)
    assert (after.case.n, after.case.sequence) == (before.case.n + 1, before.case.sequence)
    assert (after.case.parts, after.case.state) == (before.case.parts, before.case.state)


# ── returned and withdrawn ───────────────────────────────────────────────────


def test_a_returned_part_lies_in_triage_and_the_reply_waits_for_somebody_else() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), returned("roads"))
    assert story.case.state == "triage"
    assert story.resident()["case"]["reply"] is None
    story = told(assigned("lighting", "water"), after_this=story)
    assert (story.case.state, story.case.co_handlers) == ("in-progress", ("water",))
    story = told(contributed("water", "水也好了"), after_this=story)
    assert story.texts() == ["灯亮了", "水也好了"]


def test_when_the_last_missing_part_is_returned_the_others_do_not_answer_without_it() -> None:
    story = told(BOTH, returned("roads"), contributed("lighting", "灯亮了"))
    assert (story.case.state, "inquiry.answered" in story.events()) == ("triage", False)


def test_a_returned_part_that_is_withdrawn_lets_the_others_answer() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), returned("roads"), withdrawn("roads"))
    assert (story.case.state, story.texts()) == ("answered", ["灯亮了"])


def test_a_returned_part_may_be_given_to_those_who_have_one() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), returned("roads"), assigned("lighting"))
    assert (story.case.state, story.texts()) == ("answered", ["灯亮了"])


def test_when_a_lead_returned_and_is_withdrawn_the_next_one_leads_and_is_told() -> None:
    story = told(received("三家一起"), returned("lighting"), withdrawn("lighting"))
    assert (story.case.lead, story.case.co_handlers) == ("roads", ("water",))
    kind, change = story.on(topics.inbox("roads"))[-1]
    assert (kind, change["role"], change["lead"], change["co_handlers"]) == ("part.changed", "lead", "roads", ["water"])
    story = told(contributed("water", "水停了"), contributed("roads", "路补了"), after_this=story)
    assert story.texts() == ["路补了", "水停了"]


def test_a_new_lead_makes_the_old_one_a_co_handler_and_tells_it() -> None:
    story = told(BOTH, returned("roads"), assigned("water"))
    assert (story.case.lead, story.case.co_handlers) == ("water", ("lighting",))
    kind, change = story.on(topics.inbox("lighting"))[-1]
    assert (kind, change["role"], change["lead"]) == ("part.changed", "co-handler", "water")


@pytest.mark.parametrize(
    "change", [withdrawn("water"), returned("water")], ids=["withdrawn", "returned and given to parks"]
)
def test_whoever_stays_learns_who_handles_it_now(change: Step) -> None:
    story = told(received("三家一起"), change)
    if story.case.state == "triage":
        story = told(assigned("lighting", "parks", "roads"), after_this=story)
    for department, role in (("lighting", "lead"), ("roads", "co-handler")):
        kind, now = story.on(topics.inbox(department))[-1]
        assert (kind, now["role"], now["lead"]) == ("part.changed", role, "lighting")
        assert now["co_handlers"] == list(story.case.co_handlers)


def test_who_returned_may_be_asked_again_and_gets_a_part_of_its_own() -> None:
    story = told(received("路灯不亮"), returned("lighting"), assigned("lighting"))
    assert [part.id[-2:] for part in story.case.parts.values()] == ["p1", "p2"]
    assert [part.state for part in story.case.parts.values()] == ["returned", "offered"]
    assert told(contributed("lighting", "亮了"), after_this=story).texts() == ["亮了"]


def test_when_all_parts_are_withdrawn_the_case_lies_in_triage() -> None:
    story = told(BOTH, withdrawn("roads"), withdrawn("lighting"))
    assert (story.case.state, story.case.lead) == ("triage", None)
    assert story.on(topics.EVENTS)[-1][1]["reason"] == "no-department"
    assert told(assigned("parks"), contributed("parks", "好"), after_this=story).texts() == ["好"]


def test_the_department_whose_part_is_withdrawn_is_told_why() -> None:
    kind, data = told(BOTH, withdrawn("roads", "写错了部门")).on(topics.inbox("roads"))[-1]
    assert (kind, data["why"]) == ("part.withdrawn", "写错了部门")


@pytest.mark.parametrize(
    "steps",
    [
        (contributed("lighting", "亮了"), withdrawn("lighting")),
        (withdrawn("lighting"), withdrawn("lighting")),
        (returned("lighting"), assigned("roads"), withdrawn("lighting")),
        (withdrawn("parks"),),
    ],
    ids=["contributed", "withdrawn", "returned and settled", "nobody's"],
)
def test_only_what_is_open_or_returned_can_be_withdrawn(steps: tuple[Step, ...]) -> None:
    story = told(BOTH, *steps)
    assert "cannot be withdrawn" in (story.refusal or "")


# ── a department is retired ──────────────────────────────────────────────────


def test_what_is_open_at_a_retired_department_lies_in_triage_until_somebody_else_has_it() -> None:
    story = told(BOTH, accepted("lighting"), recalled("lighting"), contributed("roads", "路补了"))
    assert (story.case.state, story.case.lead, "inquiry.answered" in story.events()) == ("triage", None, False)
    assert story.events()[5:7] == ["part.withdrawn", "inquiry.triaged"]
    [why] = [data for kind, data in story.on(topics.EVENTS) if kind == "inquiry.triaged"]
    assert (why["reason"], why["part_id"], why["department"]) == ("department-retired", f"{INQUIRY}-p1", "lighting")
    story = told(assigned("water", "roads"), contributed("water", "水也修了"), after_this=story)
    assert (story.case.state, story.texts()) == ("answered", ["水也修了", "路补了"])


def test_those_who_have_a_part_may_answer_without_the_retired_one() -> None:
    story = told(BOTH, contributed("roads", "路补了"), recalled("lighting"), assigned("roads"))
    assert (story.case.state, story.texts()) == ("answered", ["路补了"])


def test_a_retired_department_and_its_resident_are_told() -> None:
    story = told(BOTH, recalled("lighting", "The department is retired: 并入水务局"))
    kind, data = story.on(topics.inbox("lighting"))[-1]
    assert (kind, data["why"]) == ("part.withdrawn", "The department is retired: 并入水务局")
    texts = [data["text"] for _, data in story.on(topics.RESIDENTS)[-2:]]
    assert texts == ["路灯管理所不再承办。", "您的诉求正由人工研判，确定办理部门。"]


@pytest.mark.parametrize(
    "steps",
    [(contributed("lighting", "亮了"),), (returned("lighting"),), (recalled("lighting"),), (withdrawn("lighting"),)],
    ids=["contributed", "returned", "recalled", "withdrawn"],
)
def test_what_is_not_open_is_not_recalled(steps: tuple[Step, ...]) -> None:
    story = told(BOTH, *steps, recalled("lighting"))
    assert story.refusal == f"The part '{INQUIRY}-p1' cannot be recalled."


def test_what_a_department_wrote_before_it_knew_is_refused_with_a_sentence() -> None:
    story = told(BOTH, recalled("lighting"), contributed("lighting", "灯亮了"))
    assert story.refusal == f"The part '{INQUIRY}-p1' is withdrawn already."


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (assigned("nobody"), "'nobody' is no active department."),
        (assigned("parks", "parks"), "A department is named twice."),
        (assigned("parks", "ghosts", "spirits"), "'ghosts', 'spirits' is no active department."),
    ],
)
def test_a_wrong_assignment_is_refused_with_what_is_wrong(command: Step, reason: str) -> None:
    assert told(received("别的"), command).refusal == reason


def test_only_what_lies_in_triage_can_be_assigned() -> None:
    assert (
        told(received("路灯不亮"), assigned("parks")).refusal == f"The inquiry '{INQUIRY}' is assigned, not in triage."
    )


def test_twenty_one_departments_are_too_many() -> None:
    codes = tuple(f"bureau-{number}" for number in range(1, 22))
    city = city_index(a_city(*(a_department(code) for code in codes)))
    story = told(received("大家一起", departments=codes[:20]), returned(codes[1]), city=city)
    story = told(assigned(codes[20], codes[1]), city=city, after_this=story)
    assert story.refusal == "That makes 21 departments."


# ── the resident's word ──────────────────────────────────────────────────────


def test_an_answer_is_rated_once() -> None:
    story = told(received("路灯不亮"), contributed("lighting", "亮了"), rated(satisfied="mostly", words="还行"))
    assert (
        story.on(topics.EVENTS)[-1][1] | {"solved": True, "satisfied": "mostly", "round": 1}
        == (story.on(topics.EVENTS)[-1][1])
    )
    assert told(rated(), after_this=story).refusal == f"Round 1 of '{INQUIRY}' is rated already."


@pytest.mark.parametrize("steps", [(rated(),), (contributed("lighting", "亮了"), rated(2))], ids=["early", "round 2"])
def test_what_has_no_answer_cannot_be_rated(steps: tuple[Step, ...]) -> None:
    story = told(received("路灯不亮"), *steps)
    assert "has no answer to rate" in (story.refusal or "")


# ── repeats ──────────────────────────────────────────────────────────────────


def test_the_same_bytes_under_the_same_id_are_a_repeat() -> None:
    once = told(received("路灯不亮"), accepted("lighting", id="a"))
    assert told(accepted("lighting", id="a"), after_this=once).decisions == once.decisions


def test_other_bytes_under_a_used_id_are_refused_once_and_name_the_senders_id() -> None:
    story = told(received("路灯不亮"), accepted("lighting", id="a"), contributed("lighting", "亮了", id="a"))
    assert story.refusal == "The id 'origin-a' was used before, for another message."
    assert (story.case.state, story.case.n) == ("in-progress", 3)
    again = told(contributed("lighting", "亮了", id="a"), accepted("lighting", id="a"), after_this=story)
    assert again.decisions == story.decisions


# ── folding ──────────────────────────────────────────────────────────────────


def test_a_fact_of_a_later_version_changes_nothing() -> None:
    case = told(BOTH, accepted("roads")).case
    assert fold(case, UnknownFact("inquiry.paused", {"until": "2026-04-01"})) == case


def test_every_decision_survives_its_document() -> None:
    story = told(
        received("三家一起", contact={"name": "陈测试"}, confidential=True),
        accepted("roads", by="王工"),
        replied("water", "🚰 稍等"),
        accepted("roads"),
        returned("lighting", suggest="parks"),
        assigned("parks"),
        contributed("parks", "树修了"),
        contributed("roads", "路补了"),
        contributed("water", "水停了"),
        rated(),
    )
    assert story.case.state == "answered"
    for decision in story.decisions:
        assert from_document(decision.document()) == decision


def test_a_case_without_decisions_is_nothing_yet() -> None:
    case = Case(INQUIRY)
    assert (case.n, case.state, case.lead, case.complete) == (0, "registered", None, False)
