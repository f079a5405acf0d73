"""Facts are classes: each has a name, a fold and its outputs, and is stored and read back as itself."""

import json
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from services.router.domain import facts
from services.router.domain.case import FOLD
from services.router.domain.fact_documents import document, from_document
from services.router.domain.facts import TYPES, Fact, UnknownFact, type_of
from services.router.domain.outputs.case_events import EVENTS
from services.router.domain.outputs.inboxes import INBOXES
from services.router.domain.outputs.resident import WHAT
from services.router.domain.outputs.sentences import SENTENCES
from shared.contracts.department_inbox import INBOX
from shared.contracts.facts import EVENT_TYPES
from shared.contracts.resident_messages import ResidentTold
from shared.kafka import topics
from tests.contract.test_golden import STORIES

CLASSES = set(get_args(Fact))
KNOWN = CLASSES - {UnknownFact}
NOT_PUBLISHED = {facts.Changed, facts.Drafted, facts.Released}
NOT_TOLD = {facts.Changed, facts.Drafted, facts.Released, facts.Offered}
NOT_FOR_DEPARTMENTS = KNOWN - {facts.Offered, facts.Changed, facts.Withdrawn, facts.Answered}
EVERY_FACT = [fact for story in STORIES.values() for one in story.decisions for fact in one.facts]


def test_every_fact_has_a_name_and_a_fold() -> None:
    assert TYPES.keys() == KNOWN
    assert len(set(TYPES.values())) == len(TYPES)
    assert FOLD.keys() == CLASSES


def test_every_fact_is_published_told_and_sent_or_is_named_here_as_one_that_is_not() -> None:
    assert EVENTS.keys() == KNOWN - NOT_PUBLISHED
    assert WHAT.keys() == SENTENCES.keys() == KNOWN - NOT_TOLD
    assert INBOXES.keys() == KNOWN - NOT_FOR_DEPARTMENTS


def test_the_types_that_readers_expect_are_those_that_are_published() -> None:
    assert {f"chorus.{TYPES[cls]}" for cls in EVENTS} == set(EVENT_TYPES)


@pytest.mark.parametrize("fact", EVERY_FACT, ids=lambda fact: type(fact).__name__)
def test_a_fact_is_read_back_as_it_was_stored(fact: Fact) -> None:
    stored = json.loads(json.dumps(document(fact)))
    assert from_document(stored) == fact
    assert type(from_document(stored)) is type(fact)
    assert stored["type"] == type_of(fact)


def test_the_stories_make_every_fact() -> None:
    assert {type(fact) for fact in EVERY_FACT} == KNOWN


def test_a_field_of_a_later_version_is_dropped_and_a_fact_of_one_is_kept() -> None:
    stored = document(facts.Accepted("20260316-7KQ2M9XD-p1", "roads"))
    stored["data"] |= {"later": [1]}
    assert from_document(stored) == facts.Accepted("20260316-7KQ2M9XD-p1", "roads")
    later = {"type": "inquiry.paused", "data": {"until": "2026-04-01"}}
    assert from_document(later) == UnknownFact("inquiry.paused", {"until": "2026-04-01"})
    assert document(from_document(later)) == later


def values(topic: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    """Type and value of the stories' messages, of one topic or of all inboxes."""
    found = [message for story in STORIES.values() for message in story.messages]
    chosen = [one for one in found if one.topic == topic or (topic is None and one.topic.startswith("departments."))]
    return [(one.type, json.loads(one.value)) for one in chosen]


def test_what_departments_receive_has_exactly_the_fields_of_its_class() -> None:
    for kind, value in values():
        fields = INBOX[kind].model_fields
        assert value.keys() <= fields.keys()
        assert {name for name, field in fields.items() if field.is_required()} <= value.keys()


def test_what_residents_are_told_has_exactly_the_fields_of_its_class() -> None:
    picture = ResidentTold.model_fields["case"].annotation
    assert picture is not None
    for _, value in values(topics.RESIDENTS):
        assert value.keys() == ResidentTold.model_fields.keys()
        assert value["case"].keys() | {"body"} == picture.model_fields.keys()
        ResidentTold.model_validate(value, strict=False)
