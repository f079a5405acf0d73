"""Fact classes: each has a name, a fold and its outputs, and no field for free text."""

import json
import re
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from services.router.domain import facts
from services.router.domain.fact_documents import from_event
from services.router.domain.facts import CHANNELS, TYPES, Fact, UnknownFact
from services.router.domain.fold import FOLD
from services.router.domain.outputs.case_events import event_type
from services.router.domain.outputs.inboxes import INBOXES
from services.router.domain.outputs.resident import WHAT
from services.router.domain.outputs.sentences import SENTENCES
from shared.contracts.commitments import Commitment
from shared.contracts.department_inbox import INBOX
from shared.contracts.facts import EVENT_TYPES
from shared.contracts.resident_messages import ResidentTold
from shared.kafka import topics
from tests.builders import received, told
from tests.contract.test_golden import STORIES

CLASSES = set(get_args(Fact))
KNOWN = CLASSES - {UnknownFact}
ONLY_EVENTS = {facts.DueSoon, facts.Broken, facts.ExtensionAsked}
NOT_TOLD = {
    facts.CaseLinked,
    facts.Changed,
    facts.Composed,
    facts.Released,
    facts.Offered,
    facts.ReplyEdited,
    facts.Approved,
    facts.ReplyReleased,
    facts.Omitted,
    facts.Delegated,
    facts.CorrectionSent,
    facts.Reported,
    facts.Paused,
    facts.Resumed,
    facts.ExtensionRefused,
}
NOT_FOR_DEPARTMENTS = KNOWN - {
    facts.Offered,
    facts.Changed,
    facts.Withdrawn,
    facts.Answered,
    facts.Rated,
    facts.AwaitingRelease,
    facts.ReleaseRefused,
    facts.Omitted,
    facts.Supplemented,
    facts.Contributed,
    facts.Returned,
    facts.Corrected,
    facts.Retracted,
    facts.Added,
    facts.Paused,
    facts.Resumed,
    facts.Closed,
    facts.Extended,
    facts.ExtensionRefused,
    facts.CaseRefused,
    facts.CaseWithdrawn,
    facts.CaseErased,
}
EVERY_FACT = [pair for one in STORIES.values() for d in one.decisions for pair in zip(d.facts, d.events, strict=True)]


def test_every_fact_has_a_name_and_a_fold() -> None:
    assert TYPES.keys() == KNOWN
    assert len(set(TYPES.values())) == len(TYPES)
    assert FOLD.keys() == CLASSES


def test_every_fact_has_messages_or_is_listed_here_as_one_without() -> None:
    assert WHAT.keys() == KNOWN - NOT_TOLD - ONLY_EVENTS
    assert SENTENCES.keys() == WHAT.keys() - {facts.CaseErased}, "an erasure is told without a word"
    assert INBOXES.keys() == KNOWN - NOT_FOR_DEPARTMENTS


def test_event_types_equal_fact_types() -> None:
    assert {f"chorus.{name}" for name in TYPES.values()} == set(EVENT_TYPES)


@pytest.mark.parametrize(("fact", "event"), EVERY_FACT, ids=lambda one: type(one).__name__)
def test_a_fact_survives_a_round_trip_through_its_event(fact: Fact, event: str) -> None:
    assert from_event(event) == fact
    assert type(from_event(event)) is type(fact)
    assert json.loads(event)["type"] == event_type(fact)


def test_the_stories_produce_every_fact() -> None:
    assert {type(fact) for fact, _ in EVERY_FACT} == KNOWN


def test_unknown_fields_are_dropped_and_unknown_facts_are_kept() -> None:
    accepted = {"type": "chorus.part.accepted", "part_id": "20260316-7KQ2M9XD-p1", "department": "roads"}
    assert from_event(json.dumps(accepted | {"later": [1]})) == facts.Accepted("20260316-7KQ2M9XD-p1", "roads")
    later = {"type": "chorus.inquiry.forwarded", "until": "2026-04-01"}
    assert from_event(json.dumps(later)) == UnknownFact("chorus.inquiry.forwarded", later)


