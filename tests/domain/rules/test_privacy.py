"""An inquiry ends without an answer: refused by the desk, withdrawn by its resident, or erased; and links between two."""

from datetime import timedelta
from typing import Any

import pytest

from services.router.domain.decision import Decision, case_of, from_document
from services.router.domain.facts import CaseErased
from services.router.domain.outputs.messages import with_messages
from services.router.domain.timers import timers_of
from services.scorer.domain.clocks import CaseFact, clocks
from shared.contracts.fields import Contact
from shared.kafka import topics
from shared.service.event_decoders import read_event
from tests.builders import (
    DIRECTORY,
    INQUIRY,
    MONDAY_NOON,
    Step,
    Story,
    accepted,
    assigned,
    contributed,
    drafted,
    later,
    link_requested,
    rang,
    rated,
    received,
    record_of,
    replayed,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.domain.rules.stories import BOTH, states
from tests.endings import COURT, OTHER, erased, inquiry_withdrawn, linked, refused
from tests.releasing import ONE, approved, reply_edited

SUBJECT, BODY = "三家一起 机密主题", "机密正文" * 20
CONTACT = Contact(name="机密姓名", phone="13900000099", email="secret@mail.example")
SECRETS = (
    *["机密主题", "机密正文", "机密姓名", "13900000099", "secret@mail.example"],
    "机密草稿",
    "机密办理",
    "机密开头",
)
GIVEN = received(SUBJECT, BODY, contact=CONTACT, area="机密地点", public=True)


def names(given: object) -> str | None:
    """The ids of test cases: steps get a number, whose text differs between processes."""
    return given if isinstance(given, str) else None


def last_verdicts(story: Story, as_of_days: int) -> dict[tuple[str, str], str]:
    """The verdict of every clock, as the scorer computes it from the events."""
    events = [read_event(record_of(one)) for one in story.messages if one.topic == topics.EVENTS]
    facts = [CaseFact(one.sequence, one.at, one.body) for one in events]
    moment = MONDAY_NOON + timedelta(days=as_of_days)
    return {(one.department, one.clock): one.verdict(moment) for one in clocks(facts)}


# ── refusal ──────────────────────────────────────────────────────────────────


def test_the_resident_reads_why_the_city_refuses_and_where_to_turn_instead() -> None:
    story = told(received("邻居欠我钱"), refused())
    assert (story.refusal, story.case.state, story.resident()["what"]) == (None, "refused", "refused")
    assert story.resident()["text"] == (
        "您反映的事项不予受理：该事项应当通过诉讼、仲裁、行政复议等途径解决。\n\n双方已进入诉讼程序。\n\n"
        f"建议您通过以下途径解决：{COURT}"
    )
    english = told(received("别的事", language="en"), refused("not-a-government-matter", "It is private.", None))
    assert english.resident()["text"] == (
        "We cannot take up your message: it is not a matter for the city government.\n\nIt is private."
    )


def test_the_event_has_the_code_and_no_word() -> None:
    story = told(received("邻居欠我钱"), refused(words="机密理由", instead="机密去处"))
    kind, event = story.on(topics.EVENTS)[-1]
    assert (kind, event["reason"], event["state"]) == ("inquiry.refused", "legal-proceedings", "refused")
    assert event["words"].keys() == event["instead"].keys() == {"sha256"}
    assert "机密" not in "".join(one.value.decode() for one in story.messages if one.topic == topics.EVENTS)


def test_a_refusal_withdraws_what_is_open_and_tells_every_department() -> None:
    story = told(received("三家一起"), contributed("roads", "路补了"), returned("water"), refused(words="不属职责"))
    assert states(story) == {"lighting": "withdrawn", "roads": "contributed", "water": "returned"}
    assert [kind for kind, _ in story.on(topics.inbox("lighting"))][-1] == "part.withdrawn"
    assert story.on(topics.inbox("lighting"))[-1][1]["why"] == "不属职责"
    assert [kind for kind, _ in story.on(topics.inbox("roads"))][-1] == "part.closed"
    assert story.case.state == "refused", "the contribution of one department is not released as the answer"
    assert "inquiry.answered" not in story.events()
    told_now = [one for one in story.last.messages if one.topic == topics.RESIDENTS]
    assert len(told_now) == 1, "one message, not one more for each department"


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ((BOTH,), None),
        ((received("别的事"),), None),
        ((BOTH, accepted("roads")), "not-refusable"),
        ((received("路灯"), contributed("lighting", "亮了")), "not-refusable"),
        ((BOTH, refused()), "refused"),
        ((BOTH, inquiry_withdrawn()), "withdrawn"),
        ((BOTH, erased()), "erased"),
    ],
    ids=names,
)
def test_an_inquiry_is_refused_before_a_department_has_taken_it_up(steps: tuple[Step, ...], code: str | None) -> None:
    assert told(*steps, refused()).last.refusal == code


