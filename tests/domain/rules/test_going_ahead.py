"""The lead goes ahead without a late co-handler: inside everybody knows, and the late part stays open."""

import json
from datetime import timedelta

import pytest

from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from services.router.domain.timers import timers_of
from shared.kafka import topics
from tests.builders import (
    INQUIRY,
    Step,
    Story,
    accepted,
    assigned,
    contributed,
    later,
    rated,
    received,
    returned,
    told,
)
from tests.domain.rules.stories import BOTH, states
from tests.joining import APPROVED_FIRST, DUE, GOING_AHEAD, late, waiting_for, went_ahead
from tests.releasing import FIRST, SECOND, approved, hash_of, release_refused, reply_edited

P1, P2, P3 = (f"{INQUIRY}-p{number}" for number in (1, 2, 3))
LIGHTING_IN = (BOTH, contributed("lighting", "灯亮了"))
THREE = received("三家一起来修")


def going(*steps: Step, after: Story | None = None, city: object = None) -> Story:
    return told(*steps, city=city or GOING_AHEAD, after_this=after)  # type: ignore[arg-type]


def code(story: Story) -> str | None:
    return story.last.refusal


def said(story: Story) -> list[str]:
    """What kinds of messages the resident got, in order."""
    return [data["what"] for _, data in story.on(topics.RESIDENTS)]


def inbox(story: Story, department: str) -> list[str]:
    return [kind for kind, _ in story.on(topics.inbox(department))]


def public(story: Story, since: int = 0) -> str:
    """Everything that the resident, the hall and mails are made of, from this decision on."""
    messages = [one for decision in story.decisions[since:] for one in decision.messages]
    return "".join(one.value.decode() for one in messages if one.topic == topics.RESIDENTS)


# ── when the lead may go ahead ───────────────────────────────────────────────


def test_the_lead_goes_ahead_once_the_co_handler_is_late() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()))
    assert story.events()[-3:] == ["part.omitted", "reply.composed", "inquiry.answered"]
    assert (story.case.state, story.texts()) == ("answered", ["灯亮了"])
    assert story.resident()["case"]["reply"]["text"] == "【路灯管理所】\n灯亮了"


def test_exactly_at_the_due_time_the_co_handler_is_not_late() -> None:
    story = going(*LIGHTING_IN, later(went_ahead(), DUE))
    assert (code(story), story.case.state) == ("part-not-late", "in-progress")
    assert story.refusal == f"The part '{P2}' of 'roads' is due until 2026-03-31T04:00:00.000Z."
    assert going(later(went_ahead(), DUE + timedelta(milliseconds=1)), after=story).case.state == "answered"


def test_by_the_other_policy_the_reply_waits_for_all() -> None:
    story = told(*LIGHTING_IN, late(went_ahead()))
    assert (code(story), story.case.state) == ("reply-waits-for-all", "in-progress")


def test_the_policy_of_the_missing_part_counts() -> None:
    city = waiting_for("roads")
    assert code(going(*LIGHTING_IN, late(went_ahead()), city=city)) == "reply-waits-for-all"
    city = waiting_for("lighting")
    assert going(*LIGHTING_IN, late(went_ahead()), city=city).case.state == "answered"


def test_every_missing_part_must_be_late() -> None:
    moved = (THREE, contributed("lighting", "灯亮了"), returned("water"), late(assigned("lighting", "parks"), -1))
    story = going(*moved, late(went_ahead()))
    assert (code(story), story.case.state) == ("part-not-late", "in-progress")
    assert "'parks'" in (story.refusal or "")
    story = going(late(went_ahead(), 24 * 15), after=story)
    assert (story.case.state, story.texts()) == ("answered", ["灯亮了"])


def test_the_lead_itself_must_have_contributed() -> None:
    story = going(BOTH, contributed("roads", "路补了"), late(went_ahead()))
    assert (code(story), story.case.state) == ("lead-not-contributed", "in-progress")


def test_only_the_lead_and_the_desk_go_ahead() -> None:
    story = going(*LIGHTING_IN, late(went_ahead("roads")))
    assert (code(story), inbox(story, "roads")[-1]) == ("not-the-lead", "message.refused")
    assert going(late(went_ahead(user=801)), after=story).case.state == "answered"
    assert going(late(went_ahead(None, user=802)), after=story).case.state == "answered"


def test_a_reply_that_misses_nothing_needs_nobody_to_go_ahead() -> None:
    story = going(*LIGHTING_IN, contributed("roads", "路补了"), late(went_ahead()))
    assert (code(story), story.case.state) == ("nothing-missing", "answered")


