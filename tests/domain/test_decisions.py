"""Invariants of every decision: ids, numbering, privacy; and random histories of a case."""

import json
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.router.domain.city_index import city_index
from services.router.domain.decision import case_of
from shared.contracts.department_inbox import INBOX
from shared.contracts.facts import EVENT_TYPES, CaseEvent
from shared.contracts.fields import Contact, is_blank
from shared.contracts.limits import DEPARTMENTS_MAX, TEXT_MAX
from shared.contracts.resident_messages import ResidentTold
from shared.kafka import topics
from shared.kafka.publisher import RECORD_BYTES_MAX
from tests.builders import (
    NAMES,
    Step,
    Story,
    a_city,
    a_department,
    accepted,
    assigned,
    contributed,
    drafted,
    link_requested,
    rated,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.stories import every_step

SECRET = "㊙-never-on-events-"
EVERYTHING = every_step(
    lambda field: f"{SECRET}{field}",
    contact=Contact(name=f"{SECRET}name", phone=f"{SECRET}phone", email=f"{SECRET}e@mail.example"),
)
DEPARTMENTS = ("lighting", "roads", "water", "parks")


def test_events_never_contain_texts_of_residents_or_departments() -> None:
    story = told(*EVERYTHING)
    assert story.case.state == "answered"
    for message in story.messages:
        if message.topic == topics.EVENTS:
            carried = message.value.decode() + repr(message._replace(value=b""))
            assert SECRET not in carried, message.type


def test_departments_get_the_residents_text_and_contact() -> None:
    offer = told(*EVERYTHING).on(topics.inbox("roads"))[0][1]
    assert (offer["body"], offer["contact"]["phone"]) == (f"{SECRET}body", f"{SECRET}phone")


def test_events_contain_the_area_only_as_spelled_in_the_directory() -> None:
    assert told(received("路灯", area="东屿区")).on(topics.EVENTS)[0][1]["area"] == "东屿区"
    assert told(received("路灯", area="东屿区三号楼")).on(topics.EVENTS)[0][1]["area"] is None


def test_a_confidential_inquiry_has_no_contact_for_departments_and_is_not_in_the_hall() -> None:
    contact = Contact(name=f"{SECRET}name", phone=f"{SECRET}phone", email=f"{SECRET}e@mail.example")
    story = told(
        received("路灯和路面", contact=contact, confidential=True, public=True),
        returned("roads"),
        assigned("parks"),
        contributed("parks", "好"),
        contributed("lighting", "好"),
    )
    for department in ("lighting", "roads", "parks"):
        assert SECRET not in json.dumps(story.on(topics.inbox(department)), ensure_ascii=False)
    assert story.resident()["contact"]["name"] == f"{SECRET}name"
    assert [one["public"] for _, one in story.on(topics.RESIDENTS)] == [False] * len(story.on(topics.RESIDENTS))


def test_deciding_twice_gives_the_same_bytes() -> None:
    once, again = told(*EVERYTHING), told(*EVERYTHING)
    assert [one.document() for one in once.decisions] == [one.document() for one in again.decisions]
    assert once.messages == again.messages


def test_two_inquiries_with_the_same_story_share_no_id() -> None:
    here, there = told(*EVERYTHING), told(*EVERYTHING, inquiry_id="20260316-00000000")
    ids = [message.id for message in (*here.messages, *there.messages)]
    assert len(set(ids)) == len(ids)


def test_every_message_names_its_cause_its_case_and_its_time() -> None:
    story = told(*EVERYTHING)
    for decision in story.decisions:
        for message in decision.messages:
            headers = dict(message.record[2])
            assert headers["ce_causationid"] == decision.cause.encode()
            assert headers["ce_subject"] == message.key.encode() == story.case.inquiry_id.encode()
            assert headers["ce_recordedtime"] == headers["ce_time"] == decision.decided_at.encode()
            on_events = message.topic == topics.EVENTS
            assert on_events or headers["ce_sequence"] == str(decision.n).encode()


def test_every_message_validates_against_its_class() -> None:
    for message in told(*EVERYTHING).messages:
        data = json.loads(message.value)
        if message.topic == topics.EVENTS:
            assert message.type in EVENT_TYPES
            CaseEvent.model_validate(data)
        elif message.topic == topics.RESIDENTS:
            ResidentTold.model_validate(data)
        else:
            INBOX[message.type].model_validate(data)


@pytest.mark.parametrize("character", ["话", "\n", "🚧"], ids=["chinese", "line breaks", "emoji"])
def test_the_longest_joint_reply_fits_into_its_topics_and_the_store(character: str) -> None:
    codes = tuple(f"bureau-{number}" for number in range(DEPARTMENTS_MAX))
    city = city_index(a_city(*(a_department(code) for code in codes)))
    long = "." + character * (TEXT_MAX - 2) + "."
    story = told(received("大家", long, departments=codes), *(contributed(code, long) for code in codes), city=city)
    assert story.case.state == "answered"
    largest = max(len(message.value) for message in story.messages)
    limits = {topic.name: topic.record_mib * topics.MIB for topic in topics.system_topics(1, 1)}
    assert largest < min(limits[topics.RESIDENTS], RECORD_BYTES_MAX)
    assert max(len(bson.encode(one.document())) for one in story.decisions) < 16 * topics.MIB


# ── a case's life at random ──────────────────────────────────────────────────

departments = st.sampled_from(DEPARTMENTS)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: not is_blank(text)
)
subjects = st.sampled_from(("路灯", "路灯和路面", "三家一起", "水管", "别的"))


