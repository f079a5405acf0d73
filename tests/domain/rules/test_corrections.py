"""Corrections and retractions: both are visible, the former text stays, and everybody told before is told again."""

import json
from typing import Any

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from shared.contracts.department_inbox import ReplyCorrected, ReplyRetracted
from shared.kafka import topics
from tests.builders import DIRECTORY, INQUIRY, Step, Story, contributed, rated, received, told
from tests.domain.rules.stories import BOTH
from tests.publishing import AUTOMATIC, corrected, published, retracted
from tests.releasing import FIRST, ONE, SECOND, TWO, approved, hash_of, release_refused

P1, P2 = f"{INQUIRY}-p1", f"{INQUIRY}-p2"
IN = (BOTH, contributed("lighting", "灯亮了"), contributed("roads", "路补了"))


def answered(city: CityIndex = DIRECTORY, *steps: Step) -> Story:
    """Both departments have answered, and the reply is released."""
    approvals = [approved(user) for user in ((FIRST,) if city is ONE else (FIRST, SECOND) if city is TWO else ())]
    return then(told(*IN, *approvals, city=city), *steps, city=city)


def then(story: Story, *steps: Step, city: CityIndex = DIRECTORY) -> Story:
    return told(*steps, city=city, after_this=story)


def code(story: Story) -> str | None:
    return story.last.refusal


def reply(story: Story) -> Any:
    """The reply as the resident sees it now."""
    return story.resident()["case"]["reply"]


def told_of(story: Story, what: str) -> list[dict[str, Any]]:
    return [data for _, data in story.on(topics.RESIDENTS) if data["what"] == what]


def inbox(story: Story, department: str, kind: str) -> list[dict[str, Any]]:
    return [data for type_, data in story.on(topics.inbox(department)) if type_ == kind]


def visible(story: Story) -> str:
    return "".join(one.value.decode() for one in story.messages if one.topic in (topics.RESIDENTS, topics.EVENTS))


# ── a correction ─────────────────────────────────────────────────────────────


def test_a_correction_without_approvers_is_released_at_once_and_the_former_text_stays() -> None:
    story = answered(DIRECTORY, corrected("roads", "路面周五补"))
    assert story.events()[-3:] == ["part.corrected", "reply.composed", "reply.corrected"]
    assert story.case.state == "answered"
    assert story.texts() == ["灯亮了", "路面周五补"]
    [change] = reply(story)["changes"]
    assert (change["what"], change["department"], change["text"], change["at"]) == (
        "corrected",
        "roads",
        "路补了",
        story.last.decided_at,
    )
    assert "by_city" not in change
    [one] = told_of(story, "corrected")
    assert "路面周五补" in one["text"]
    assert one["contact"] == told_of(story, "answered")[0]["contact"]


def test_every_department_in_the_reply_is_told_of_the_correction() -> None:
    story = answered(DIRECTORY, corrected("roads", "路面周五补"))
    for department in ("lighting", "roads"):
        [message] = inbox(story, department, "reply.corrected")
        read = ReplyCorrected.model_validate_json(json.dumps(message))
        assert (read.part_id, read.department, read.version, read.text) == (P2, "roads", 2, "路面周五补")


def test_a_department_corrects_its_own_words_only() -> None:
    story = answered()

    def foreign(case: Case) -> Any:
        return corrected("roads", "冒名").payload(case)

    assert code(then(story, Step(foreign, "lighting"))) == "not-your-part"
    assert code(then(story, Step(foreign, "lighting", user=9, role="clerk"))) == "not-your-part"


def test_a_coordinator_corrects_for_a_department_and_the_public_sees_who_did() -> None:
    story = answered(DIRECTORY, corrected("roads", "路面周五补", user=900, by_city=True))
    assert (code(story), story.texts()) == (None, ["灯亮了", "路面周五补"])
    assert reply(story)["changes"][0]["by_city"] is True
    [event] = [data for kind, data in story.on(topics.EVENTS) if kind == "part.corrected"]
    assert (event["by_city"], event["actor"]) == (True, {"kind": "staff", "role": "coordinator"})
    assert len(inbox(story, "roads", "reply.corrected")) == 1


