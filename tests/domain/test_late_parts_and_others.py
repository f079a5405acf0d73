"""Late parts, addenda and delegated parts where they meet questions, rounds, corrections, the hall, and ends."""

from datetime import timedelta

import pytest

from services.router.domain.city_index import city_index
from services.router.domain.timers import timers_of
from shared.city import Policy
from shared.kafka import topics
from tests.asking import added, asked, asked_for_case, extension_asked
from tests.builders import INQUIRY, MONDAY_NOON, Step, Story, assigned, contributed, rated, received, returned, told
from tests.closing import closed
from tests.delegating import BUREAUS, LIFTS, delegated
from tests.domain.rules.stories import BOTH, states
from tests.endings import erased, inquiry_withdrawn, refused
from tests.joining import APPROVED_FIRST, GOING_AHEAD, going_ahead_city, late, went_ahead
from tests.publishing import corrected, retracted
from tests.releasing import approved, release_refused

P1, P2, P3 = (f"{INQUIRY}-p{number}" for number in (1, 2, 3))
WITHOUT_ROADS = (BOTH, contributed("lighting", "灯亮了"), late(went_ahead()))
UNHAPPY = rated(solved=False, satisfied="no", words="路还是坏的")


def going(*steps: Step, after: Story | None = None, city: object = GOING_AHEAD) -> Story:
    return told(*steps, city=city, after_this=after)  # type: ignore[arg-type]


def code(story: Story) -> str | None:
    return story.last.refusal


def told_since(story: Story, before: Story) -> list[str]:
    """What the resident was told after another story."""
    return [data["what"] for _, data in story.on(topics.RESIDENTS)][len(before.on(topics.RESIDENTS)) :]


def waiting_addendum() -> Story:
    """The reply is released without roads, whose addendum waits for an approval."""
    steps = (BOTH, contributed("lighting", "灯亮了"), late(went_ahead()), late(approved(), 2))
    return going(*steps, late(contributed("roads", "路补了"), 3), city=APPROVED_FIRST)


# ── questions and extensions ─────────────────────────────────────────────────


def test_a_part_that_waits_for_the_resident_is_not_late() -> None:
    story = going(*WITHOUT_ROADS[:2], asked("roads"), late(went_ahead()))
    assert (code(story), story.case.state) == ("part-not-late", "awaiting-resident")
    assert "waits for an answer of the resident" in (story.refusal or "")


def test_a_question_after_the_due_time_does_not_hold_up_the_lead() -> None:
    story = going(*WITHOUT_ROADS[:2], late(asked("roads")), late(went_ahead(), 2))
    assert (code(story), story.case.state) == (None, "answered")
    assert [one.department for one in story.case.questions] == ["roads"]
    assert "asking-close" not in [one.kind for one in timers_of(story.case, GOING_AHEAD)]


def test_a_late_part_may_ask_after_the_answer() -> None:
    answered = going(*WITHOUT_ROADS)
    story = going(late(asked("roads", "哪一段路？"), 2), after=answered)
    told_now = story.resident()
    assert (told_since(story, answered), told_now["case"]["state"]) == (["asked"], "answered")
    assert [one["text"] for one in told_now["case"]["questions"]] == ["哪一段路？"]
    story = going(late(added(), 3), late(contributed("roads", "路补了"), 4), after=story)
    assert story.resident()["what"] == "supplemented"
    assert "questions" not in story.resident()["case"]


def test_nobody_asks_for_the_whole_inquiry_once_it_is_answered() -> None:
    story = going(*WITHOUT_ROADS, late(returned("roads"), 2), late(asked_for_case(), 3))
    assert (code(story), story.case.state) == ("nothing-to-ask", "triage")


def test_an_office_asks_its_bureau_and_not_the_resident() -> None:
    story = told(LIFTS, delegated("quality", "quality-east"), asked("quality-east"), city=BUREAUS)
    assert code(story) == "delegated-part"
    story = told(extension_asked("quality-east", MONDAY_NOON + timedelta(days=9)), city=BUREAUS, after_this=story)
    assert code(story) == "delegated-part"


def test_additions_reach_the_offices_too() -> None:
    story = told(LIFTS, delegated("quality", "quality-east"), added("还有三号梯。"), city=BUREAUS)
    assert story.on(topics.inbox("quality-east"))[-1][0] == "part.added"


# ── rounds ───────────────────────────────────────────────────────────────────


