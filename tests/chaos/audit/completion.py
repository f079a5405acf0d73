"""The auditor's own completion of stored messages: every message that follows from the stored decisions.

A stored message is `<topic> <type> <value>`. In a value, a reference between two U+001A is replaced by its text, and
`picture` by the common fields of a decision's resident messages. Facts are events, byte for byte.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from tests.chaos.audit.capture import EVENTS, PREFIX, Decision

NAMESPACE = UUID("7c1d1f0a-5a3e-4d6f-9a53-6f2f0d0c9b11")
REFERENCE = re.compile("\x1a([^\x1a]+)\x1a")
PICTURE = "\x1apicture\x1a"


@dataclass(frozen=True, slots=True)
class Promised:
    """A message that must be on its topic, with the headers that follow from the decision."""

    topic: str
    id: str
    type: str
    value: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """A decision with the texts of the case so far, by reference, and the round of the case."""

    decision: Decision
    texts: Mapping[str, str]
    round: int


def tell(decisions: Iterable[Decision]) -> Iterator[Told]:
    """The decisions of one case in order."""
    texts: dict[str, str] = {}
    said: dict[str, str] = {}
    turn = 1
    for one in sorted(decisions, key=lambda one: one.n):
        texts |= {f"{one.n}/{place}": text for place, text in one.words.items()}
        for index, fact in enumerate(one.facts_read):
            turn = max(turn, fact.get("round", turn))
            if fact.get("type") == f"{PREFIX}part.contributed":
                said[fact["part_id"]] = one.words.get(f"{index}/text", "")
            if fact.get("type") == f"{PREFIX}reply.composed":
                texts |= _joined(one, index, fact, said)
        yield Told(one, texts, turn)


def _joined(one: Decision, index: int, fact: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, str]:
    """The texts of a joint reply, from the departments' texts: each paragraph, and the whole."""
    place, whole, texts = f"{one.n}/{index}", "", {}
    for at, paragraph in enumerate(fact["paragraphs"]):
        text = texts[f"{place}/paragraphs/{at}/text"] = said.get(paragraph["part_id"], "")
        whole += one.words.get(f"{index}/paragraphs/{at}/before", "") + text
    return texts | {f"{place}/text": whole}


def completed(decisions: Iterable[Decision]) -> Iterator[Promised]:
    """Every message of all decisions of one case."""
    for told in tell(decisions):
        one, ordinals = told.decision, Counter[tuple[str, str]]()
        for topic, kind, value, sequence in _told(told):
            name = f"{one.inquiry_id}/{kind.removeprefix(PREFIX)}/{topic}/{told.round}/{ordinals[topic, kind]}"
            ordinals[topic, kind] += 1
            headers = {"ce_type": kind, "ce_subject": one.inquiry_id, "ce_sequence": str(sequence)}
            headers |= dict.fromkeys(("ce_time", "ce_recordedtime"), one.decided_at)
            yield Promised(topic, str(uuid5(NAMESPACE, f"{one.cause}/{name}")), kind, value.encode(), headers)


def _told(told: Told) -> Iterator[tuple[str, str, str, int]]:
    """Topic, type, value and number of each message of a decision: events, then stored messages."""
    one = told.decision
    for value, fact in zip(one.facts, one.facts_read, strict=True):
        yield EVENTS, str(fact.get("type")), value, fact.get("sequence", 0)
    for stored in one.messages:
        topic, kind, value = stored.split(" ", 2)
        yield topic, kind, whole(value.replace(PICTURE, one.picture), told.texts), one.n


def whole(value: str, texts: Mapping[str, str]) -> str:
    """The value with each reference replaced by its text, escaped as JSON."""
    return REFERENCE.sub(lambda found: json.dumps(texts.get(found[1], ""), ensure_ascii=False)[1:-1], value)
