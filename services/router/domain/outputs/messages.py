"""The messages of a decision, in order and with their ids; how a decision stores them and completes them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Decision, Input, Refusal, StoredMessage, after
from services.router.domain.facts import Answered, Fact
from services.router.domain.outputs.case_events import event_type
from services.router.domain.outputs.inboxes import INBOXES
from services.router.domain.outputs.resident import picture_of, resident_message
from services.router.domain.words import MARK, FactWords, Text, Words, references, with_references, with_texts
from shared.contracts.department_inbox import MessageRefused
from shared.contracts.envelope import PREFIX, Message, Origin, as_json
from shared.contracts.ids import derived_id
from shared.contracts.resident_messages import ResidentTold
from shared.contracts.sources import ROUTER_SOURCE
from shared.kafka import topics

PICTURE = f"{MARK}picture{MARK}"
"""Replaces the JSON that all messages to the resident of one decision have in common, which the decision stores once."""


class DecisionOutput(NamedTuple):
    """The messages of a decision: complete ones to publish, and the form in which the decision stores them."""

    messages: tuple[Message, ...]
    stored: tuple[StoredMessage, ...]
    picture: str | None


def messages(
    case: Case,
    given: Input,
    facts: Sequence[Fact],
    events: Sequence[str],
    words: Words,
    refusal: Refusal | None,
    directory: CityIndex,
) -> DecisionOutput:
    """Every message of a decision, given the case after it.

    An event shows the case after its own fact. Messages to departments and to the resident show the case after the
    whole decision.
    """
    numbering = _Numbering(case, given.id, given.recorded_at)
    made = numbering.events(facts, events)
    picture = picture_of(case, directory)
    shared = picture.shared if picture is not None else b""
    outgoing: list[tuple[str, str, bytes]] = []
    answered_before = case.is_answered and Answered not in map(type, facts)
    for index, fact in enumerate(facts):
        fact_words = FactWords(words, case.n, index)
        if (inbox_messages := INBOXES.get(type(fact))) is not None:
            for one in inbox_messages(case, fact, fact_words, directory):
                outgoing.append((topics.inbox(one.department), PREFIX + one.type, as_json(one.fields)))
        if picture is None:
            continue
        value = resident_message(case, fact, fact_words, picture, directory, answered_before=answered_before)
        if value is not None:
            outgoing.append((topics.RESIDENTS, ResidentTold.type, value))
    # A department's user at the desk reads the refusal at `GET /commands/{event_id}`.
    if refusal is not None and given.department is not None and given.user is None:
        refused = {"cause": given.origin or given.id, "reason": refusal.reason, "remedy": refusal.remedy}
        outgoing.append((topics.inbox(given.department), MessageRefused.type, as_json(refused)))
    made += [numbering.message(*one) for one in outgoing]
    if not outgoing:
        return DecisionOutput(tuple(made), (), None)
    places = references(texts_of(case, words))
    stored = [
        StoredMessage(topic, kind, with_references(_without_picture(topic, value, shared), places))
        for topic, kind, value in outgoing
    ]
    for_resident = any(topic == topics.RESIDENTS for topic, _, _ in outgoing)
    return DecisionOutput(tuple(made), tuple(stored), with_references(shared, places) if for_resident else None)


def _without_picture(topic: str, value: bytes, shared: bytes) -> bytes:
    return value.replace(shared, PICTURE.encode()) if topic == topics.RESIDENTS else value


def with_messages(inquiry_id: str, decisions: Iterable[Decision]) -> list[Decision]:
    """The decisions with their complete messages, events included. Needs all decisions of the case, in any order."""
    case = Case(inquiry_id)
    completed: list[Decision] = []
    for one in sorted(decisions, key=lambda one: one.n):
        case = after(case, one)
        numbering = _Numbering(case, one.cause, one.decided_at)
        words = dict(texts_of(case, one.words))
        made = numbering.events(one.facts, one.events)
        for topic, kind, value in one.stored_messages:
            complete = with_texts(value.replace(PICTURE, one.picture or ""), words)
            made.append(numbering.message(topic, kind, complete.encode()))
        completed.append(replace(one, messages=tuple(made)))
    return completed


def texts_of(case: Case, words: Words) -> list[Text]:
    """The texts that messages of the last decision may refer to: those of the case, then those of `words`."""
    texts = list(case.texts)
    places = {place for place, _ in texts}
    own = [Text(f"{case.n}/{place}", text) for place, text in words.items()]
    return texts + [one for one in own if one.place not in places]


class _Numbering:
    """Gives the messages of a case's last decision their ids and sequences.

    An id is derived from the cause, type, topic, round and ordinal of the message, so a repeat has the same id.
    """

    def __init__(self, case: Case, cause: str, recorded_at: str) -> None:
        self.inquiry_id = case.inquiry_id
        self.cause = cause
        self.origin = Origin(ROUTER_SOURCE, case.inquiry_id, recorded_at, cause)
        self.n = case.n
        self.sequence = case.sequence
        self.round = case.round
        self.ordinals: dict[tuple[str, str], int] = {}

    def events(self, facts: Sequence[Fact], values: Sequence[str]) -> list[Message]:
        # `case.sequence` is the number of the decision's last event.
        return [
            self._message(topics.EVENTS, event_type(fact), value.encode(), number)
            for number, (fact, value) in enumerate(
                zip(facts, values, strict=True), start=self.sequence - len(values) + 1
            )
        ]

    def message(self, topic: str, kind: str, value: bytes) -> Message:
        return self._message(topic, kind, value, self.n)

    def _message(self, topic: str, kind: str, value: bytes, sequence: int) -> Message:
        ordinal = self.ordinals.get((kind, topic), 0)
        self.ordinals[kind, topic] = ordinal + 1
        id_ = derived_id(self.cause, f"{self.inquiry_id}/{kind.removeprefix(PREFIX)}/{topic}/{self.round}/{ordinal}")
        return Message(topic, self.inquiry_id, id_, kind, self.origin, value, sequence)