def test_the_departments_of_the_addendum_work_on_the_next_round_too() -> None:
    story = going(*WITHOUT_ROADS, late(contributed("roads", "路补了"), 2), late(UNHAPPY, 3))
    assert [part.department for part in story.case.active_parts] == ["lighting", "roads"]
    assert story.case.round == 2
    [offer] = [
        data for kind, data in story.on(topics.inbox("roads")) if data.get("round") == 2 and kind == "part.offered"
    ]
    assert offer["reopened"]["answer"] == "【路灯管理所】\n灯亮了\n\n【道路处】\n路补了"
    assert tuple(
        kind for code_ in ("lighting", "roads") for kind, _ in story.on(topics.inbox(code_)) if kind == "part.rated"
    ) == ("part.rated", "part.rated")


def test_a_part_that_is_still_late_joins_the_next_round() -> None:
    story = going(*WITHOUT_ROADS, late(UNHAPPY, 2))
    assert {part.id: part.omitted for part in story.case.active_parts} == {P2: False, P3: False}
    story = going(late(contributed("roads", "路补了"), 3), late(contributed("lighting", "又亮了"), 4), after=story)
    assert (story.case.state, story.texts()) == ("answered", ["又亮了", "路补了"])


def test_a_contribution_that_waits_as_addendum_joins_the_next_round() -> None:
    before = waiting_addendum()
    assert before.case.state == "awaiting-release"
    story = going(late(UNHAPPY, 4), after=before, city=APPROVED_FIRST)
    assert (story.case.round, story.case.pending, story.case.addenda) == (2, None, ())
    assert [part.id for part in story.case.active_parts] == [P3, P2]
    story = going(late(contributed("lighting", "又亮了"), 5), late(approved(), 6), after=story, city=APPROVED_FIRST)
    assert (story.case.state, story.texts()) == ("answered", ["又亮了", "路补了"])


def test_the_offices_of_an_answered_part_are_free_for_the_next_round() -> None:
    steps = (delegated("quality", "quality-east"), contributed("quality-east", "查过"), contributed("quality", "好了"))
    story = told(LIFTS, *steps, UNHAPPY, delegated("quality", "quality-east"), city=BUREAUS)
    assert (code(story), story.case.round) == (None, 2)


def test_an_inquiry_is_not_closed_over_a_waiting_contribution() -> None:
    before = waiting_addendum()
    assert code(going(late(closed(), 4), after=before, city=APPROVED_FIRST)) == "not-closable"


# ── corrections and retractions ──────────────────────────────────────────────


def test_a_correction_waits_for_the_addendum() -> None:
    story = going(late(corrected("lighting", "亮了两盏"), 4), after=waiting_addendum(), city=APPROVED_FIRST)
    assert code(story) == "late-part-undecided"
    story = going(late(approved(), 5), late(corrected("lighting", "亮了两盏"), 6), after=story, city=APPROVED_FIRST)
    assert (code(story), story.case.state) == (None, "answered")
    story = going(late(approved(), 7), after=story, city=APPROVED_FIRST)
    reply = story.resident()["case"]["reply"]
    assert story.resident()["what"] == "corrected"
    assert [one["text"] for one in reply["paragraphs"]] == ["亮了两盏"]
    assert [one["text"] for one in reply["addenda"][0]["paragraphs"]] == ["路补了"]


def corrected_first() -> Story:
    """A correction of the released reply waits, then the late part comes."""
    steps = (*WITHOUT_ROADS, late(approved(), 2), late(corrected("lighting", "亮了两盏"), 3))
    return going(*steps, late(contributed("roads", "路补了"), 4), city=APPROVED_FIRST)


def test_an_addendum_waits_for_the_correction_whose_approvals_stay() -> None:
    before = corrected_first()
    assert (before.case.state, before.case.reply and before.case.reply.version) == ("answered", 2)
    story = going(late(approved(), 5), after=before, city=APPROVED_FIRST)
    assert story.events()[-4:] == ["reply.released", "reply.corrected", "reply.composed", "inquiry.awaiting-release"]
    assert story.case.state == "awaiting-release"
    story = going(late(approved(), 6), after=story, city=APPROVED_FIRST)
    assert (story.resident()["what"], story.case.state) == ("supplemented", "answered")


def test_a_refused_correction_lets_the_addendum_go_on() -> None:
    story = going(late(release_refused(), 5), after=corrected_first(), city=APPROVED_FIRST)
    assert (story.case.state, story.case.reply and story.case.reply.addendum) == ("awaiting-release", 1)
    assert story.case.parts[P1].text == story.case.released.paragraphs[0].text  # type: ignore[union-attr]