def test_a_part_in_triage_is_settled_first() -> None:
    story = going(*LIGHTING_IN, returned("roads"), late(went_ahead()))
    assert (code(story), story.case.state) == ("in-triage", "triage")


def test_the_lead_s_contribution_after_the_due_time_goes_ahead_by_itself() -> None:
    story = going(BOTH, late(contributed("lighting", "灯亮了")))
    assert story.events()[-5:] == [
        "part.accepted",
        "part.contributed",
        "part.omitted",
        "reply.composed",
        "inquiry.answered",
    ]


def test_the_lead_s_contribution_waits_while_one_part_is_not_late() -> None:
    moved = (THREE, returned("water"), late(assigned("lighting", "parks"), -1))
    story = going(*moved, late(contributed("lighting", "灯亮了")))
    assert (story.case.state, story.events()[-1]) == ("in-progress", "part.contributed")


def test_a_co_handler_s_contribution_releases_nothing_without_the_others() -> None:
    story = going(THREE, contributed("lighting", "灯亮了"), late(contributed("roads", "路补了")))
    assert (story.case.state, story.events()[-1]) == ("in-progress", "part.contributed")


def test_by_the_policy_of_all_the_lead_s_contribution_waits_too() -> None:
    assert told(BOTH, late(contributed("lighting", "灯亮了"))).case.state == "in-progress"


# ── the missing one is named inside, and not to the public ───────────────────


def test_events_and_departments_name_the_missing_one() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()))
    [omitted] = [data for kind, data in story.on(topics.EVENTS) if kind == "part.omitted"]
    assert (omitted["part_id"], omitted["department"]) == (P2, "roads")
    kind, closed = story.on(topics.inbox("lighting"))[-1]
    assert (kind, closed["missing"]) == ("part.closed", ["roads"])
    kind, told_roads = story.on(topics.inbox("roads"))[-1]
    assert (kind, told_roads["part_id"], told_roads["lead"]) == ("part.omitted", P2, "lighting")


def test_the_resident_and_the_hall_do_not_read_who_is_missing() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()), late(accepted("roads"), 2))
    after = public(story, since=2)
    assert "roads" not in after
    assert "道路处" not in after
    assert [one["code"] for one in story.resident()["case"]["departments"]] == ["lighting"]


def test_the_lead_reads_who_is_missing_in_the_draft() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()), city=APPROVED_FIRST)
    [(_, draft)] = [one for one in story.on(topics.inbox("lighting")) if one[0] == "reply.draft"]
    assert draft["missing"] == ["roads"]
    assert "道路处" not in draft["text"]


# ── the duty of the missing one goes on ──────────────────────────────────────


def test_the_part_and_its_clocks_stay_open() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()))
    assert states(story) == {"lighting": "contributed", "roads": "offered"}
    assert "part.closed" not in inbox(story, "roads")
    assert "part.withdrawn" not in inbox(story, "roads")
    assert {one.part_id for one in timers_of(story.case, GOING_AHEAD) if one.kind != "rating-reminder"} == {P2}
    [row] = [data for kind, data in story.on(topics.EVENTS) if kind == "inquiry.answered"]
    assert (row["departments"], row["part_states"]) == (["lighting", "roads"], {"contributed": 1, "offered": 1})
    story = going(late(accepted("roads"), 2), after=story)
    assert (code(story), states(story)["roads"], story.case.state) == (None, "accepted", "answered")


def test_the_late_part_can_be_returned_and_answered_by_another_department() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()), late(returned("roads"), 2))
    assert story.case.state == "triage"
    assert (story.resident()["case"]["state"], story.texts()) == ("answered", ["灯亮了"])
    story = going(late(assigned("lighting", "parks"), 3), after=story)
    assert story.case.state == "answered"
    told_before = len(said(story))
    story = going(late(contributed("parks", "树根挖了"), 4), after=story)
    assert said(story)[told_before:] == ["supplemented"]


# ── the addendum ─────────────────────────────────────────────────────────────


