"""Runs one service with a fault in it, as somebody might have written it: `faulty.py SERVICE FAULT`."""

import importlib
import sys
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

from aiokafka.errors import KafkaError, KafkaTimeoutError

from services.router.domain.decision import Decision
from services.router.stores.decisions import Decisions
from shared.contracts.envelope import Message
from shared.kafka.pipeline import Pipeline
from shared.kafka.publisher import Publisher, Row
from shared.kafka.topics import RESIDENTS
from shared.service.service import main
from tests.integration.killable import arm


def commit_before_effect() -> None:
    """Offsets first, then the decisions; it dies in between."""
    consume = Pipeline.consume

    async def hasty(self: Pipeline[Any], records: Sequence[Any]) -> None:
        await self.commit(records)
        await consume(self, records)

    setattr(Pipeline, "consume", hasty)  # noqa: B010
    arm("before-insert", None)


def fresh_id_on_repeat() -> None:
    """What was decided before goes out again under ids that nobody can know."""
    at = Decisions.at

    def fresh(message: Message) -> Message:
        return message._replace(id=str(uuid4()))

    async def renaming(self: Decisions, places: Sequence[tuple[str, int]]) -> list[Decision]:
        found = await at(self, places)
        return [replace(one, messages=tuple(map(fresh, one.messages))) for one in found]

    setattr(Decisions, "at", renaming)  # noqa: B010


def swallowed_publish_error() -> None:
    """The broker fails once, and the error is held to be no matter."""
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


FAULTS = {one.__name__: one for one in (commit_before_effect, fresh_id_on_repeat, swallowed_publish_error)}

if __name__ == "__main__":
    FAULTS[sys.argv[2]]()
    main(importlib.import_module(f"services.{sys.argv[1]}.app").make)
