"""Sizes in bytes: the largest questions and additions lead to messages and documents that Kafka and the store accept."""

import pytest
from bson import encode

from services.intake.domain import AdditionGiven
from services.intake.store import document as ticket_update
from services.notifier.domain.notices import for_resident
from services.notifier.mail.documents import delivery_document
from services.router.domain.city_index import city_index
from services.router.domain.outputs.messages import with_messages
from shared.contracts.limits import (
    ADDITION_MAX,
    ADDITIONS_AND_ANSWERS_MAX,
    BODY_MAX,
    DEPARTMENTS_MAX,
    MESSAGE_BYTES_MAX,
    QUESTION_MAX,
)
from shared.kafka import topics
from shared.kafka.publisher import size_of
from shared.kafka.topics import department_topics, system_topics
from shared.service.event_decoders import read_told
from tests.asking import added, asked, asked_for_case
from tests.builders import INQUIRY, MONDAY_NOON, Step, Story, a_city, a_department, a_record, filled, received, told
from tests.domain.test_sizes import BATCH_OVERHEAD, CODES, CONTROL, STORE_MAX, city
from tests.returning import reassigned

TOPICS = {one.name: one for one in (*system_topics(6, 90), *department_topics([*CODES, "spare"], 90))}


@pytest.fixture(scope="module", params=[CONTROL, "路"], ids=["control", "zh"])
def story(request: pytest.FixtureRequest) -> Story:
    """Every department and the desk ask, the resident answers as often as possible, and one part moves."""
    character = request.param
    opening = received("路灯", filled(character, BODY_MAX), departments=tuple(CODES[:-1]))
    questions = [asked(code, filled(character, QUESTION_MAX - n)) for n, code in enumerate(CODES[:-1])]
    whole = filled(character, QUESTION_MAX)
    additions = list[Step]()
    for n in range(ADDITIONS_AND_ANSWERS_MAX):
        # Only while a question is open may there be so many.
        additions += [asked_for_case(whole), added(filled(character, ADDITION_MAX - n))]
    move = reassigned(CODES[0], CODES[-1])
    return told(opening, *questions, *additions, move, city=city(character))


def test_the_largest_questions_and_additions_are_taken(story: Story) -> None:
    assert [one.refusal for one in story.decisions if one.refusal] == []
    assert (len(story.case.additions), len(story.case.active_parts)) == (
        ADDITIONS_AND_ANSWERS_MAX,
        DEPARTMENTS_MAX - 1,
    )


def test_each_message_fits_into_its_topic(story: Story) -> None:
    for one in story.messages:
        assert len(one.value) <= MESSAGE_BYTES_MAX
        assert size_of(one.record) + BATCH_OVERHEAD < TOPICS[one.topic].record_mib * 1_048_576


def test_each_document_fits_into_the_store(story: Story) -> None:
    documents = [one.document() for one in story.decisions]
    for one in story.messages:
        if one.topic == topics.RESIDENTS and (seen := read_told(a_record(one.value, one.record[2], topic=one.topic))):
            documents.append(ticket_update(seen))
            if notice := for_resident(seen.id, seen.told, seen.n, seen.place, seen.at):
                documents.append(delivery_document(notice, "thread", MONDAY_NOON))
    assert max(len(encode(one)) for one in documents) < STORE_MAX // 8


def test_stored_messages_are_completed_unchanged(story: Story) -> None:
    again = with_messages(INQUIRY, story.decisions)
    assert [one.messages for one in again] == [one.messages for one in story.decisions]


def test_an_addition_stores_its_text_once_for_all_departments() -> None:
    text = filled("补", ADDITION_MAX)
    plain = city_index(a_city(*map(a_department, CODES)))
    story = told(received("路灯", departments=tuple(CODES)), added(text), city=plain)
    assert len([one for one in story.last.messages if one.type == "chorus.part.added"]) == DEPARTMENTS_MAX
    assert len(encode(story.last.document())) < 3 * len(text.encode())


def test_an_addition_is_not_longer_than_the_limit() -> None:
    AdditionGiven(text="a" * ADDITION_MAX)
    with pytest.raises(ValueError, match="at most 5000"):
        AdditionGiven(text="a" * (ADDITION_MAX + 1))
