"""Decisions on a case: refusals, repeats and folding. `rules/` has the stories of each rule."""

import pytest

from services.router.domain.case import Case
from services.router.domain.decision import from_document
from services.router.domain.facts import UnknownFact
from services.router.domain.fold import fold
from services.router.domain.outputs.messages import with_messages
from services.router.domain.words import NewFact
from shared.kafka import topics
from tests.builders import (
    INQUIRY,
    Step,
    accepted,
    assigned,
    contributed,
    rated,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.domain.rules.stories import BOTH


def test_an_input_before_its_inquiry_is_refused_and_changes_nothing() -> None:
    story = told(accepted("lighting"))
    assert story.refusal == f"There is no inquiry '{INQUIRY}' yet."
    assert story.case.state == "registered"
    assert [kind for kind, _ in story.on(topics.inbox("lighting"))] == ["message.refused"]


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (accepted("lighting"), accepted("lighting"), "is accepted already"),
        (contributed("lighting", "灯亮了"), contributed("lighting", "灯亮了"), "has this contribution already"),
        (contributed("lighting", "灯亮了"), returned("lighting"), "is contributed already"),
        (contributed("lighting", "灯亮了"), replied("lighting", "稍等"), "is contributed already"),
        (returned("lighting"), contributed("lighting", "灯亮了"), "is returned already"),
        (returned("lighting"), returned("lighting"), "is returned already"),
        (withdrawn("lighting"), accepted("lighting"), "is withdrawn already"),
        (accepted("lighting"), accepted("roads", part=f"{INQUIRY}-p1"), "does not belong to 'roads'"),
        (accepted("lighting"), accepted("lighting", part=f"{INQUIRY}-p7"), "does not belong to 'lighting'"),
        (accepted("lighting"), accepted("parks", part=f"{INQUIRY}-p2"), "does not belong to 'parks'"),
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
def test_an_input_that_the_state_forbids_is_refused_with_cause_reason_and_remedy(
    first: Step, second: Step, reason: str
) -> None:
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


def test_a_refusal_only_increments_the_number_of_decisions() -> None:
    before = told(BOTH, accepted("lighting"))
    after = told(accepted("lighting"), after_this=before)
    assert (after.case.n, after.case.sequence) == (before.case.n + 1, before.case.sequence)
    assert (after.case.parts, after.case.state) == (before.case.parts, before.case.state)


def test_the_same_bytes_under_the_same_id_are_a_repeat() -> None:
    once = told(received("路灯不亮"), accepted("lighting", id="a"))
    assert told(accepted("lighting", id="a"), after_this=once).decisions == once.decisions


def test_other_bytes_under_a_used_id_are_refused_once_with_the_senders_id() -> None:
    story = told(received("路灯不亮"), accepted("lighting", id="a"), contributed("lighting", "亮了", id="a"))
    assert story.refusal == "The id 'origin-a' was used before, for another message."
    assert (story.case.state, story.case.n) == ("in-progress", 3)
    again = told(contributed("lighting", "亮了", id="a"), accepted("lighting", id="a"), after_this=story)
    assert again.decisions == story.decisions


def test_a_fact_of_a_later_version_changes_nothing() -> None:
    case = told(BOTH, accepted("roads")).case
    assert fold(case, NewFact(UnknownFact("chorus.inquiry.paused", {"until": "2026-04-01"}))) == case


def test_every_decision_survives_a_round_trip_through_its_document() -> None:
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
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)


def test_a_case_without_decisions_is_empty() -> None:
    case = Case(INQUIRY)
    assert (case.n, case.state, case.lead, case.complete) == (0, "registered", None, False)