def test_a_late_contribution_becomes_an_addendum() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()), late(contributed("roads", "路补了"), 2))
    assert story.events()[-4:] == ["part.accepted", "part.contributed", "reply.composed", "inquiry.supplemented"]
    [*_, composed] = [data for kind, data in story.on(topics.EVENTS) if kind == "reply.composed"]
    assert (composed["reply_id"], composed["version"], composed["addendum"]) == (f"{INQUIRY}-r1-a1", 1, 1)
    [*_, added] = [data for kind, data in story.on(topics.EVENTS) if kind == "inquiry.supplemented"]
    assert (added["round"], added["addendum"], added["parts"]) == (1, 1, [P2])
    reply = story.resident()["case"]["reply"]
    assert reply["text"] == "【路灯管理所】\n灯亮了"
    assert reply["addenda"] == [
        {
            "at": "2026-03-31T06:00:00.000Z",
            "paragraphs": [{"department": "roads", "name": "道路处", "text": "路补了"}],
        }
    ]
    assert reply["at"] == "2026-03-31T05:00:00.000Z"
    assert [one["code"] for one in story.resident()["case"]["departments"]] == ["lighting", "roads"]


def test_the_resident_is_told_once_per_addendum() -> None:
    story = going(THREE, contributed("lighting", "灯亮了"), late(went_ahead()))
    before = len(said(story))
    story = going(late(contributed("roads", "路补了"), 2), late(contributed("water", "管换了"), 3), after=story)
    assert said(story)[before:] == ["supplemented", "supplemented"]
    assert [data["text"] for _, data in story.on(topics.RESIDENTS)[before:]] == [
        "您反映的问题有补充答复。\n\n【道路处】\n路补了",
        "您反映的问题有补充答复。\n\n【自来水公司】\n管换了",
    ]
    kind, closed = story.on(topics.inbox("roads"))[-1]
    assert (kind, closed["addendum"], closed["missing"]) == ("part.closed", 1, ["water"])


def test_a_redelivered_late_contribution_adds_nothing() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()), late(contributed("roads", "路补了", id="late"), 2))
    again = going(late(contributed("roads", "路补了", id="late"), 2), after=story)
    assert len(again.decisions) == len(story.decisions)
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)
    assert case_of(INQUIRY, stored) == story.case


def test_a_late_contribution_before_the_release_joins_the_reply_and_voids_the_approvals() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()), city=APPROVED_FIRST)
    former = hash_of(story.case)
    story = going(late(contributed("roads", "路补了"), 2), after=story, city=APPROVED_FIRST)
    assert story.events()[-3:] == ["part.contributed", "reply.composed", "inquiry.awaiting-release"]
    story = going(late(approved(text_hash=former), 3), after=story, city=APPROVED_FIRST)
    assert code(story) == "stale-text"
    story = going(late(approved(), 4), after=story, city=APPROVED_FIRST)
    assert (story.texts(), "addenda" in story.resident()["case"]["reply"]) == (["灯亮了", "路补了"], False)


def answered_then_late() -> Story:
    """The reply went out without roads, and the addendum of roads waits for an approval."""
    steps = (*LIGHTING_IN, late(went_ahead()), late(approved(), 2), late(contributed("roads", "路补了"), 3))
    return going(*steps, city=APPROVED_FIRST)


def test_an_addendum_waits_for_approvals_as_the_reply_did() -> None:
    story = answered_then_late()
    assert (story.case.state, story.events()[-1]) == ("awaiting-release", "inquiry.awaiting-release")
    assert (story.resident()["case"]["state"], said(story)[-1]) == ("answered", "answered")
    assert "路补了" not in public(story)
    story = going(late(approved(), 4), after=story, city=APPROVED_FIRST)
    assert story.events()[-3:] == ["reply.approved", "reply.released", "inquiry.supplemented"]
    assert (story.case.state, said(story)[-1], said(story).count("supplemented")) == ("answered", "supplemented", 1)
    assert story.texts() == ["灯亮了"]


def test_the_author_of_an_addendum_does_not_approve_it() -> None:
    story = going(late(approved(SECOND, department="roads"), 4), after=answered_then_late(), city=APPROVED_FIRST)
    assert (code(story), story.case.state) == ("own-text", "awaiting-release")
    story = going(late(approved(FIRST, department="lighting"), 5), after=story, city=APPROVED_FIRST)
    assert story.case.state == "answered"


def test_an_addendum_that_is_refused_is_written_again() -> None:
    story = going(late(release_refused("写明日期"), 4), after=answered_then_late(), city=APPROVED_FIRST)
    assert (states(story)["roads"], states(story)["lighting"], story.case.state) == (
        "accepted",
        "contributed",
        "answered",
    )
    assert inbox(story, "roads")[-1] == "reply.refused"
    assert "reply.refused" not in inbox(story, "lighting")
    story = going(late(contributed("roads", "周五补好"), 5), after=story, city=APPROVED_FIRST)
    assert story.case.reply is not None
    assert (story.case.reply.id, story.case.reply.version) == (f"{INQUIRY}-r1-a1", 2)
    story = going(late(approved(), 6), after=story, city=APPROVED_FIRST)
    assert [one["text"] for one in story.resident()["case"]["reply"]["addenda"][0]["paragraphs"]] == ["周五补好"]
    assert "路补了" not in public(story)


