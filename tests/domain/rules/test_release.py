"""Release (审定): one exact version of the joint reply is approved, refused or edited before the resident gets it."""

import json
from typing import Any

import pytest

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from shared.contracts.department_inbox import ReplyDraft
from shared.kafka import topics
from tests.builders import (
    INQUIRY,
    Step,
    Story,
    accepted,
    assigned,
    at_the_desk,
    contributed,
    drafted,
    rated,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.domain.rules.stories import BOTH, states
from tests.releasing import (
    FIRST,
    ONE,
    SECOND,
    TWO,
    a_policy,
    approved,
    city_with,
    hash_of,
    release_refused,
    reply_edited,
)

CLERK, COLLEAGUE = 801, 802
P1, P2 = f"{INQUIRY}-p1", f"{INQUIRY}-p2"
IN = (BOTH, contributed("lighting", "灯亮了"), contributed("roads", "路补了"))
TEXT = "【路灯管理所】\n灯亮了\n\n【道路处】\n路补了"


def waiting(city: CityIndex = ONE) -> Story:
    """Both parts are in, and the reply waits for its release."""
    story = told(*IN, city=city)
    assert story.case.state == "awaiting-release"
    return story


def then(story: Story, *steps: Step, city: CityIndex = ONE) -> Story:
    return told(*steps, city=city, after_this=story)


def code(story: Story) -> str | None:
    return story.last.refusal


def drafts(story: Story, department: str = "lighting") -> list[dict[str, Any]]:
    return [data for kind, data in story.on(topics.inbox(department)) if kind == "reply.draft"]


def refusals(story: Story, department: str) -> list[tuple[str, int, str]]:
    found = [data for kind, data in story.on(topics.inbox(department)) if kind == "reply.refused"]
    return [(one["part_id"], one["version"], one["words"]) for one in found]


def answers(story: Story) -> list[dict[str, Any]]:
    """What the resident is told of an answer."""
    return [data for _, data in story.on(topics.RESIDENTS) if data["what"] == "answered"]


def readable_by_the_public(story: Story) -> str:
    """Everything that residents, the hall, mails, events and status pages are made of."""
    public = [one for one in story.messages if one.topic in (topics.RESIDENTS, topics.EVENTS)]
    return "".join(one.value.decode() for one in public)


# ── none, one or two approvers ───────────────────────────────────────────────


def test_without_approvers_the_reply_is_released_when_the_last_part_is_in() -> None:
    story = told(*IN)
    assert (story.case.state, story.events()[-2:]) == ("answered", ["reply.composed", "inquiry.answered"])


def test_one_approval_releases_the_reply() -> None:
    story = waiting()
    assert story.events()[-2:] == ["reply.composed", "inquiry.awaiting-release"]
    assert answers(story) == []
    story = then(story, approved())
    assert story.events()[-3:] == ["reply.approved", "reply.released", "inquiry.answered"]
    assert (story.case.state, story.texts()) == ("answered", ["灯亮了", "路补了"])
    assert [one["case"]["reply"]["text"] for one in answers(story)] == [TEXT]


def test_two_approvers_are_two_different_users() -> None:
    story = then(waiting(TWO), approved(FIRST), city=TWO)
    assert (story.case.state, answers(story), story.events()[-1]) == ("awaiting-release", [], "reply.approved")
    story = then(story, approved(FIRST), city=TWO)
    assert (code(story), story.case.state) == ("approved-before", "awaiting-release")
    story = then(story, approved(SECOND), city=TWO)
    assert (story.case.state, len(answers(story))) == ("answered", 1)


def test_the_strictest_policy_of_the_parts_counts() -> None:
    city = city_with(a_policy("roads", 2, "roads"), a_policy("lighting", 1, "lighting"), a_policy("standard", 0))
    story = waiting(city)
    assert story.on(topics.EVENTS)[-1][1]["approvers"] == 2
    assert told(received("路灯不亮"), contributed("lighting", "亮了"), city=city).case.state == "awaiting-release"
    assert told(received("水管漏水"), contributed("water", "修好了"), city=city).case.state == "answered"


def test_a_policy_that_changes_later_changes_nothing_for_a_reply_that_waits() -> None:
    story = then(waiting(), approved(), city=TWO)
    assert story.case.state == "answered"
    story = then(waiting(TWO), approved(), city=ONE)
    assert story.case.state == "awaiting-release"


def test_the_policy_that_would_apply_now_counts_when_the_city_no_longer_has_the_policy_of_a_part() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), city=city_with(a_policy("former", 0)))
    story = told(contributed("roads", "路补了"), city=ONE, after_this=story)
    assert story.case.state == "awaiting-release"