# ── withdrawal ───────────────────────────────────────────────────────────────


def test_a_withdrawal_ends_all_parts_and_the_departments_read_the_reason() -> None:
    story = told(
        received("三家一起"), accepted("roads"), contributed("water", "水修了"), inquiry_withdrawn("已自行解决")
    )
    assert (story.refusal, story.case.state) == (None, "withdrawn")
    assert states(story) == {"lighting": "withdrawn", "roads": "withdrawn", "water": "contributed"}
    why = "来信人已撤回诉求 / the resident has withdrawn the message: 已自行解决"
    assert story.on(topics.inbox("roads"))[-1] == (
        "part.withdrawn",
        {"part_id": f"{INQUIRY}-p2", "inquiry_id": INQUIRY, "why": why},
    )
    assert story.on(topics.inbox("water"))[-1][0] == "part.closed"
    assert story.resident()["text"] == "您已撤回诉求，已通知承办部门。"
    assert story.resident()["case"]["reply"] is None
    assert "inquiry.answered" not in story.events()


def test_a_reply_that_waits_for_its_release_is_not_released_after_a_withdrawal() -> None:
    story = told(received("路灯不亮"), contributed("lighting", "亮了"), inquiry_withdrawn(), approved(), city=ONE)
    assert (story.case.state, story.last.refusal) == ("withdrawn", "withdrawn")
    assert "亮了" not in str(story.on(topics.RESIDENTS))


def test_the_clocks_of_withdrawn_parts_end_without_a_broken_verdict() -> None:
    story = told(BOTH, accepted("roads"), inquiry_withdrawn())
    assert last_verdicts(story, as_of_days=100) == {
        ("lighting", "accept"): "void",
        ("lighting", "first_reply"): "void",
        ("lighting", "resolve"): "void",
        ("roads", "accept"): "kept",
        ("roads", "first_reply"): "void",
        ("roads", "resolve"): "void",
    }
    assert timers_of(story.case, DIRECTORY) == []


def test_a_clock_that_was_broken_before_the_withdrawal_stays_broken() -> None:
    story = told(BOTH, later(inquiry_withdrawn(), MONDAY_NOON + timedelta(days=2)))
    assert last_verdicts(story, as_of_days=100)["lighting", "accept"] == "broken"
    assert last_verdicts(story, as_of_days=100)["lighting", "resolve"] == "void"
    assert told(rang("lighting", "accept"), after_this=story).events()[-1] == "clock.broken"


def test_an_answered_inquiry_cannot_be_withdrawn() -> None:
    story = told(received("路灯不亮"), contributed("lighting", "亮了"), inquiry_withdrawn())
    assert (story.last.refusal, story.case.state) == ("already-answered", "answered")


@pytest.mark.parametrize(
    "step",
    [
        accepted("lighting"),
        contributed("lighting", "亮了"),
        assigned("roads"),
        withdrawn("lighting"),
        rated(),
        refused(),
    ],
    ids=names,
)
@pytest.mark.parametrize(("end", "code"), [(inquiry_withdrawn(), "withdrawn"), (refused(), "refused")], ids=names)
def test_after_the_end_later_inputs_are_refused_with_its_reason(step: Step, end: Step, code: str) -> None:
    story = told(BOTH, end, step)
    assert (story.last.refusal, story.case.state) == (code, code)
    assert story.last.refused is not None
    assert INQUIRY in story.last.refused.reason


