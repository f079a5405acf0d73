"""Sizes in bytes: the largest inputs lead to messages and documents that Kafka and the store accept."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from bson import encode

from services.intake.domain import Submission
from services.intake.store import document as ticket_update
from services.notifier.domain.hall import unmasked_entry
from services.notifier.domain.notices import for_resident
from services.notifier.hall_documents import entry_document, unmasked_document
from services.notifier.mail.documents import delivery_document
from services.router.domain import sizes
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.outputs.messages import with_messages
from services.router.domain.outputs.rejected_answers import REJECTED_ANSWER_MAX
from services.router.gate.outbox_decoder import VALUE_MAX, read_outbox
from shared.city import Name
from shared.contracts.department_outbox import Action, PartContributed
from shared.contracts.fields import Contact
from shared.contracts.limits import (
    ANSWER_BYTES_MAX,
    BODY_MAX,
    DEPARTMENTS_MAX,
    DOCUMENT_BYTES_MAX,
    FRAME_MAX,
    MESSAGE_BYTES_MAX,
    NAME_MAX,
    SUBJECT_MAX,
    TEXT_MAX,
)
from shared.http.request_body import REQUEST_MAX
from shared.kafka import topics
from shared.kafka.dead_letters import dead_letter
from shared.kafka.publisher import size_of
from shared.kafka.records import Record
from shared.kafka.topics import department_topics, system_topics
from shared.service.event_decoders import read_told
from tests.builders import (
    INQUIRY,
    MONDAY_NOON,
    Step,
    Story,
    a_city,
    a_department,
    a_record,
    filled,
    part_of,
    rated,
    received,
    told,
)
from tests.publishing import corrected
from tests.releasing import a_policy, approved, reply_edited

STORE_MAX = 16 * 1_048_576
CODES = [f"office-{n:02d}" for n in range(DEPARTMENTS_MAX)]
BATCH_OVERHEAD = 200
CONTROL, ASTRAL, MARK = "\x01", "\U0001f600", "\x1a"


def city(character: str, approvers: int = 0) -> CityIndex:
    """Built past the validation of names, which refuses some of these characters: an upper bound."""
    text = filled(character, NAME_MAX)
    name = Name.model_construct(zh=text, en=text)
    whole = a_city(*(a_department(code).model_copy(update={"name": name}) for code in CODES))
    return city_index(whole.model_copy(update={"policies": (a_policy("standard", approvers),)}))


def contribution(code: str, text: str, note: str) -> Step:
    """A contribution with all optional fields."""

    def payload(case: Any) -> PartContributed:
        actions = tuple(Action(kind="k" * 100, at=MONDAY_NOON, note=note) for _ in range(50))
        return PartContributed(part_id=part_of(case, code), text=text, by=text[:100], actions=actions)

    return Step(payload, code)


def largest(character: str, body: str | None = None) -> Story:
    """An inquiry for the largest number of departments, each with the largest contribution, and the lead's frame."""
    opening = received(
        filled(character, SUBJECT_MAX),
        body or filled(character, BODY_MAX),
        area=filled(character, 100),
        contact=Contact(name=filled(character, 100), phone="1" * 40, email="a" * 64 + "@" + "b" * 189),
        departments=tuple(CODES),
        public=True,
        language="en",
    )
    # The longest notes with which the whole contribution fits into an outbox.
    texts = [filled(character, TEXT_MAX - n) for n in range(DEPARTMENTS_MAX)]
    steps = [contribution(code, text, filled(character, 1_500)) for code, text in zip(CODES, texts, strict=True)]
    frame = reply_edited(CODES[0], opening=filled(character, FRAME_MAX), closing=filled(character, FRAME_MAX - 1))
    return told(opening, *steps, frame, approved(), city=city(character, approvers=1))


@pytest.fixture(
    scope="module", params=[CONTROL, ASTRAL, MARK, '"', "路"], ids=["control", "4 bytes", "mark", "quote", "zh"]
)
def story(request: pytest.FixtureRequest) -> Story:
    return largest(request.param)


def test_the_largest_case_is_answered(story: Story) -> None:
    assert (story.case.status, len(story.case.active_parts)) == ("answered", DEPARTMENTS_MAX)
    assert [one for one in story.decisions if one.refusal] == []