class LifeOfACase(RuleBasedStateMachine):
    """Any input at any time, including repeats and reused ids."""

    def __init__(self) -> None:
        super().__init__()
        self.story = told()
        self.steps: list[Step] = []
        self.number = 0

    def then(self, make: Any, *given: Any, **more: Any) -> None:
        self.number += 1
        step = make(*given, **more)
        self.take(Step(step.payload, step.department, f"id-{self.number}"))

    def take(self, step: Step) -> None:
        self.steps.append(step)
        self.story = told(step, after_this=self.story)

    @initialize(subject=subjects)
    def receive(self, subject: str) -> None:
        self.then(received, subject)

    @rule(subject=subjects)
    def receive_again(self, subject: str) -> None:
        self.then(received, subject)

    @rule(department=departments)
    def accept(self, department: str) -> None:
        self.then(accepted, department)

    @rule(department=departments)
    def contribute(self, department: str) -> None:
        self.then(contributed, department, f"«{department}»")

    @rule(department=departments, text=texts)
    def draft(self, department: str, text: str) -> None:
        self.then(drafted, department, text)

    @rule(department=departments, text=texts)
    def reply(self, department: str, text: str) -> None:
        self.then(replied, department, text)

    @rule(department=departments)
    def give_back(self, department: str) -> None:
        self.then(returned, department)

    @rule(lead=departments, others=st.lists(departments, max_size=2))
    def assign(self, lead: str, others: list[str]) -> None:
        self.then(assigned, lead, *others)

    @rule(department=departments)
    def withdraw(self, department: str) -> None:
        self.then(withdrawn, department)

    @rule(round=st.integers(1, 2))
    def rate(self, round: int) -> None:
        self.then(rated, round)

    @rule()
    def request_link(self) -> None:
        self.then(link_requested)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """An earlier input with the same bytes changes nothing."""
        given = data.draw(st.sampled_from(self.story.inputs))
        before = self.story
        self.story = told(Step(lambda _: given.payload, given.department, given.id), after_this=before)
        assert self.story.decisions == before.decisions

    @rule(data=st.data(), department=departments)
    def imitate(self, data: st.DataObject, department: str) -> None:
        used = data.draw(st.sampled_from([one.cause for one in self.story.decisions]))
        before = self.story.case
        step = contributed(department, f"imitation {len(self.story.inputs)}", part=f"{before.inquiry_id}-p1")
        self.story = told(Step(step.payload, department, used), after_this=self.story)
        assert "was used before" in (self.story.refusal or "")
        assert self.story.case.parts == before.parts

    @invariant()
    def each_cause_decides_once_and_numbers_are_dense(self) -> None:
        decisions = self.story.decisions
        assert [one.n for one in decisions] == list(range(1, len(decisions) + 1))
        assert len({one.cause for one in decisions}) == len(decisions)
        sequences = [one.sequence for one in self.story.messages if one.topic == topics.EVENTS]
        assert sequences == list(range(1, len(sequences) + 1))
        assert self.story.case.sequence == len(sequences)

    @invariant()
    def ids_are_unique(self) -> None:
        ids = [one.id for one in self.story.messages]
        assert len(set(ids)) == len(ids)

    @invariant()
    def the_state_agrees_with_the_parts(self) -> None:
        case = self.story.case
        active = case.active_parts
        assert sum(part.role == "lead" for part in active) <= 1
        assert len({part.department for part in active}) == len(active)
        if case.state == "answered":
            assert active
            assert {part.state for part in active} == {"contributed"}
        if case.state in ("assigned", "in-progress", "answered"):
            assert case.lead is not None
        assert case_of(case.inquiry_id, self.story.decisions) == case

    @invariant()
    def a_reply_is_there_when_it_is_answered_and_holds_each_part_once(self) -> None:
        case = self.story.case
        if not self.story.on(topics.RESIDENTS):
            return
        reply = self.story.resident()["case"]["reply"]
        assert (reply is not None) == (case.state == "answered")
        if reply is not None:
            assert [one["department"] for one in reply["paragraphs"]] == [p.department for p in case.active_parts]
            for part in case.active_parts:
                assert reply["text"].count(f"«{part.department}»") == 1
                assert f"【{NAMES[part.department][0]}】" in reply["text"]
        assert self.story.events().count("inquiry.answered") == int(case.status == "answered")


LifeOfACase.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestLifeOfACase: type = LifeOfACase.TestCase


@pytest.mark.parametrize("language", ["zh", "en"])
def test_residents_get_messages_in_their_language(language: str) -> None:
    story: Story = told(received("路灯和路面", language=language), contributed("roads", "done"))
    texts = [one["text"] for _, one in story.on(topics.RESIDENTS)]
    assert all(text.isascii() == (language == "en") for text in texts), texts