def test_versions_of_an_addendum_never_repeat() -> None:
    refused_once = going(late(release_refused(), 4), after=waiting_addendum(), city=APPROVED_FIRST)
    steps = (late(corrected("lighting", "亮了两盏"), 5), late(approved(), 6), late(contributed("roads", "再补"), 7))
    story = going(*steps, after=refused_once, city=APPROVED_FIRST)
    reply = story.case.reply
    assert reply is not None
    assert (reply.id, reply.version) == (f"{INQUIRY}-r1-a1", 2)


def test_an_addendum_is_retracted_but_not_corrected() -> None:
    answered = going(*WITHOUT_ROADS, late(contributed("roads", "路补了"), 2))
    story = going(late(corrected("roads", "没补"), 3), after=answered)
    assert code(story) == "in-addendum"
    story = going(late(retracted("roads"), 4), after=story)
    reply = story.resident()["case"]["reply"]
    assert (code(story), story.resident()["what"]) == (None, "retracted")
    assert [one.get("retracted") for one in reply["paragraphs"]] == [None]
    assert [one["retracted"] for one in reply["addenda"][0]["paragraphs"]] == [True]
    assert story.on(topics.inbox("roads"))[-1][0] == "reply.retracted"


# ── the hall ─────────────────────────────────────────────────────────────────


def a_city_that_publishes(*reviewed: str) -> object:
    city = going_ahead_city()
    policies = [one.model_copy(update={"publication": "automatic"}) for one in city.policies]
    if reviewed:
        policy = city.policies[0].model_dump() | {"id": "reviewed", "when": {"departments": reviewed}}
        policies.insert(0, Policy.model_validate(policy))
    return city_index(city.model_copy(update={"policies": tuple(policies)}))


def test_the_hall_shows_an_addendum_like_its_reply() -> None:
    steps = (received("路灯和路面都坏了", public=True), *WITHOUT_ROADS[1:], late(contributed("roads", "路补了"), 2))
    story = going(*steps, city=a_city_that_publishes())
    assert story.events()[-2:] == ["inquiry.supplemented", "hall.published"]
    assert story.resident()["case"]["reply"]["addenda"]
    assert going(*steps).events()[-1] == "inquiry.supplemented"


def test_an_addendum_of_a_department_whose_policy_wants_a_review_waits_for_it() -> None:
    steps = (received("路灯和路面都坏了", public=True), *WITHOUT_ROADS[1:], late(returned("roads"), 2))
    moved = (late(assigned("lighting", "parks"), 3), late(contributed("parks", "树剪了"), 4))
    for reviewed, last in (("water", "hall.published"), ("parks", "inquiry.supplemented")):
        assert going(*steps, *moved, city=a_city_that_publishes(reviewed)).events()[-1] == last


# ── ends ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("step", "why"), [(refused(), "not-refusable"), (inquiry_withdrawn(), "already-answered")])
def test_an_answered_inquiry_in_triage_is_neither_refused_nor_withdrawn(step: Step, why: str) -> None:
    story = going(*WITHOUT_ROADS, late(returned("roads"), 2), late(step, 3))
    assert (code(story), story.case.state) == (why, "triage")


def test_the_end_reaches_the_offices() -> None:
    offered = told(LIFTS, delegated("quality", "quality-east", "quality-west"), city=BUREAUS)
    story = told(contributed("quality-east", "查过"), inquiry_withdrawn(), city=BUREAUS, after_this=offered)
    assert set(states(story).values()) <= {"withdrawn", "contributed"}
    assert [story.on(topics.inbox(one))[-1][0] for one in ("quality-east", "quality-west")] == [
        "part.closed",
        "part.withdrawn",
    ]
    assert "part.returned" not in [kind for kind, _ in story.on(topics.inbox("quality"))]
    story = told(erased(), city=BUREAUS, after_this=offered)
    assert story.on(topics.inbox("quality-west"))[-1][0] == "part.erased"
    assert story.case.parts[f"{INQUIRY}-p2"].parent == f"{INQUIRY}-p1"


def test_a_closed_answer_stays_readable_with_its_addendum() -> None:
    no_more = rated(solved=True, satisfied="yes")
    story = going(*WITHOUT_ROADS, late(contributed("roads", "路补了"), 2), late(no_more, 3), late(closed(), 4))
    picture = story.resident()["case"]
    assert (code(story), picture["state"]) == (None, "closed")
    assert [one["text"] for one in picture["reply"]["addenda"][0]["paragraphs"]] == ["路补了"]