# ── no free text ─────────────────────────────────────────────────────────────


def free_text(kind: Any, where: str) -> Iterator[str]:
    """The parts of a type that could contain free text: a plain `str`, or a type that is not known here."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind in (int, bool, NoneType, Commitment) or origin is Literal:
        return
    if origin is Annotated:
        assert inside[0] is str
        assert re.compile(inside[1])
    elif origin in (UnionType, Union, tuple):
        for one in inside:
            if one is not Ellipsis:
                yield from free_text(one, where)
    elif is_typeddict(kind):
        for name, one in get_type_hints(kind, include_extras=True).items():
            yield from free_text(one, f"{where}.{name}")
    else:
        yield where


@pytest.mark.parametrize("cls", sorted(KNOWN, key=str))
def test_no_field_of_a_fact_can_contain_free_text(cls: type[Fact]) -> None:
    hints = get_type_hints(cls, include_extras=True)
    assert [place for name, kind in hints.items() for place in free_text(kind, name)] == []


def test_a_field_that_could_contain_free_text_is_detected() -> None:
    assert list(free_text(str, "words")) == ["words"]
    assert list(free_text(tuple[str, ...], "words")) == ["words"]
    assert list(free_text(facts.CityId | dict[str, str] | None, "words")) == ["words"]


def misfits(kind: Any, value: Any) -> Iterator[Any]:
    """The values that do not match the type of their field."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        if not isinstance(value, str) or not re.fullmatch(inside[1], value):
            yield value
    elif origin is Literal:
        if value not in inside:
            yield value
    elif origin in (UnionType, Union):
        if not any(not list(misfits(one, value)) for one in inside):
            yield value
    elif origin is tuple:
        for one in value:
            yield from misfits(inside[0], one)
    elif is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        if not isinstance(value, dict) or value.keys() != hints.keys():
            yield value
        else:
            for name, one in hints.items():
                yield from misfits(one, value[name])
    elif not isinstance(value, kind):
        yield value


@pytest.mark.parametrize("fact", [fact for fact, _ in EVERY_FACT], ids=lambda one: type(one).__name__)
def test_every_value_of_a_fact_matches_the_type_of_its_field(fact: Fact) -> None:
    hints = get_type_hints(type(fact), include_extras=True)
    assert [one for name, kind in hints.items() for one in misfits(kind, getattr(fact, name))] == []


def test_an_unlisted_channel_is_published_as_other_and_kept_for_the_desk() -> None:
    story = told(received("路灯", channel="town-crier"))
    registered = story.decisions[0].facts[0]
    assert isinstance(registered, facts.Registered)
    assert registered.channel == "other"
    assert "other" in CHANNELS
    assert story.case.inquiry is not None
    assert story.case.inquiry.channel == "town-crier"


# ── what follows from facts ──────────────────────────────────────────────────


def values(topic: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    """Type and value of the stories' messages on one topic, or on all inboxes."""
    found = [message for story in STORIES.values() for message in story.messages]
    chosen = [one for one in found if one.topic == topic or (topic is None and one.topic.startswith("departments."))]
    return [(one.type, json.loads(one.value)) for one in chosen]


def test_inbox_messages_have_exactly_the_fields_of_their_class() -> None:
    for kind, value in values():
        fields = INBOX[kind].model_fields
        assert value.keys() <= fields.keys()
        assert {name for name, field in fields.items() if field.is_required()} <= value.keys()


def test_resident_messages_have_exactly_the_fields_of_their_class() -> None:
    picture = ResidentTold.model_fields["case"].annotation
    assert picture is not None
    for _, value in values(topics.RESIDENTS):
        assert value.keys() | {"hall"} == ResidentTold.model_fields.keys()
        assert ("hall" in value) == (value["what"] in ("published", "hidden", "redacted"))
        assert value["case"].keys() | {"body", "questions"} == picture.model_fields.keys()
        ResidentTold.model_validate(value, strict=False)