def test_the_departments_get_part_closed_at_the_release_and_not_before() -> None:
    story = waiting()
    assert "part.closed" not in [kind for kind, _ in story.on(topics.inbox("roads"))]
    story = then(story, approved())
    for department in ("lighting", "roads"):
        assert [kind for kind, _ in story.on(topics.inbox(department))].count("part.closed") == 1


def test_a_reply_that_waits_cannot_be_rated() -> None:
    assert code(then(waiting(), rated())) == "not-answered"


# ── approval binds to the exact version ──────────────────────────────────────


def test_an_approval_of_another_text_is_refused() -> None:
    story = then(waiting(), approved(text_hash="0" * 64))
    assert (code(story), story.case.state) == ("stale-text", "awaiting-release")
    assert story.refusal == (f"The hash '{'0' * 64}' is not the hash of version 1, the newest version of the reply.")
    assert hash_of(story.case) not in story.refusal


def test_an_edit_makes_a_new_version_and_voids_the_approvals() -> None:
    story = then(waiting(TWO), approved(FIRST), city=TWO)
    former = hash_of(story.case)
    story = then(story, reply_edited(opening="您好："), city=TWO)
    assert story.events()[-3:] == ["reply.edited", "reply.composed", "inquiry.awaiting-release"]
    story = then(story, approved(SECOND, text_hash=former), city=TWO)
    assert (code(story), story.case.state) == ("stale-text", "awaiting-release")
    story = then(story, approved(SECOND), city=TWO)
    assert (story.case.state, answers(story)) == ("awaiting-release", [])
    story = then(story, approved(FIRST), city=TWO)
    assert [one["case"]["reply"]["text"] for one in answers(story)] == [f"您好：\n\n{TEXT}"]


def test_an_author_replaces_a_final_answer_that_is_not_released_yet() -> None:
    story = waiting()
    former = hash_of(story.case)
    story = then(story, contributed("roads", "路面周五重铺"))
    assert story.events()[-3:] == ["part.contributed", "reply.composed", "inquiry.awaiting-release"]
    assert code(then(story, approved(text_hash=former))) == "stale-text"
    story = then(story, approved())
    assert (story.case.state, story.texts()) == ("answered", ["灯亮了", "路面周五重铺"])
    assert "路补了" not in readable_by_the_public(story)


def test_a_released_answer_cannot_be_replaced_this_way() -> None:
    story = then(waiting(), approved(), contributed("roads", "另一番话"))
    assert (code(story), story.texts()) == ("part-released", ["灯亮了", "路补了"])


def test_only_the_own_contribution_can_be_replaced() -> None:
    assert code(then(waiting(), contributed("water", "冒名", part=P2))) == "not-your-part"


@pytest.mark.parametrize(
    ("step", "refusal"),
    [
        (drafted("roads", "草稿"), "contribution-is-final"),
        (contributed("roads", "路补了"), "contribution-unchanged"),
        (replied("roads", "还在修"), "part-not-open"),
        (returned("roads"), "part-not-open"),
        (withdrawn("roads"), "part-not-withdrawable"),
        (accepted("roads"), "part-not-offered"),
        (assigned("roads"), "not-in-triage"),
    ],
)
def test_anything_else_leaves_the_version_and_its_approvals_as_they_are(step: Step, refusal: str) -> None:
    story = then(waiting(TWO), approved(FIRST), step, city=TWO)
    assert (code(story), story.case.state) == (refusal, "awaiting-release")
    assert then(story, approved(SECOND), city=TWO).case.state == "answered"