def test_after_the_end_the_link_to_the_ticket_still_works() -> None:
    assert told(BOTH, inquiry_withdrawn(), link_requested()).resident()["what"] == "link"


# ── erasure ──────────────────────────────────────────────────────────────────

OPEN = (GIVEN, accepted("lighting"), drafted("roads", "机密草稿"), replied("lighting", "机密办理中"), returned("water"))
WAITING = (
    received("路灯 机密主题", BODY, contact=CONTACT, public=True),
    contributed("lighting", "机密办理"),
    reply_edited(opening="机密开头"),
)
ANSWERED = (received("路灯 机密主题", BODY, contact=CONTACT, public=True), contributed("lighting", "机密办理"))
LIVES: dict[str, tuple[Step, ...]] = {
    "open": OPEN,
    "in triage": (received("机密主题", BODY, contact=CONTACT),),
    "awaiting release": WAITING,
    "answered": (*ANSWERED, rated(words="机密评价")),
    "withdrawn": (*OPEN, inquiry_withdrawn("机密原因")),
    "refused": (received("机密主题", BODY, contact=CONTACT), refused(words="机密理由")),
}


@pytest.mark.parametrize("life", LIVES)
def test_in_every_state_an_erasure_tells_everybody_without_a_word(life: str) -> None:
    before = told(*LIVES[life], city=ONE if life == "awaiting release" else DIRECTORY)
    story = told(erased("机密理由"), after_this=before)
    decision = story.last
    assert (decision.refusal, story.case.state) == (None, "erased")
    assert decision.facts[-1] == CaseErased(through=decision.n)
    for message in decision.messages:
        assert not any(secret in message.value.decode() for secret in (*SECRETS, "机密理由", "钱督办")), message
    resident = story.resident()
    assert (resident["what"], resident["text"], resident["contact"], resident["public"]) == ("erased", "", None, False)
    assert resident["case"]["state"] == "erased"
    parts = [one for one in story.case.parts.values() if one.state in ("offered", "accepted")]
    assert parts == []
    told_off = {one.topic for one in decision.messages if one.type == "chorus.part.erased"}
    assert told_off == {topics.inbox(one.department) for one in story.case.parts.values()}, "also who returned its part"
    assert timers_of(story.case, DIRECTORY) == []


def test_the_decision_on_an_erasure_has_no_words_no_salt_and_no_digest() -> None:
    story = told(*OPEN, erased("机密理由"))
    document = story.last.document()
    assert document.keys() & {"salt", "digest"} == set()
    assert document["words"] == {}
    assert document["user"] == 678901234, "who erased it stays"
    assert from_document(document) == story.last.__class__(**{**_fields(story.last), "messages": ()})


def _fields(decision: Decision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in decision.__slots__}


def test_the_case_in_memory_forgets_every_word() -> None:
    story = told(*OPEN, erased())
    assert [text.text for text in story.case.texts] == ["", ""]
    assert not any(secret in repr(story.case) for secret in SECRETS)
    assert all(one.digest is None for one in story.case.causes.values())
    stored = [from_document(one.document()) for one in story.decisions]
    assert case_of(INQUIRY, stored) == story.case


def test_after_an_erasure_the_stored_decisions_make_the_same_events_and_no_word() -> None:
    story = told(*OPEN, erased())
    gone = ("words", "salt", "digest", "messages", "picture")
    left = [{name: value for name, value in one.document().items() if name not in gone} for one in story.decisions]
    decisions = [from_document(one) for one in left]
    assert case_of(INQUIRY, decisions) == story.case
    completed = with_messages(INQUIRY, decisions)
    events = [one.value for decision in completed for one in decision.messages]
    assert events == [one.value for one in story.messages if one.topic == topics.EVENTS]


