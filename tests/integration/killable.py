"""Runs one service that kills itself, as `kill -9` would, at a named step: `killable.py SERVICE STEP [TOPIC]`.

STEP is `before-insert`, `after-insert`, `before-publish`, `after-publish`, `before-commit`, `after-commit`,
`before-settle`, `after-settle` (the ledger's note). With TOPIC only a publish to, or a commit of, that topic counts.
"""

import importlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer
from motor.motor_asyncio import AsyncIOMotorCollection

import services.router.store
import shared.ledger
from shared.publishing import Publisher
from shared.service import main


def die() -> None:
    """End here and now: no handler, no flush, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


def around(act: Callable[..., Awaitable[Any]], when: str, counts: Callable[..., bool]) -> Callable[..., Awaitable[Any]]:
    """The step, with the kill before or after it."""

    async def killing(*args: Any, **kwargs: Any) -> Any:
        if not counts(*args, **kwargs):
            return await act(*args, **kwargs)
        if when == "before":
            die()
        result = await act(*args, **kwargs)
        die()
        return result

    return killing


def arm(step: str, topic: str | None) -> None:
    """Put the kill where `step` says."""
    when, _, what = step.partition("-")
    places: dict[str, list[tuple[object, str, Callable[..., bool]]]] = {
        "insert": [
            (shared.ledger, "insert_new", lambda *_: True),
            (services.router.store, "insert_new", lambda collection, _: collection.name == "decisions"),
        ],
        "publish": [(Publisher, "publish_raw", lambda _, records: topic is None or topic in records)],
        "commit": [(AIOKafkaConsumer, "commit", lambda _, offsets: any(place.topic == topic for place in offsets))],
        "settle": [(AsyncIOMotorCollection, "delete_many", lambda *_: True)],
    }
    for owner, name, counts in places[what]:
        setattr(owner, name, around(getattr(owner, name), when, counts))


if __name__ == "__main__":
    service, step, topic = sys.argv[1], sys.argv[2], (sys.argv[3] if len(sys.argv) > 3 else None)
    arm(step, topic)
    main(importlib.import_module(f"services.{service}.app").make)