def test_the_lead_edits_what_is_around_an_addendum() -> None:
    story = going(
        late(reply_edited(opening="补充如下：", closing="此复。"), 4), after=answered_then_late(), city=APPROVED_FIRST
    )
    story = going(late(approved(), 5), after=story, city=APPROVED_FIRST)
    [addendum] = story.resident()["case"]["reply"]["addenda"]
    assert (addendum["opening"], addendum["closing"]) == ("补充如下：", "此复。")
    assert story.resident()["text"].endswith("补充如下：\n\n【道路处】\n路补了\n\n此复。")
    assert "opening" not in story.resident()["case"]["reply"]


def test_the_frame_of_the_reply_is_not_repeated_around_the_addendum() -> None:
    steps = (*LIGHTING_IN, late(went_ahead()), late(reply_edited(opening="您好："), 2), late(approved(), 3))
    story = going(*steps, late(contributed("roads", "路补了"), 4), late(approved(), 5), city=APPROVED_FIRST)
    reply = story.resident()["case"]["reply"]
    assert (reply["opening"], "opening" in reply["addenda"][0]) == ("您好：", False)


def test_a_resident_may_rate_while_an_addendum_waits() -> None:

    story = going(late(rated(), 4), after=answered_then_late(), city=APPROVED_FIRST)
    assert (code(story), story.case.rated) == (None, frozenset({1}))


def test_a_released_contribution_cannot_be_replaced_while_the_addendum_waits() -> None:
    story = going(late(contributed("lighting", "另一番话"), 4), after=answered_then_late(), city=APPROVED_FIRST)
    assert (code(story), story.case.state) == ("part-released", "awaiting-release")
    assert story.last.refused is not None
    assert "correct" in story.last.refused.remedy
    story = going(late(contributed("roads", "路面周五重铺"), 5), after=story, city=APPROVED_FIRST)
    assert (code(story), story.case.reply and story.case.reply.version) == (None, 2)


def test_two_late_parts_share_an_addendum_that_still_waits() -> None:
    steps = (THREE, contributed("lighting", "灯亮了"), late(went_ahead()), late(approved(), 2))
    late_ones = late(contributed("roads", "路补了"), 3), late(contributed("water", "管换了"), 4)
    story = going(*steps, *late_ones, late(reply_edited(order=("water", "roads")), 5), city=APPROVED_FIRST)
    assert story.case.reply is not None
    assert (story.case.reply.id, story.case.reply.version) == (f"{INQUIRY}-r1-a1", 3)
    assert [one.department for one in story.case.reply.paragraphs] == ["water", "roads"]


def test_a_refused_lead_writes_again_and_the_reply_still_goes_out_without_the_late_part() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()), late(release_refused("写明日期"), 2), city=APPROVED_FIRST)
    assert states(story) == {"lighting": "accepted", "roads": "offered"}
    story = going(late(contributed("lighting", "周五修好"), 3), late(approved(), 4), after=story, city=APPROVED_FIRST)
    assert (story.case.state, story.texts()) == ("answered", ["周五修好"])


def test_the_words_of_late_parts_are_in_no_event() -> None:
    story = going(*LIGHTING_IN, late(went_ahead()), late(contributed("roads", "机密"), 2))
    assert "机密" not in json.dumps(story.on(topics.EVENTS), ensure_ascii=False)
    assert "李工" not in json.dumps(story.on(topics.EVENTS), ensure_ascii=False)


@pytest.mark.parametrize("length", [1, 500])
def test_stored_messages_of_an_addendum_can_be_completed(length: int) -> None:
    steps = (BOTH, contributed("lighting", "甲" * length), late(went_ahead()), late(approved(), 2))
    added = late(contributed("roads", "乙" * length), 3), late(reply_edited(opening="丙" * length), 4)
    story = going(*steps, *added, late(approved(), 5), city=APPROVED_FIRST)
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)
    if length > 1:
        assert [one for one in story.last.stored_messages if "甲" * 20 in one.value or "乙" * 20 in one.value] == []
        assert story.last.picture is not None
        assert "甲" * 20 not in story.last.picture
