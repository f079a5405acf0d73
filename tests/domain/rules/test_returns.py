"""Parts that are returned, withdrawn or recalled."""

import pytest

from services.router.domain.city_index import city_index
from services.router.domain.decision import from_document
from services.router.domain.near_codes import near_codes
from services.router.domain.outputs.messages import with_messages
from shared.city import retire
from shared.kafka import topics
from tests.builders import (
    CITY,
    DIRECTORY,
    INQUIRY,
    Step,
    accepted,
    assigned,
    contributed,
    recalled,
    received,
    returned,
    told,
    withdrawn,
)
from tests.domain.rules.stories import BOTH


def test_a_returned_part_goes_to_triage_and_the_reply_waits() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), returned("roads"))
    assert story.case.state == "triage"
    assert story.resident()["case"]["reply"] is None
    story = told(assigned("lighting", "water"), after_this=story)
    assert (story.case.state, story.case.co_handlers) == ("in-progress", ("water",))
    story = told(contributed("water", "水也好了"), after_this=story)
    assert story.texts() == ["灯亮了", "水也好了"]


def test_the_reply_is_not_composed_when_the_last_open_part_is_returned() -> None:
    story = told(BOTH, returned("roads"), contributed("lighting", "灯亮了"))
    assert (story.case.state, "inquiry.answered" in story.events()) == ("triage", False)


def test_withdrawing_the_returned_part_composes_the_reply_of_the_others() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), returned("roads"), withdrawn("roads"))
    assert (story.case.state, story.texts()) == ("answered", ["灯亮了"])


def test_a_returned_part_can_be_assigned_to_departments_that_have_a_part() -> None:
    story = told(BOTH, contributed("lighting", "灯亮了"), returned("roads"), assigned("lighting"))
    assert (story.case.state, story.texts()) == ("answered", ["灯亮了"])


def test_the_next_department_leads_after_the_lead_returned_its_part() -> None:
    story = told(received("三家一起"), returned("lighting"), withdrawn("lighting"))
    assert (story.case.lead, story.case.co_handlers) == ("roads", ("water",))
    kind, change = story.on(topics.inbox("roads"))[-1]
    assert (kind, change["role"], change["lead"], change["co_handlers"]) == ("part.changed", "lead", "roads", ["water"])
    story = told(contributed("water", "水停了"), contributed("roads", "路补了"), after_this=story)
    assert story.texts() == ["路补了", "水停了"]


@pytest.mark.parametrize(
    "change", [withdrawn("water"), returned("water")], ids=["withdrawn", "returned and given to parks"]
)
def test_remaining_departments_get_part_changed(change: Step) -> None:
    story = told(received("三家一起"), change)
    if story.case.state == "triage":
        story = told(assigned("lighting", "parks", "roads"), after_this=story)
    for department, role in (("lighting", "lead"), ("roads", "co-handler")):
        kind, now = story.on(topics.inbox(department))[-1]
        assert (kind, now["role"], now["lead"]) == ("part.changed", role, "lighting")
        assert now["co_handlers"] == list(story.case.co_handlers)


def test_a_department_that_returned_its_part_can_get_a_new_one() -> None:
    story = told(received("路灯不亮"), returned("lighting"), assigned("lighting"))
    assert [part.id[-2:] for part in story.case.parts.values()] == ["p1", "p2"]
    assert [part.state for part in story.case.parts.values()] == ["returned", "offered"]
    assert told(contributed("lighting", "亮了"), after_this=story).texts() == ["亮了"]


def test_a_case_goes_to_triage_when_all_parts_are_withdrawn() -> None:
    story = told(BOTH, withdrawn("roads"), withdrawn("lighting"))
    assert (story.case.state, story.case.lead) == ("triage", None)
    assert story.on(topics.EVENTS)[-1][1]["reason"] == "no-department"
    assert told(assigned("parks"), contributed("parks", "好"), after_this=story).texts() == ["好"]


def test_part_withdrawn_contains_the_reason() -> None:
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
def test_only_open_or_returned_parts_can_be_withdrawn(steps: tuple[Step, ...]) -> None:
    story = told(BOTH, *steps)
    assert "cannot be withdrawn" in (story.refusal or "")