def test_the_released_text_is_the_approved_text() -> None:
    story = then(waiting(), reply_edited(opening="您好：", closing="谢谢。", order=("roads", "lighting")))
    approving = hash_of(story.case)
    story = then(story, approved(text_hash=approving))
    [answer] = answers(story)
    assert answer["case"]["reply"]["text"] == "您好：\n\n【道路处】\n路补了\n\n【路灯管理所】\n灯亮了\n\n谢谢。"
    assert story.case.released is not None
    assert story.case.released.sha256 == approving == hash_of(story.case)


# ── never an author ──────────────────────────────────────────────────────────


def at_the_desks(city: CityIndex = ONE) -> Story:
    """Two clerks without Kafka contribute at the desk."""
    desk = (
        at_the_desk(contributed("lighting", "灯亮了"), CLERK),
        at_the_desk(contributed("roads", "路补了"), COLLEAGUE),
    )
    return told(BOTH, *desk, city=city)


def test_a_user_who_wrote_a_contribution_does_not_approve() -> None:
    story = then(at_the_desks(), approved(COLLEAGUE, department="roads"))
    assert (code(story), story.case.state) == ("own-text", "awaiting-release")


def test_another_user_of_the_department_may_approve_what_a_clerk_wrote_at_the_desk() -> None:
    assert then(at_the_desks(), approved(FIRST, department="roads")).case.state == "answered"


def test_no_user_of_a_department_approves_what_came_from_its_outbox() -> None:
    for department in ("lighting", "roads"):
        story = then(waiting(), approved(FIRST, department=department))
        assert (code(story), story.case.state) == ("own-text", "awaiting-release")
    assert then(waiting(), approved(FIRST, department="water")).case.state == "answered"


def test_the_author_of_a_replaced_text_may_approve_the_new_one() -> None:
    story = then(at_the_desks(), at_the_desk(contributed("roads", "路面周五重铺"), CLERK))
    assert then(story, approved(COLLEAGUE, department="roads")).case.state == "answered"
    assert code(then(story, approved(CLERK))) == "own-text"


@pytest.mark.parametrize(("department", "user"), [("lighting", 803), (None, 803), ("lighting", None)])
def test_who_edited_the_reply_does_not_approve(department: str | None, user: int | None) -> None:
    story = then(at_the_desks(), reply_edited(department, opening="您好：", user=user))
    assert code(then(story, approved(user or FIRST, department=department))) == "own-text"
    assert then(story, approved(SECOND, department="roads")).case.state == "answered"


def test_an_approval_without_a_user_is_refused() -> None:
    step = approved()
    story = then(waiting(), Step(step.payload, role="approver"))
    assert (code(story), story.case.state) == ("no-user", "awaiting-release")


def test_decisions_keep_the_user_of_an_approval_and_events_only_the_role() -> None:
    story = then(waiting(), approved(FIRST))
    assert story.last.user == FIRST
    for kind, data in story.on(topics.EVENTS)[-3:]:
        assert data["actor"] == {"kind": "staff", "role": "approver"}
        assert str(FIRST) not in json.dumps(data), kind
    assert story.last.words == {"0/by": "审定人"}


# ── refusal ──────────────────────────────────────────────────────────────────


def test_a_refusal_returns_the_whole_reply_with_words() -> None:
    story = then(waiting(), release_refused("日期写错了"))
    assert (story.case.state, states(story)) == ("in-progress", {"lighting": "accepted", "roads": "accepted"})
    assert refusals(story, "lighting") == [(P1, 1, "日期写错了")]
    assert refusals(story, "roads") == [(P2, 1, "日期写错了")]
    story = then(story, contributed("lighting", "灯亮了。"), contributed("roads", "路补了。"))
    assert (story.case.state, drafts(story)[-1]["version"]) == ("awaiting-release", 2)
    assert then(story, approved()).texts() == ["灯亮了。", "路补了。"]