def test_what_is_not_released_is_not_corrected() -> None:
    assert code(told(*IN[:2], corrected("lighting", "x"))) == "not-released"
    assert code(told(*IN, corrected("lighting", "x"), city=ONE)) == "not-released"
    assert code(told(BOTH, corrected("water", "x"))) == "not-your-part"


def test_a_repeat_of_a_correction_under_a_new_id_changes_nothing() -> None:
    story = answered(DIRECTORY, corrected("roads", "新"), corrected("roads", "新"))
    assert (code(story), story.events().count("reply.corrected")) == ("correction-unchanged", 1)


def test_several_corrections_keep_every_former_text() -> None:
    story = answered(DIRECTORY, corrected("roads", "二"), corrected("roads", "三"), corrected("lighting", "四"))
    assert story.texts() == ["四", "三"]
    assert [one["text"] for one in reply(story)["changes"]] == ["路补了", "二", "灯亮了"]


def test_ratings_and_clocks_do_not_change() -> None:
    before = answered(DIRECTORY, rated())
    story = then(before, corrected("roads", "新"))
    assert (story.case.rated, story.case.stopped) == (before.case.rated, before.case.stopped)
    assert code(then(story, rated())) == "rated-before"


# ── a correction waits for its release like a reply ──────────────────────────


def test_before_its_release_no_word_of_a_correction_is_visible_and_the_released_reply_stays() -> None:
    story = answered(ONE)
    story = then(story, corrected("roads", "秘密更正"), city=ONE)
    assert story.events()[-3:] == ["part.corrected", "reply.composed", "inquiry.awaiting-release"]
    assert (story.case.state, "秘密更正" in visible(story)) == ("answered", False)
    story = then(story, rated(), city=ONE)
    assert (reply(story)["paragraphs"][1]["text"], "changes" in reply(story)) == ("路补了", False)
    story = then(story, approved(), city=ONE)
    assert story.events()[-3:] == ["reply.approved", "reply.released", "reply.corrected"]
    assert (story.texts(), len(told_of(story, "corrected"))) == (["灯亮了", "秘密更正"], 1)


def test_the_lead_sees_the_corrected_reply_before_its_release() -> None:
    story = then(answered(ONE), corrected("roads", "新"), city=ONE)
    draft = inbox(story, "lighting", "reply.draft")[-1]
    assert (draft["version"], draft["sha256"], draft["paragraphs"][1]["text"]) == (2, hash_of(story.case), "新")


def test_approvals_of_a_correction_bind_to_its_text_and_exclude_its_author() -> None:
    story = then(answered(TWO), corrected("roads", "新", user=FIRST), city=TWO)
    assert code(then(story, approved(FIRST), city=TWO)) == "own-text"
    former = hash_of(story.case)
    story = then(story, approved(SECOND), corrected("lighting", "亮了两盏"), city=TWO)
    assert code(then(story, approved(703, text_hash=former), city=TWO)) == "stale-text"
    story = then(story, approved(SECOND), approved(703), city=TWO)
    assert (story.texts(), story.on(topics.EVENTS)[-1][1]["parts"]) == (["亮了两盏", "新"], [P1, P2])


def test_a_refused_correction_leaves_the_released_text() -> None:
    story = then(answered(ONE), corrected("roads", "秘密更正"), city=ONE)
    residents = len(story.on(topics.RESIDENTS))
    story = then(story, release_refused("请写依据"), city=ONE)
    assert (code(story), story.case.state) == (None, "answered")
    assert len(story.on(topics.RESIDENTS)) == residents
    assert [one["words"] for one in inbox(story, "roads", "reply.refused")] == ["请写依据"]
    assert inbox(story, "lighting", "reply.refused") == []
    assert code(then(story, approved(), city=ONE)) == "not-awaiting-release"
    story = then(story, corrected("roads", "有依据"), approved(), city=ONE)
    assert (story.texts(), story.case.released and story.case.released.version) == (["灯亮了", "有依据"], 3)
    assert [one["text"] for one in reply(story)["changes"]] == ["路补了"]