def test_open_parts_of_a_retired_department_stay_in_triage_until_assigned() -> None:
    story = told(BOTH, accepted("lighting"), recalled("lighting"), contributed("roads", "路补了"))
    assert (story.case.state, story.case.lead, "inquiry.answered" in story.events()) == ("triage", None, False)
    assert story.events()[5:7] == ["part.withdrawn", "inquiry.triaged"]
    [why] = [data for kind, data in story.on(topics.EVENTS) if kind == "inquiry.triaged"]
    assert (why["reason"], why["part_id"], why["department"]) == ("department-retired", f"{INQUIRY}-p1", "lighting")
    story = told(assigned("water", "roads"), contributed("water", "水也修了"), after_this=story)
    assert (story.case.state, story.texts()) == ("answered", ["水也修了", "路补了"])


def test_the_other_departments_can_answer_without_the_retired_one() -> None:
    story = told(BOTH, contributed("roads", "路补了"), recalled("lighting"), assigned("roads"))
    assert (story.case.state, story.texts()) == ("answered", ["路补了"])


def test_retirement_notifies_the_department_and_the_resident() -> None:
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
def test_a_part_that_is_not_open_is_not_recalled(steps: tuple[Step, ...]) -> None:
    story = told(BOTH, *steps, recalled("lighting"))
    assert story.refusal == f"The part '{INQUIRY}-p1' cannot be recalled."


def test_a_message_about_a_recalled_part_is_refused_with_the_reason() -> None:
    story = told(BOTH, recalled("lighting"), contributed("lighting", "灯亮了"))
    assert story.refusal == f"The part '{INQUIRY}-p1' is withdrawn already."


# ── the next department learns why ───────────────────────────────────────────


def test_the_next_department_reads_why_the_part_was_returned() -> None:
    words = "经核实，此处道路由自来水公司开挖，尚未移交我处养护。"
    story = told(BOTH, returned("roads", "wrong-area", words), assigned("lighting", "water"))
    kind, offer = story.on(topics.inbox("water"))[-1]
    assert (kind, offer["returned"]) == (
        "part.offered",
        [{"department": "roads", "reason": "wrong-area", "words": words}],
    )
    story = told(returned("water", "也不归我们", ""), assigned("lighting", "parks"), after_this=story)
    history = story.on(topics.inbox("parks"))[-1][1]["returned"]
    assert history[1:] == [{"department": "water", "reason": "也不归我们", "words": ""}]
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)
    assert [one for one in story.decisions[2].stored_messages if words in one.value] == [], "it refers to the words"


def test_a_first_offer_says_nothing_about_returns() -> None:
    assert [kind for kind, data in told(BOTH).on(topics.inbox("roads")) if "returned" in data] == []


def test_a_return_is_told_to_departments_only() -> None:
    story = told(BOTH, returned("roads", words="这是部门之间的话"), assigned("lighting", "water"))
    public = [message for message in story.messages if message.topic in (topics.RESIDENTS, topics.EVENTS)]
    assert [message for message in public if "这是部门之间的话" in message.value.decode()] == []


# ── suggestions ──────────────────────────────────────────────────────────────


def test_an_unknown_suggestion_is_refused_with_the_nearest_codes() -> None:
    story = told(BOTH, returned("roads", suggest="wather"))
    refusal = story.last.refused
    assert refusal is not None
    assert refusal.code == "unknown-department"
    assert refusal.remedy == "Suggest 'water', or return the part without a suggestion."
    kind, data = story.on(topics.inbox("roads"))[-1]
    assert (kind, data["remedy"]) == ("message.refused", refusal.remedy)
    assert told(returned("roads", suggest="water"), after_this=story).case.state == "triage"


def test_a_retired_department_cannot_be_suggested() -> None:
    city = city_index(retire(CITY, "water"))
    story = told(BOTH, returned("roads", suggest="water"), city=city)
    assert story.refusal == "The city has no active department 'water' to suggest."


@pytest.mark.parametrize(
    ("given", "near"),
    [("wate", ["water"]), ("自来水公司", ["water"]), ("Street Lights", ["lighting"]), ("zzz", []), ("\u3000", [])],
)
def test_near_codes_resemble_a_code_or_a_name(given: str, near: list[str]) -> None:
    assert near_codes(given, DIRECTORY)[:1] == near
