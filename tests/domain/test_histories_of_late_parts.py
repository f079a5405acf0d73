"""Any order of legal and illegal inputs with late parts, addenda and delegation: no word leaks, changes or gets lost."""

import json
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from shared.city import City
from shared.kafka import topics
from tests.builders import (
    CITY,
    INQUIRY,
    MONDAY_NOON,
    Step,
    Story,
    a_department,
    accepted,
    assigned,
    contributed,
    later,
    rated,
    recalled,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.delegating import delegated
from tests.joining import going_ahead_city, went_ahead
from tests.releasing import approved, release_refused, reply_edited
from tests.returning import reassigned

OWN = ("lighting", "roads", "water", "parks")
OFFICES = ("roads-east", "roads-west")
departments = st.sampled_from((*OWN, *OFFICES))
own = st.sampled_from(OWN)
texts = st.integers(0, 999).map(lambda number: f"原文{number:03}。")
steps = st.one_of(
    st.builds(contributed, departments, texts),
    st.builds(contributed, departments, texts),
    st.builds(contributed, st.just("lighting"), texts),
    st.builds(went_ahead, st.sampled_from(("lighting", "roads"))),
    st.builds(went_ahead, st.just("lighting")),
    st.builds(approved, st.sampled_from((21, 22))),
    st.builds(approved, st.sampled_from((21, 22))),
    st.builds(release_refused, st.just("写明日期"), part_of_department=st.one_of(st.none(), own)),
    st.builds(reply_edited, st.just("lighting"), opening=st.sampled_from(("", "您好：", "补充：")), closing=st.none()),
    st.builds(delegated, st.sampled_from(("roads", "roads", "lighting")), st.sampled_from(OFFICES)),
    st.just(delegated("roads", *OFFICES, text="指示。")),
    st.builds(accepted, departments),
    st.builds(replied, st.sampled_from(OFFICES), st.just("区道路所的话。")),
    st.builds(returned, departments),
    st.builds(withdrawn, departments),
    st.builds(recalled, departments),
    st.builds(assigned, st.just("lighting"), st.sampled_from(OWN[1:])),
    st.builds(reassigned, departments, own),
    st.just(rated()),
)
hours = st.sampled_from((0, 1, 200, 361, 400, 800))


def city(approvers: int) -> CityIndex:
    given: City = going_ahead_city(approvers)
    offices = (a_department(code, "区道路所", "District Roads", parent="roads") for code in OFFICES)
    return city_index(given.model_copy(update={"departments": (*CITY.departments, *offices)}))


CITIES = {approvers: city(approvers) for approvers in (0, 1)}


def told_at(history: list[tuple[Step, int]], index: CityIndex) -> list[Story]:
    """The story after each step; time only goes on."""
    stories, moment = [told(received("三家一起", public=True), city=index)], MONDAY_NOON
    for step, more in history:
        moment += timedelta(hours=more, minutes=1)
        stories.append(told(later(step, moment), city=index, after_this=stories[-1]))
    return stories


def written(story: Story) -> dict[str, set[str]]:
    """The contributions of each part that were recorded, from the decisions' words."""
    found: dict[str, set[str]] = {}
    for decision in story.decisions:
        for index, fact in enumerate(decision.facts):
            if isinstance(fact, facts.Contributed):
                found.setdefault(fact.part_id, set()).add(decision.words[f"{index}/text"])
    return found


def replies(case: Case) -> list[tuple[str, str]]:
    """Part and text of each paragraph that the resident has."""
    released = [case.released] if case.released else []
    return [
        (one.part_id, one.text.text)
        for reply in (*released, *(one.reply for one in case.addenda))
        for one in reply.paragraphs
    ]


def check(before: Story, after: Story) -> None:
    case, made = after.case, [type(one) for one in after.last.facts]
    read = replies(case)
    assert len({part_id for part_id, _ in read}) == len(read), "no part is released twice"
    for part_id, text in read:
        assert case.parts[part_id].parent is None
        assert sha256(text.encode()).digest() in {sha256(one.encode()).digest() for one in written(after)[part_id]}
    assert replies(before.case) == read[: len(replies(before.case))], "what was released stays"
    told_now = [json.loads(one.value) for one in after.last.messages if one.topic == topics.RESIDENTS]
    shown = {text for _, text in read}
    unreleased = {text for some in written(after).values() for text in some} - shown
    said = json.dumps(told_now, ensure_ascii=False)
    assert not [text for text in unreleased if text in said]
    assert "指示。" not in said
    assert "roads-east" not in said
    assert "区道路所" not in said
    assert made.count(facts.Answered) <= 1
    assert sum(one["what"] == "supplemented" for one in told_now) == made.count(facts.Supplemented) <= 1
    if before.case.is_answered:
        assert facts.Answered not in made
        assert all(one["case"]["state"] == "answered" and one["case"]["reply"] for one in told_now)
    open_above = {part.id for part in case.active_parts}
    assert all(part.parent in open_above for part in case.delegated_parts), "no piece outlives its part"
    assert case.status == "triage" or case.lead is not None
    assert not any(part.omitted and not part.open for part in case.active_parts)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from((0, 1)), st.lists(st.tuples(steps, hours), min_size=5, max_size=30))
def test_no_word_leaks_changes_or_gets_lost(approvers: int, history: list[tuple[Step, int]]) -> None:
    stories = told_at(history, CITIES[approvers])
    for before, after in pairwise(stories):
        check(before, after)
    story = stories[-1]
    stored = [from_document(one.document()) for one in story.decisions]
    assert case_of(INQUIRY, stored) == story.case
    assert with_messages(INQUIRY, stored) == list(story.decisions)
