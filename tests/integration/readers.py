"""The readers of each topic, a valid record for it, and how to observe its effect."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

from pymongo import MongoClient

from shared.contracts.ids import digest
from shared.contracts.sources import RESIDENT
from shared.kafka import topics
from tests.integration.corpus import Sample

AT = "2026-03-16T04:00:00.000Z"
OUTBOX, INBOX = topics.outbox("environment"), topics.inbox("environment")
numbers = count(1)
Stored = MongoClient[dict[str, Any]]
Effects = Callable[[Stored], Mapping[str, int]]


@dataclass(frozen=True)
class Reader:
    """A subscription: `end` is its line in the corpus's files, `effects` counts what it stored for each inquiry."""

    end: str
    service: str
    topic: str
    effects: Effects


def counted(field: str, place: str, stored: Stored) -> Mapping[str, int]:
    """The number of documents of each inquiry."""
    database, collection = place.split(".")
    return Counter(str(one[field]) for one in stored[database][collection].find({}, [field]))


def decided(stored: Stored) -> Mapping[str, int]:
    """The number of decided inputs of each inquiry."""
    return Counter(one["inquiry_id"] for one in stored["chorus_router"]["decisions"].find({"refusal": None}))


def replied(stored: Stored) -> Mapping[str, int]:
    """The number of times each interim reply was accepted."""
    decisions = stored["chorus_router"]["decisions"].find({"type": "part.replied", "refusal": None})
    return Counter(
        one["words"][f"{index}/text"]
        for one in decisions
        for index, fact in enumerate(one["facts"])
        if json.loads(fact)["type"] == "chorus.inquiry.replied"
    )


READERS = (
    Reader("gate", "router", OUTBOX, replied),
    Reader("core", "router", topics.INPUTS, decided),
    Reader("told", "intake", topics.RESIDENTS, partial(counted, "inquiry_id", "chorus_intake.tickets")),
    Reader("told", "notifier", topics.RESIDENTS, partial(counted, "inquiry_id", "chorus_notifier.deliveries")),
    Reader("events", "scorer", topics.EVENTS, partial(counted, "inquiry_id", "chorus_scorer.events")),
    Reader("cases", "router", topics.EVENTS, partial(counted, "_id", "chorus_router.cases")),
    Reader("offers", "notifier", topics.EVENTS, partial(counted, "inquiry_id", "chorus_notifier.deliveries")),
)


def readers_of(topic: str, service: str | None = None) -> Sequence[Reader]:
    """The subscriptions of a topic, of one service or all."""
    return [one for one in READERS if one.topic == topic and service in (None, one.service)]


def good(topic: str, part_id: str = "") -> Sample:
    """A valid record about its own inquiry, or with its own text."""
    number = next(numbers)
    inquiry_id = f"20260316-{number:08}"
    word = f"We look into it, {number}."
    kind, data = {
        OUTBOX: ("part.replied", {"part_id": part_id, "text": word}),
        topics.INPUTS: (
            "inquiry.received",
            {"inquiry_id": inquiry_id, "subject": word, "body": word, "received_at": AT},
        ),
        topics.RESIDENTS: ("resident.told", told(inquiry_id, word)),
        topics.EVENTS: ("part.offered", offered(inquiry_id)),
    }[topic]
    headers = {
        "ce_id": str(uuid4()),
        "ce_source": "chorus/router",
        "ce_type": f"chorus.{kind}",
        "ce_specversion": "1.0",
        "ce_time": AT,
        "ce_subject": inquiry_id,
        "ce_sequence": "1",
        "ce_recordedtime": AT,
        "content-type": "application/json",
    }
    if topic == topics.INPUTS:
        headers |= {"ce_actor": RESIDENT, "ce_salt": digest(inquiry_id.encode())}
    return Sample(
        about=word if topic == OUTBOX else inquiry_id,
        key=inquiry_id.encode(),
        value=json.dumps(data, ensure_ascii=False).encode(),
        headers={name: text.encode() for name, text in headers.items()},
        id_field="part_id" if topic == OUTBOX else "inquiry_id",
    )


def told(inquiry_id: str, word: str) -> dict[str, Any]:
    """A resident message, with a mail."""
    picture = {"state": "registered", "round": 1, "subject": word, "language": "en", "departments": []}
    contact = {"email": "writer@mail.example"}
    return {"inquiry_id": inquiry_id, "what": "registered", "text": word, "contact": contact, "case": picture}


def offered(inquiry_id: str, department: str = "environment") -> dict[str, Any]:
    """The event for which a department gets a mail."""
    due = {"accept": AT, "first_reply": AT, "resolve": AT}
    begun = {
        "type": "chorus.part.offered",
        "inquiry_id": inquiry_id,
        "sequence": 1,
        "at": AT,
        "actor": {"kind": RESIDENT},
    }
    about = {"part_id": f"{inquiry_id}-p1", "department": department, "role": "lead", "due": due, "round": 1}
    standing = {"state": "assigned", "departments": [department], "part_states": {"offered": 1}, "prev": None}
    return begun | about | standing
