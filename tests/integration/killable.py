"""Runs one service that kills itself, as `kill -9` would, at a named step: `killable.py SERVICE STEP [TOPIC]`.

STEP is `before-` or `after-` one of these, or `overlap`:
`insert` (decisions, ledger entries, deliveries, the scorer's events) · `publish` and `commit`, with TOPIC only to, or of,
that topic · `settle` (the ledger's note) · `claim` (of mails) · `begin` (recording what the next mail contains) ·
`mail` (sending it) · `note` (recording that it was sent) · `park` (an input that always fails: one that contains POISON).
`overlap`: the messages of one batch are unconfirmed when the decisions of the next are stored.
"""

import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import aiosmtplib
from aiokafka import AIOKafkaConsumer

import services.notifier.channels.email
import services.notifier.mail.deliveries
import services.router.core.handlers
import services.router.stores.decisions
import services.router.stores.parked_inputs
import services.scorer.store
import shared.ledger.ledger
import shared.store.leases
from services.router.domain.decide import decide
from shared.kafka.publisher import Publisher, Row
from shared.kafka.topics import EVENTS
from shared.service.service import main
from shared.store.mongo import connect, insert_new
from tests.integration.bench import POISON

Counts = Callable[..., bool]


def die() -> None:
    """End the process at once, without handlers or flushes."""
    os.kill(os.getpid(), signal.SIGKILL)


def around(act: Callable[..., Awaitable[Any]], when: str, counts: Counts) -> Callable[..., Awaitable[Any]]:
    """Wrap the step with the kill before or after it."""

    async def killing(*args: Any, **kwargs: Any) -> Any:
        if not counts(*args, **kwargs):
            return await act(*args, **kwargs)
        if when == "before":
            die()
        # An empty claim does not count.
        if (result := await act(*args, **kwargs)) or act.__name__ != "claim":
            die()
        return result

    return killing


def any_call(*_: Any, **__: Any) -> bool:
    """Match the first call."""
    return True


def into(*names: str) -> Counts:
    """Match the first call with documents for one of these collections."""
    return lambda collection, documents: collection.name in names and bool(documents)


def arm(step: str, topic: str | None) -> None:
    """Install the kill at `step`."""
    when, _, what = step.partition("-")
    insert = "insert_new"
    places: dict[str, list[tuple[object, str, Counts]]] = {
        "insert": [
            (shared.ledger.ledger, insert, any_call),
            (services.router.stores.decisions, insert, into("decisions")),
            (services.notifier.mail.deliveries, insert, into("deliveries")),
            (services.scorer.store, insert, into("events")),
        ],
        "publish": [(Publisher, "deliver", lambda _, topics, rows: topic is None or topic in topics)],
        "commit": [(AIOKafkaConsumer, "commit", lambda _, offsets: any(place.topic == topic for place in offsets))],
        "settle": [(type(connect("mongodb://127.0.0.1", "any")["any"]), "delete_many", any_call)],
        "claim": [(shared.store.leases, "claim", any_call)],
        "begin": [(services.notifier.mail.deliveries.DeliveryStore, "begin", any_call)],
        "mail": [(aiosmtplib.SMTP, "send_message", any_call)],
        "note": [(services.notifier.mail.deliveries.DeliveryStore, "_close", any_call)],
        "park": [(services.router.stores.parked_inputs, insert, into("parked"))],
    }
    for owner, name, counts in places[what]:
        setattr(owner, name, around(getattr(owner, name), when, counts))


def overlap() -> None:
    """Hold back the messages of the first decisions, and die as soon as further decisions are stored."""
    publish, insert, stored = Publisher.deliver, insert_new, [0]

    async def held(self: Publisher, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        if EVENTS in topics:
            await asyncio.Event().wait()
        await publish(self, topics, rows)

    async def counted(collection: Any, documents: Sequence[Any]) -> Any:
        taken = await insert(collection, documents)
        stored[0] += into("decisions")(collection, documents)
        if stored[0] == 2:
            die()
        return taken

    setattr(Publisher, "deliver", held)  # noqa: B010
    setattr(services.router.stores.decisions, "insert_new", counted)  # noqa: B010


def poisonable(case: Any, given: Any, directory: Any) -> Any:
    """Decide, except for inputs that always fail."""
    if POISON in getattr(given.payload, "body", ""):
        raise RuntimeError("planted")
    return decide(case, given, directory)


if __name__ == "__main__":
    service, step, topic = sys.argv[1], sys.argv[2], (sys.argv[3] if len(sys.argv) > 3 else None)
    setattr(services.router.core.handlers, "decide", poisonable)  # noqa: B010
    # Claims of dead processes expire after 3 s instead of a minute.
    (
        services.notifier.mail.deliveries.LEASE_S,
        services.notifier.channels.email.SEND_TIMEOUT_S,
        services.notifier.channels.email.LEASE_SPARE_S,
    ) = (
        3.0,
        1.0,
        0.5,
    )
    overlap() if step == "overlap" else arm(step, topic)
    main(importlib.import_module(f"services.{service}.app").make)