def test_a_refusal_returns_one_part_with_words() -> None:
    story = then(waiting(TWO), approved(SECOND), release_refused("写明日期", part_of_department="roads"), city=TWO)
    assert states(story) == {"lighting": "contributed", "roads": "accepted"}
    assert (refusals(story, "lighting"), refusals(story, "roads")) == ([], [(P2, 1, "写明日期")])
    story = then(story, contributed("roads", "周五补好"), city=TWO)
    assert (story.case.state, drafts(story)[-1]["version"]) == ("awaiting-release", 2)
    story = then(story, approved(FIRST), city=TWO)
    assert (story.case.state, answers(story)) == ("awaiting-release", []), "the approval of version 1 does not count"
    assert then(story, approved(SECOND), city=TWO).texts() == ["灯亮了", "周五补好"]


def test_the_refused_text_stays_with_its_department_as_a_draft() -> None:
    part = then(waiting(), release_refused(part_of_department="roads")).case.parts[P2]
    assert (part.text, part.draft, part.author) == (None, "路补了", part.author)


def test_a_part_that_is_not_in_the_reply_cannot_be_refused() -> None:
    story = then(waiting(), release_refused(part_of_department="water"))
    assert (code(story), story.case.state) == ("part-not-in-reply", "awaiting-release")


def test_a_refused_part_can_be_returned_and_goes_to_another_department() -> None:
    story = then(waiting(), release_refused(part_of_department="roads"), returned("roads"))
    assert story.case.state == "triage"
    story = then(story, assigned("lighting", "water"), contributed("water", "管沟已回填"))
    assert then(story, approved()).texts() == ["灯亮了", "管沟已回填"]


def test_nobody_approves_a_reply_that_was_refused() -> None:
    story = then(waiting(), release_refused(part_of_department="roads"), approved())
    assert (code(story), story.case.state) == ("not-awaiting-release", "in-progress")


def test_words_of_a_refusal_are_for_the_departments_only() -> None:
    story = then(waiting(), release_refused("机密意见"))
    assert "机密意见" not in readable_by_the_public(story)
    assert story.resident()["text"] == "答复正在修改，审定后发送给您。"


# ── the lead edits opening, closing and order ────────────────────────────────


def test_the_lead_gets_every_version_as_a_draft() -> None:
    story = then(waiting(), reply_edited(closing="此复。"), contributed("roads", "路面周五重铺"))
    assert [one["version"] for one in drafts(story)] == [1, 2, 3]
    last = drafts(story)[-1]
    assert last["text"] == "【路灯管理所】\n灯亮了\n\n【道路处】\n路面周五重铺\n\n此复。"
    assert last["sha256"] == hash_of(story.case)
    assert [(one["part_id"], one["text"]) for one in last["paragraphs"]] == [(P1, "灯亮了"), (P2, "路面周五重铺")]
    assert (last["closing"], "opening" in last) == ("此复。", False)
    assert ReplyDraft.model_validate(last).reply_id == f"{INQUIRY}-r1"
    assert drafts(story, "roads") == []


def test_an_edit_changes_only_what_it_names() -> None:
    story = then(waiting(), reply_edited(opening="您好：", closing="此复。"), reply_edited(order=("roads", "lighting")))
    assert drafts(story)[-1]["text"] == "您好：\n\n【道路处】\n路补了\n\n【路灯管理所】\n灯亮了\n\n此复。"
    story = then(story, reply_edited(opening=""))
    assert drafts(story)[-1]["text"] == "【道路处】\n路补了\n\n【路灯管理所】\n灯亮了\n\n此复。"
    assert story.last.facts[0]._asdict()["removed"] == ("opening",)


def test_paragraphs_stay_as_their_departments_wrote_them() -> None:
    story = then(waiting(), reply_edited(opening="x", order=("roads", "lighting")), approved())
    assert sorted(story.texts()) == sorted(["灯亮了", "路补了"])
    assert [one["department"] for one in story.resident()["case"]["reply"]["paragraphs"]] == ["roads", "lighting"]


