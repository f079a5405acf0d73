"""Texts, commitments and the event chain, verified with the standard library alone."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.router.domain.city_index import city_index
from services.router.domain.decide import decide
from services.router.domain.decision import case_of, from_document
from services.router.domain.outputs.messages import with_messages
from services.router.domain.words import MARK
from shared.city import City
from shared.contracts.fields import Contact
from shared.kafka import topics
from tests.builders import (
    CITY,
    DIRECTORY,
    INQUIRY,
    SALT,
    Story,
    accepted,
    contributed,
    drafted,
    given_by,
    rated,
    received,
    replied,
    told,
    withdrawn,
)

CONTACT = Contact(name="陈测试", phone="13900000000", email="writer@mail.example")
LONG = "东门外的路灯已经三天不亮了，晚上行人很多，请尽快处理。" * 3
WHOLE = told(
    received("路灯和路面都坏了", LONG, contact=CONTACT, area="东门外"),
    accepted("lighting", by="王工"),
    replied("roads", f"“{LONG}”：周五完工"),
    drafted("roads", "草稿"),
    contributed("lighting", f"灯亮了。{LONG}"),
    contributed("roads", "路补了\x1a1/0/body\x1a"),
    rated(words="还行"),
)


def commitments(fact: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every commitment in an event, by its field."""
    if isinstance(fact, dict):
        if fact.keys() == {"sha256"}:
            yield field, fact["sha256"]
            return
        for name, value in fact.items():
            yield from commitments(value, f"{field}/{name}" if field else name)
    elif isinstance(fact, list):
        for at, value in enumerate(fact):
            yield from commitments(value, f"{field}/{at}")


def text_of(story: Story, n: int, index: int, field: str) -> str:
    """The text that a fact commits to: from the decision's words, or for a joint reply from the parts' words."""
    decision = story.decisions[n - 1]
    reply = story.case.reply
    if json.loads(decision.events[index])["type"] != "chorus.reply.composed":
        return decision.words[f"{index}/{field}"]
    assert reply is not None
    return reply.text.text if field == "text" else reply.paragraphs[int(field.split("/")[1])].text.text


def test_every_commitment_is_the_sha256_of_its_salt_and_text() -> None:
    seen = set()
    for decision in WHOLE.decisions:
        assert decision.salt == SALT
        for index, event in enumerate(decision.events):
            for field, sha256 in commitments(json.loads(event)):
                salt = hmac.new(SALT, f"{index}/{field}".encode(), "sha256").digest()
                text = text_of(WHOLE, decision.n, index, field)
                assert sha256 == hashlib.sha256(salt + text.encode()).hexdigest()
                seen.add(field)
    assert seen == {"subject", "body", "why", "text", "paragraphs/0/text", "paragraphs/1/text", "words"}


def test_the_events_of_a_case_are_a_hash_chain() -> None:
    prev = None
    events = [message for message in WHOLE.messages if message.topic == topics.EVENTS]
    assert [message.sequence for message in events] == list(range(1, len(events) + 1))
    for message in events:
        value = json.loads(message.value)
        assert value["prev"] == prev
        assert (value["type"], value["sequence"]) == (message.type, message.sequence)
        assert value["at"] == message.origin.recorded_at
        assert list(value)[:5] == ["type", "inquiry_id", "sequence", "at", "actor"]
        assert list(value)[-4:] == ["state", "departments", "part_states", "prev"]
        prev = hashlib.sha256(message.value).hexdigest()
    assert prev == WHOLE.case.head == WHOLE.last.head


def test_each_event_has_the_state_after_its_own_fact() -> None:
    states = [(value["state"], value["part_states"]) for _, value in told(received("路灯和路面")).on(topics.EVENTS)]
    assert states == [
        ("registered", {}),
        ("registered", {}),
        ("assigned", {"offered": 1}),
        ("assigned", {"offered": 2}),
    ]


def test_an_event_has_only_kind_and_role_of_its_actor() -> None:
    story = told(received("三家一起"), accepted("roads", by="王工"), withdrawn("lighting"))
    actors = [value["actor"] for _, value in story.on(topics.EVENTS)]
    assert actors[0] == {"kind": "resident"}
    assert {"kind": "department"} in actors
    assert actors[-1] == {"kind": "staff", "role": "operator"}
    assert "王工" not in json.dumps([value for _, value in story.on(topics.EVENTS)], ensure_ascii=False)


def test_stored_messages_reference_long_texts_and_are_completed_when_read() -> None:
    stored = [one.document() for one in WHOLE.decisions]
    for document in stored:
        assert LONG not in "".join(document["messages"]) + document.get("picture", "")
    read = [from_document(one) for one in stored]
    assert with_messages(INQUIRY, reversed(read)) == list(WHOLE.decisions)
    assert case_of(INQUIRY, read) == WHOLE.case


@pytest.mark.parametrize(
    "text", [f"{MARK}.", f"{MARK}1/0/body{MARK}", f"{MARK}picture{MARK}", "1/0/body" * 9, "chorus" * 9]
)
def test_a_text_that_looks_like_a_reference_is_not_replaced(text: str) -> None:
    story = told(received("路灯", text), replied("lighting", text), contributed("lighting", text), rated(words=text))
    read = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, read) == list(story.decisions)
    assert story.texts() == [text]


def renamed(city: City, code: str) -> City:
    """The next revision, with another name for one department."""
    former = city.department(code)
    assert former is not None
    other = former.model_copy(update={"name": former.name.model_copy(update={"zh": "照明中心"})})
    departments = tuple(other if one.code == code else one for one in city.departments)
    return city.model_copy(update={"departments": departments, "revision": city.revision + 1})


def test_renaming_a_department_does_not_change_a_released_reply() -> None:
    before = told(received("路灯"), contributed("lighting", "亮了"))
    reply = before.resident()["case"]["reply"]
    after = told(rated(), city=city_index(renamed(CITY, "lighting")), after_this=before)
    assert after.resident()["case"]["reply"] == reply
    assert reply["text"] == "【路灯管理所】\n亮了"
    assert after.last.revision == DIRECTORY.revision + 1


def test_the_words_of_a_joint_reply_contain_its_plain_sha256() -> None:
    decision = WHOLE.decisions[5]
    reply = WHOLE.resident()["case"]["reply"]
    assert decision.words["1/sha256"] == hashlib.sha256(reply["text"].encode()).hexdigest()


def test_a_reply_composed_again_has_the_next_version() -> None:
    first = told(received("路灯"), contributed("lighting", "亮了"))
    assert first.case.reply is not None
    assert (first.case.reply.id, first.case.reply.version) == (f"{INQUIRY}-r1", 1)


def test_the_digest_of_an_input_excludes_its_salt() -> None:
    case = told().case
    given = given_by(received("路灯"), case, 1)
    other = decide(case, given._replace(salt=bytes(32)), DIRECTORY)
    assert other.digest == decide(case, given, DIRECTORY).digest
    assert other.facts != decide(case, given, DIRECTORY).facts


def test_no_event_contains_free_text() -> None:
    events = [message.value.decode() for message in WHOLE.messages if message.topic == topics.EVENTS]
    assert not [one for one in events if re.search(r"[^\x20-\x7e]", one)]
    assert not [one for one in events if "writer@" in one or "139000" in one]