def test_each_message_fits_into_its_topic_and_into_a_dead_letter(story: Story) -> None:
    most = {one.name: one.record_mib * 1_048_576 for one in (*system_topics(6, 90), *department_topics(CODES, 90))}
    for one in story.messages:
        assert len(one.value) <= MESSAGE_BYTES_MAX
        assert size_of(one.record) + BATCH_OVERHEAD < most[one.topic]
        key, value, headers = one.record
        letter = dead_letter("notifier", Record(one.topic, 0, 1, 2, key, value, headers), "permanent", "局" * 2_000, 5)
        assert "dl_cut" not in dict(letter[2])
        assert size_of(letter) + BATCH_OVERHEAD < most[topics.dead_letters("notifier")]


def test_each_document_fits_into_the_store(story: Story) -> None:
    documents = [one.document() for one in story.decisions]
    for one in story.messages:
        if one.topic == topics.RESIDENTS and (seen := read_told(a_record(one.value, one.record[2], topic=one.topic))):
            documents.append(ticket_update(seen))
            if notice := for_resident(seen.id, seen.told, seen.n, seen.place, seen.at):
                documents.append(delivery_document(notice, "thread", MONDAY_NOON))
            if reply := unmasked_entry(seen.told, seen.n, "2026-03-16T04:00:00.000Z"):
                documents += [unmasked_document(reply, MONDAY_NOON), entry_document(reply.entry)]
    assert len(documents) > 3 * DEPARTMENTS_MAX
    assert max(len(encode(one)) for one in documents) < STORE_MAX // 2


def test_the_derivation_of_the_largest_message_is_exact() -> None:
    value = max((one.value for one in largest(CONTROL).messages), key=len)
    size = len(value)
    # Each text of the story is one character shorter than the one before it, and ends with a point, of 1 byte instead of 6.
    missing = 3 * 6 * (sum(range(DEPARTMENTS_MAX)) + 1) + 5 * value.count(b"\\u0001.")
    assert ANSWER_BYTES_MAX - missing < size < MESSAGE_BYTES_MAX - missing
    assert MESSAGE_BYTES_MAX < 8 * 1_048_576 - BATCH_OVERHEAD


def test_corrections_of_the_largest_case_fit() -> None:
    story, where = largest("路"), city("路", approvers=1)
    for number in range(3):
        text = filled("改", TEXT_MAX - number)
        story = told(corrected(CODES[number], text), approved(), city=where, after_this=story)
    assert [one for one in story.decisions if one.refusal] == []
    assert len(story.resident()["case"]["reply"]["changes"]) == 3
    assert max(len(one.value) for one in story.messages) <= MESSAGE_BYTES_MAX
    assert max(len(encode(one.document())) for one in story.decisions) < STORE_MAX // 2


def test_texts_that_contain_each_other_fit_too_and_are_restored() -> None:
    """Every other text contains the body, so none of them is stored as one reference."""
    story = largest(CONTROL, body=CONTROL * 6 + ".")
    assert max(len(encode(one.document())) for one in story.decisions) < STORE_MAX
    again = with_messages(INQUIRY, story.decisions)
    assert [one.messages for one in again] == [one.messages for one in story.decisions]


def test_the_limit_of_an_outbox_counts_bytes() -> None:
    """An escaped character of 4 bytes takes 12: a contribution within the character limits may not fit."""
    part = {"part_id": f"{INQUIRY}-p1", "text": ASTRAL * TEXT_MAX}
    notes = [{"kind": "visit", "at": "2026-03-16T04:00:00Z", "note": ASTRAL * 2_000}] * 50
    topic = topics.outbox("water")
    headers = [("ce_type", b"chorus.part.contributed")]
    escaped = json.dumps(part | {"actions": notes}).encode()
    refused = read_outbox(a_record(escaped, headers, topic=topic)).refusal
    assert refused is not None
    assert len(escaped) > VALUE_MAX
    said = (f"The value has {len(escaped)} bytes.", f"Write at most {VALUE_MAX} bytes.")
    assert (refused.reason, refused.remedy) == said
    raw = json.dumps(part | {"actions": notes}, ensure_ascii=False).encode()
    assert read_outbox(a_record(raw, headers, topic=topic)).refusal is None
    assert read_outbox(a_record(json.dumps(part).encode(), headers, topic=topic)).refusal is None