def test_a_co_handler_cannot_edit() -> None:
    story = then(waiting(), reply_edited("roads", opening="x"))
    assert (code(story), story.case.reply and story.case.reply.version) == ("not-the-lead", 1)
    assert story.on(topics.inbox("roads"))[-1][0] == "message.refused"


@pytest.mark.parametrize("order", [("roads",), ("roads", "roads"), ("roads", "lighting", "water"), ()])
def test_an_order_names_each_department_once(order: tuple[str, ...]) -> None:
    assert code(then(waiting(), reply_edited(order=order))) == "wrong-order"


def test_a_reply_can_be_edited_between_its_refusal_and_its_next_version() -> None:
    story = then(waiting(), release_refused(part_of_department="roads"), reply_edited(opening="您好："))
    assert (story.case.state, story.events()[-1], len(drafts(story))) == ("in-progress", "reply.edited", 1)
    story = then(story, contributed("roads", "周五补好"))
    assert drafts(story)[-1]["text"].startswith("您好：\n\n")


@pytest.mark.parametrize(
    ("story", "refusal"),
    [
        (told(BOTH, accepted("roads"), city=ONE), "no-reply-to-edit"),
        (told(BOTH, city=ONE), "not-awaiting-release"),
        (told(*IN), "not-awaiting-release"),
    ],
    ids=["in progress", "assigned", "answered"],
)
def test_there_is_nothing_to_edit_without_a_reply_that_waits(story: Story, refusal: str) -> None:
    assert code(then(story, reply_edited(opening="x"))) == refusal


# ── nothing before the release, everything once ──────────────────────────────


def test_before_the_release_no_word_of_the_reply_is_public() -> None:
    story = told(
        BOTH,
        contributed("lighting", "机密甲"),
        contributed("roads", "机密乙"),
        reply_edited(opening="机密开头", closing="机密结尾"),
        release_refused("机密意见", part_of_department="roads"),
        contributed("roads", "机密丙"),
        approved(FIRST),
        contributed("roads", "机密丁"),
        city=TWO,
    )
    assert story.case.state == "awaiting-release"
    assert "机密" not in readable_by_the_public(story)
    assert "机密" not in json.dumps(story.on(topics.inbox("roads")), ensure_ascii=False).replace("机密意见", "")
    assert story.resident()["case"]["state"] == "awaiting-release"


def test_the_resident_hears_once_that_the_reply_is_being_checked() -> None:
    story = then(waiting(), reply_edited(opening="您好："), contributed("roads", "另一番话"))
    said = [data["text"] for _, data in story.on(topics.RESIDENTS)]
    assert said.count("答复已汇总，正在审定，审定后发送给您。") == 1


def test_a_redelivered_approval_decides_nothing_and_has_the_same_messages() -> None:
    story = then(waiting(), Step(approved().payload, user=FIRST, role="approver", id="the approval"))
    again = then(story, Step(approved().payload, user=FIRST, role="approver", id="the approval"))
    assert len(again.decisions) == len(story.decisions)
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)
    ids = [one.id for one in story.messages]
    assert len(ids) == len(set(ids))


def test_stored_messages_refer_to_the_words_of_the_reply() -> None:
    long = "甲" * 500
    story = told(BOTH, contributed("lighting", long), contributed("roads", "乙" * 500), city=ONE)
    story = then(story, reply_edited(opening="丙" * 500), approved())
    for decision in story.decisions[2:]:
        assert [one for one in decision.stored_messages if "甲" * 20 in one.value or "丙" * 20 in one.value] == []
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)


def test_a_waiting_case_folds_to_the_same_from_its_stored_decisions() -> None:
    story = then(at_the_desks(TWO), reply_edited(opening="您好："), approved(FIRST), city=TWO)
    folded: Case = case_of(INQUIRY, [from_document(one.document()) for one in story.decisions])
    assert folded == story.case
    assert folded.pending == story.case.pending