def test_one_of_two_corrections_is_refused_and_the_other_is_released() -> None:
    story = then(answered(ONE), corrected("roads", "甲"), corrected("lighting", "乙"), city=ONE)
    story = then(story, release_refused(part_of_department="roads"), city=ONE)
    assert story.events()[-1] == "inquiry.awaiting-release"
    story = then(story, approved(), city=ONE)
    assert story.texts() == ["乙", "路补了"]


def test_a_part_that_is_not_corrected_cannot_be_refused_any_more() -> None:
    story = then(answered(ONE), corrected("roads", "甲"), city=ONE)
    assert code(then(story, release_refused(part_of_department="lighting"), city=ONE)) == "part-not-in-reply"


# ── a retraction ─────────────────────────────────────────────────────────────


def test_a_retracted_reply_stays_visible_and_is_marked_with_the_reason() -> None:
    story = answered(DIRECTORY, retracted(words="依据有误"))
    assert (story.events()[-1], story.case.state) == ("reply.retracted", "answered")
    shown = reply(story)
    assert [(one["text"], one["retracted"]) for one in shown["paragraphs"]] == [("灯亮了", True), ("路补了", True)]
    assert [(one["what"], one["text"]) for one in shown["changes"]] == [("retracted", "依据有误")] * 2
    [one] = told_of(story, "retracted")
    assert "依据有误" in one["text"]
    for department in ("lighting", "roads"):
        messages = inbox(story, department, "reply.retracted")
        assert [ReplyRetracted.model_validate_json(json.dumps(m)).part_id for m in messages] == [P1, P2]


def test_one_part_is_retracted_and_a_correction_gives_it_a_text_again() -> None:
    story = answered(DIRECTORY, retracted("roads"))
    assert ["retracted" in one for one in reply(story)["paragraphs"]] == [False, True]
    story = then(story, corrected("roads", "路补了"))
    assert (code(story), ["retracted" in one for one in reply(story)["paragraphs"]]) == (None, [False, False])
    assert [one["what"] for one in reply(story)["changes"]] == ["retracted", "corrected"]


def test_a_retraction_is_decided_once_and_only_of_what_is_released() -> None:
    assert code(answered(DIRECTORY, retracted("roads"), retracted("roads"))) == "retracted-before"
    assert code(answered(DIRECTORY, retracted("water"))) == "part-not-in-reply"
    assert code(told(BOTH, retracted())) == "nothing-released"
    assert answered(DIRECTORY, retracted("roads"), retracted()).on(topics.EVENTS)[-1][1]["parts"] == [P1]


# ── the hall ─────────────────────────────────────────────────────────────────


def test_what_the_policy_published_it_publishes_again_with_the_change() -> None:
    public = (received("路灯不亮", public=True), contributed("lighting", "灯亮了"))
    story = told(*public, corrected("lighting", "灯亮了两盏"), retracted(), city=AUTOMATIC)
    assert story.events().count("hall.published") == 3
    assert told_of(story, "corrected")[0]["case"]["body"]


def test_after_a_review_a_change_waits_for_a_review_too() -> None:
    public = (received("路灯不亮", public=True), contributed("lighting", "灯亮了"))
    story = told(*public, published(), corrected("lighting", "灯亮了两盏"))
    assert story.events().count("hall.published") == 1


# ── stored and read again ────────────────────────────────────────────────────


def test_stored_decisions_give_the_same_case_and_the_same_messages() -> None:
    steps = (
        corrected("roads", "很长的更正" * 20),
        release_refused(),
        corrected("roads", "另一个更正" * 20),
        approved(),
    )
    story = then(answered(ONE), *steps, retracted(words="有误" * 20), corrected("lighting", "好" * 50), city=ONE)
    stored = [from_document(one.document()) for one in story.decisions]
    assert case_of(INQUIRY, stored) == story.case
    again = with_messages(INQUIRY, stored)
    assert [one.messages for one in again] == [one.messages for one in story.decisions]
