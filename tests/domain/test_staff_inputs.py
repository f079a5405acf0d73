"""Inputs that staff users enter at the desk: the role in events, the number in the decision, refusals not in the inbox."""

import json

import pytest

from services.router.core.input_decoder import read_input, readable
from services.router.domain.decision import Decision, from_document
from services.router.domain.staff import STAFF_ROLES, StaffUser
from shared.kafka import topics
from shared.kafka.failures import InvalidRecord
from tests.builders import Story, a_record, accepted, assigned, at_the_desk, contributed, input_record, received, told

LUO = 345678901
BOTH = received("路灯和路面都坏了")


def events(decision: Decision) -> list[dict[str, object]]:
    return [json.loads(one) for one in decision.events]


def test_events_have_the_role_of_a_clerk_and_the_decision_has_the_number() -> None:
    story = told(BOTH, at_the_desk(accepted("roads", by="luo"), LUO))
    assert [one["actor"] for one in events(story.last)] == [{"kind": "staff", "role": "clerk"}]
    assert (story.last.user, story.last.actor.text) == (LUO, "staff/clerk")
    assert str(LUO) not in "".join(story.last.events)
    assert "luo" not in "".join(story.last.events)
    assert story.last.words["0/by"] == "luo"


def test_no_message_contains_the_number_of_a_user() -> None:
    story = told(BOTH, at_the_desk(contributed("roads", "路补了"), LUO), contributed("lighting", "灯亮了"))
    assert all(str(LUO).encode() not in one.value for one in story.messages)


def test_a_clerk_answers_like_the_outbox_of_the_department() -> None:
    def texts(story: Story) -> tuple[str, list[str]]:
        return story.case.state, story.texts()

    by_kafka = told(BOTH, contributed("roads", "路补了"), contributed("lighting", "灯亮了"))
    by_desk = told(BOTH, at_the_desk(contributed("roads", "路补了"), LUO), contributed("lighting", "灯亮了"))
    assert texts(by_desk) == texts(by_kafka) == ("answered", ["灯亮了", "路补了"])


def test_the_refusal_of_a_clerk_is_not_sent_to_the_inbox_of_the_department() -> None:
    story = told(BOTH, accepted("roads"), at_the_desk(accepted("roads"), LUO))
    assert story.last.refused is not None
    assert story.last.refused.code == "part-not-offered"
    assert story.last.messages == ()
    by_kafka = told(BOTH, accepted("roads"), accepted("roads"))
    assert [kind for kind, _ in by_kafka.on(topics.inbox("roads"))][-1] == "message.refused"


def test_a_clerk_cannot_act_for_another_department() -> None:
    story = told(BOTH, at_the_desk(accepted("roads", part="20260316-7KQ2M9XD-p1"), LUO))
    assert story.last.refused is not None
    assert story.last.refused.code == "not-your-part"


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_a_record_keeps_role_department_and_number(role: str) -> None:
    story = told(BOTH, at_the_desk(accepted("roads"), LUO, role))
    read = read_input(input_record(story.inputs[1]))
    assert (read.actor.text, read.department, read.user, read.origin) == (f"staff/{role}", "roads", LUO, None)
    assert read == story.inputs[1]._replace(digest=read.digest)


def test_a_command_for_the_whole_case_has_no_department() -> None:
    story = told(received("别的事"), at_the_desk(assigned("parks"), LUO, "coordinator"))
    assert (read_input(input_record(story.inputs[1])).department, story.last.user) == (None, LUO)


def test_a_stored_decision_keeps_the_number_and_one_of_a_resident_has_none() -> None:
    first, second = told(BOTH, at_the_desk(accepted("roads"), LUO)).decisions
    assert "user" not in first.document()
    assert [from_document(one.document()).user for one in (first, second)] == [None, LUO]


@pytest.mark.parametrize("number", ["", "0", "-1", "1.5", "luo", "9" * 19, "١٢"])
def test_a_user_that_is_no_number_is_an_invalid_record(number: str) -> None:
    record = input_record(told(BOTH, at_the_desk(accepted("roads"), LUO)).inputs[1])
    headers = [(name, number.encode() if name == "ce_user" else value) for name, value in record.headers]
    read = readable(a_record(record.value, headers, key=record.key))
    assert isinstance(read, InvalidRecord)
    assert "ce_user" in str(read)


def test_only_the_shared_account_says_who_uses_it() -> None:
    shared, named = StaffUser(1, "operator", "operator"), StaffUser(2, "li", "operator")
    assert (shared.person("wang"), shared.person(None), shared.person("")) == ("wang", "operator", "operator")
    assert (named.person("wang"), named.person()) == ("li", "li")