@pytest.mark.parametrize("character", [CONTROL, ASTRAL])
def test_the_largest_submission_fits_into_a_request_in_every_encoding(character: str) -> None:
    fields = {"subject": filled(character, SUBJECT_MAX), "body": filled(character, BODY_MAX), "area": character * 100}
    given = fields | {"contact": {"name": character * 100}, "departments": ["a" + "b" * 30] * DEPARTMENTS_MAX}
    for body in (json.dumps(given), json.dumps(given, ensure_ascii=False)):
        assert len(body.encode()) <= REQUEST_MAX
        Submission.model_validate_json(body)
    assert len(urlencode(fields)) <= REQUEST_MAX


# ── decisions that are too large ─────────────────────────────────────────────


def answering(text: str) -> Step:
    return contribution(CODES[-1], text, "")


def all_but_one() -> tuple[Story, CityIndex]:
    """A case in which one contribution is missing."""
    where = city("局")
    steps = [contribution(code, "好" * 100, "") for code in CODES[:-1]]
    return told(received("路灯", departments=tuple(CODES)), *steps, city=where), where


def test_an_input_whose_message_is_too_large_is_refused_and_a_shorter_one_is_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, where = all_but_one()
    monkeypatch.setattr(sizes, "MESSAGE_BYTES_MAX", 600_000)
    story = told(answering("好" * TEXT_MAX), city=where, after_this=before)
    assert story.refusal is not None
    size = int(story.refusal.split()[3])
    assert story.refusal == f"A message of {size} bytes would follow; at most 600000 can be sent."
    assert size > 600_000
    assert story.case.status == before.case.status == "in-progress"
    [(kind, refused)] = [one for one in story.on(topics.inbox(CODES[-1])) if one[0] == "message.refused"]
    assert (kind, refused["reason"], refused["remedy"]) == ("message.refused", story.refusal, sizes.REMEDY)
    assert story.last.facts == ()
    shorter = told(answering("好" * 100), city=where, after_this=story)
    assert (shorter.refusal, shorter.case.status) == (None, "answered")


def test_an_input_whose_document_is_too_large_in_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    before, where = all_but_one()
    monkeypatch.setattr(sizes, "DOCUMENT_BYTES_MAX", 300_000)
    taken = told(answering("a" * TEXT_MAX), city=where, after_this=before)
    refused = told(answering("好" * TEXT_MAX), city=where, after_this=before)
    assert taken.refusal is None
    assert refused.refusal is not None
    assert refused.refusal.endswith(" bytes; at most 300000 can be stored.")


def test_the_limits_leave_room_for_field_names() -> None:
    assert DOCUMENT_BYTES_MAX + 500_000 < STORE_MAX


# ── a reopened inquiry ───────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [None, CONTROL * 6 + "."], ids=["referenced", "contained"])
def test_the_largest_rating_reopens_the_largest_inquiry_and_is_never_refused(body: str | None) -> None:
    """Each of 20 departments reads the rating twice; a rating that did not fit would leave the resident without a right."""
    words = filled(CONTROL, TEXT_MAX)
    story = told(
        rated(solved=False, satisfied="no", words=words),
        city=city(CONTROL, approvers=1),
        after_this=largest(CONTROL, body),
    )
    assert (story.refusal, story.case.status, len(story.case.active_parts)) == (None, "reopened", DEPARTMENTS_MAX)
    assert max(len(one.value) for one in story.last.messages) <= MESSAGE_BYTES_MAX
    assert len(encode(story.last.document())) < STORE_MAX
    assert story.last.messages == with_messages(INQUIRY, story.decisions)[-1].messages


def test_departments_read_the_whole_former_answer_unless_it_is_long() -> None:
    where = city("局")
    for length, whole in ((REJECTED_ANSWER_MAX - 3_000, True), (REJECTED_ANSWER_MAX, False)):
        answer = contribution(CODES[0], "好" * length, "")
        story = told(received("路灯", departments=(CODES[0],)), answer, rated(satisfied="no"), city=where)
        offered = [one for kind, one in story.on(topics.inbox(CODES[0])) if kind == "part.offered"][-1]
        assert ("answer" in offered["reopened"]) == whole
