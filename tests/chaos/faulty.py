"""Runs one service with a planted fault: `faulty.py SERVICE FAULT`."""

import importlib
import sys
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import uuid4

from aiokafka.errors import KafkaError, KafkaTimeoutError
from pydantic_core import to_json

from services.router.domain import decide
from services.router.domain.case import Case
from services.router.domain.decision import Actor, Decision
from services.router.domain.facts import Fact
from services.router.domain.outputs.case_events import event_of
from services.router.stores.decisions import Decisions
from shared.contracts.envelope import Message
from shared.kafka.offsets import offsets_after
from shared.kafka.pipeline import Pipeline
from shared.kafka.publisher import Publisher, Row
from shared.kafka.topics import EVENTS, RESIDENTS
from shared.service.service import main
from tests.integration.killable import arm


def commit_before_effect() -> None:
    """Commit offsets before storing decisions, and die in between."""
    consume = Pipeline.consume

    async def hasty(self: Pipeline[Any], records: Sequence[Any]) -> None:
        await self.commit(offsets_after(records))
        await consume(self, records)

    setattr(Pipeline, "consume", hasty)  # noqa: B010
    arm("before-insert", None)


def fresh_id_on_repeat() -> None:
    """Publish repeats under new ids."""
    at = Decisions.at

    def fresh(message: Message) -> Message:
        return message._replace(id=str(uuid4()))

    async def renaming(self: Decisions, places: Sequence[tuple[str, int]]) -> list[Decision]:
        found = await at(self, places)
        return [replace(one, messages=tuple(map(fresh, one.messages))) for one in found]

    setattr(Decisions, "at", renaming)  # noqa: B010


def swallowed_publish_error() -> None:
    """Ignore one error of the broker."""
    publish, deliver = Publisher.publish, Publisher.deliver
    failures = [KafkaTimeoutError()]

    async def failing(self: Publisher, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        if RESIDENTS in topics and failures:
            await deliver(self, topics - {RESIDENTS}, [row for row in rows if row[0] != RESIDENTS])
            raise failures.pop()
        await deliver(self, topics, rows)

    async def careless(self: Publisher, messages: Iterable[Message]) -> None:
        with suppress(KafkaError):
            await publish(self, messages)

    setattr(Publisher, "deliver", failing)  # noqa: B010
    setattr(Publisher, "publish", careless)  # noqa: B010


def prev_forgotten() -> None:
    """Start a new chain at one event."""
    left = [1]

    def forgetful(case: Case, fact: Fact, at: str, actor: Actor) -> bytes:
        if case.sequence and left:
            left.pop()
            case.head = None
        return event_of(case, fact, at, actor)

    setattr(decide, "event_of", forgetful)  # noqa: B010


def text_in_an_event() -> None:
    """Put the resident's text into one event."""
    left = [1]

    def talkative(case: Case, fact: Fact, at: str, actor: Actor) -> bytes:
        value = event_of(case, fact, at, actor)
        if left and case.inquiry is not None:
            left.pop()
            value = b'%b,"said":%b}' % (value[:-1], to_json(case.inquiry.body.text))
            case.head = sha256(value).hexdigest()
        return value

    setattr(decide, "event_of", talkative)  # noqa: B010


def event_altered_on_its_way() -> None:
    """Publish one event with the same fields and other bytes than stored."""
    deliver, left = Publisher.deliver, [1]

    async def careless(self: Publisher, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        out = list(rows)
        at = next((at for at, (topic, _) in enumerate(out) if topic == EVENTS), None)
        if at is not None and left:
            left.pop()
            topic, (key, value, headers) = out[at]
            out[at] = topic, (key, (value or b"").replace(b'"state":', b'"state": '), headers)
        await deliver(self, topics, out)

    setattr(Publisher, "deliver", careless)  # noqa: B010


FAULTS = {
    one.__name__: one
    for one in (
        *(commit_before_effect, fresh_id_on_repeat, swallowed_publish_error),
        *(prev_forgotten, text_in_an_event, event_altered_on_its_way),
    )
}

if __name__ == "__main__":
    FAULTS[sys.argv[2]]()
    main(importlib.import_module(f"services.{sys.argv[1]}.app").make)
