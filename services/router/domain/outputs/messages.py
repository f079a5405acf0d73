"""All messages that follow from one decision, in order, with their ids; and how they are stored and read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Decision, Input, Refusal, StoredMessage, after
from services.router.domain.facts import Fact
from services.router.domain.outputs.case_events import event_type
from services.router.domain.outputs.inboxes import INBOXES
from services.router.domain.outputs.resident import picture_of, resident_message
from services.router.domain.words import MARK, FactWords, Text, Words, references, referring, resolved
from shared.contracts.department_inbox import MessageRefused
from shared.contracts.envelope import PREFIX, Message, Origin, as_json
from shared.contracts.ids import derived_id
from shared.contracts.resident_messages import ResidentTold
from shared.contracts.sources import ROUTER_SOURCE
from shared.kafka import topics

PICTURE = f"{MARK}picture{MARK}"
"""Stands for what all messages to the resident of one decision have in common, which is stored once."""


class ToSay(NamedTuple):
    """What follows from a decision: as it goes out, and as it is stored."""

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
) -> ToSay:
    """Every message that follows from a decision.

    `case` is the one after the decision: an event tells its fact as things stood then, all others tell how they stand
    now.
    """
    address = _Address(case, given.id, given.recorded_at)
    made = address.events(facts, events)
    picture = picture_of(case, directory)
    shared = picture.shared if picture is not None else b""
    told: list[tuple[str, str, bytes]] = []
    for index, fact in enumerate(facts):
        said = FactWords(words, case.n, index)
        if (tell := INBOXES.get(type(fact))) is not None:
            for one in tell(case, fact, said, directory):
                told.append((topics.inbox(one.department), PREFIX + one.type, as_json(one.fields)))
        if picture is not None and (value := resident_message(case, fact, said, picture, directory)) is not None:
            told.append((topics.RESIDENTS, ResidentTold.type, value))
    if refusal is not None and given.department is not None:
        refused = {"cause": given.origin or given.id, "reason": refusal.reason, "remedy": refusal.remedy}
        told.append((topics.inbox(given.department), MessageRefused.type, as_json(refused)))
    made += [address.message(*one) for one in told]
    if not told:
        return ToSay(tuple(made), (), None)
    to = references(texts_of(case, words))
    mark = PICTURE.encode()
    stored = [
        StoredMessage(topic, kind, referring(value.replace(shared, mark) if topic == topics.RESIDENTS else value, to))
        for topic, kind, value in told
    ]
    kept = referring(shared, to) if any(topic == topics.RESIDENTS for topic, _, _ in told) else None
    return ToSay(tuple(made), tuple(stored), kept)


def with_messages(inquiry_id: str, decisions: Iterable[Decision]) -> list[Decision]:
    """The decisions of a case, all of them, with their messages: those that are stored, completed, and the events."""
    case = Case(inquiry_id)
    whole: list[Decision] = []
    for one in sorted(decisions, key=lambda one: one.n):
        case = after(case, one)
        address = _Address(case, one.cause, one.decided_at)
        words = dict(texts_of(case, one.words))
        made = address.events(one.facts, one.events)
        for topic, kind, value in one.stored_messages:
            complete = resolved(value.replace(PICTURE, one.picture or ""), words)
            made.append(address.message(topic, kind, complete.encode()))
        whole.append(replace(one, messages=tuple(made)))
    return whole


def texts_of(case: Case, words: Words) -> list[Text]:
    """The texts of the case, then those of its last decision: what messages of that decision may refer to."""
    texts = list(case.texts)
    there = {place for place, _ in texts}
    own = [Text(f"{case.n}/{place}", text) for place, text in words.items()]
    return texts + [one for one in own if one.place not in there]


class _Address:
    """Addresses and numbers what follows from the last decision of a case.

    An id follows from the cause and from what the message is, so that a repeat carries the same one.
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
        """The decision's facts, which are the last events of the case."""
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