@pytest.mark.parametrize(
    "step",
    [
        accepted("lighting"),
        contributed("roads", "机密办理"),
        assigned("roads"),
        rated(),
        link_requested(),
        rang("lighting"),
        replayed(),
        refused(),
        inquiry_withdrawn("机密原因"),
        linked(),
        erased(),
        GIVEN,
    ],
    ids=names,
)
def test_an_erased_case_refuses_every_later_input_and_keeps_nothing_of_it(step: Step) -> None:
    story = told(*OPEN, erased(), step)
    assert (story.last.refusal, story.last.facts, story.case.state) == ("erased", (), "erased")
    assert story.last.document().keys() & {"salt", "digest"} == set()
    assert not any(secret in str(story.last.document()) for secret in SECRETS)
    assert not [one for one in story.last.messages if one.topic == topics.RESIDENTS]


def test_a_known_input_counts_as_a_repeat_after_its_digest_is_gone() -> None:
    story = told(received("路灯不亮", id="same"), erased(), received("别的内容", id="same"))
    assert len(story.decisions) == 2


def test_a_message_that_was_never_decided_can_be_erased() -> None:
    story = told(erased(), GIVEN)
    assert [one.refusal for one in story.decisions] == [None, "erased"]
    assert story.decisions[0].facts == (CaseErased(through=1),)
    assert story.on(topics.RESIDENTS)[0][1]["what"] == "erased"


# ── links ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("steps", [(BOTH,), (BOTH, inquiry_withdrawn()), (received("别的事"),)], ids=names)
def test_the_desk_links_two_inquiries_and_nobody_outside_learns_of_it(steps: tuple[Step, ...]) -> None:
    story = told(*steps, linked())
    assert story.case.links == (OTHER,)
    assert {one.topic for one in story.last.messages} == {topics.EVENTS}
    outside = [one for one in story.messages if one.topic != topics.EVENTS]
    assert not any(OTHER in one.value.decode() for one in outside)


@pytest.mark.parametrize(
    ("steps", "code"), [((linked(),), "linked-before"), ((linked("20260314-0000000C"),), None)], ids=names
)
def test_a_link_is_made_once(steps: tuple[Step, ...], code: str | None) -> None:
    assert told(BOTH, linked(), *steps).last.refusal == code


def test_an_inquiry_is_not_linked_to_itself() -> None:
    assert told(BOTH, linked(INQUIRY)).last.refusal == "linked-to-itself"


# ── confidentiality ──────────────────────────────────────────────────────────


def test_a_confidential_inquiry_shows_contact_and_name_to_no_department() -> None:
    steps = (
        received("三家一起", "请处理", contact=CONTACT, confidential=True, public=True),
        accepted("lighting"),
        replied("lighting", "在办"),
        returned("water"),
        assigned("parks"),
        withdrawn("roads"),
        contributed("lighting", "灯亮了"),
        reply_edited(opening="您好"),
        contributed("parks", "树修了"),
        approved(),
        rated(words="谢谢"),
        link_requested(),
    )
    stories = [told(*steps, city=ONE), told(steps[0], refused()), told(*steps[:3], inquiry_withdrawn("不用了"))]
    for story in (*stories, told(*steps[:3], erased())):
        inboxes = [one for one in story.messages if one.topic not in (topics.RESIDENTS, topics.EVENTS)]
        assert len(inboxes) >= 6
        for message in (*inboxes, *(one for one in story.messages if one.topic == topics.EVENTS)):
            assert not any(secret in message.value.decode() for secret in ("机密姓名", "13900000099", "secret@"))
        assert not any(one["public"] for _, one in story.on(topics.RESIDENTS)), "nor does the hall show it"


def test_a_private_inquiry_is_not_for_the_hall() -> None:
    story = told(received("路灯不亮", contact=CONTACT), contributed("lighting", "亮了"))
    assert {one["public"] for _, one in story.on(topics.RESIDENTS)} == {False}
