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
    match what:
        case "insert":
            shared.ledger.insert_new = around(shared.ledger.insert_new, when, lambda *_: True)  # type: ignore[assignment]
            services.router.store.insert_new = around(  # type: ignore[assignment]
                services.router.store.insert_new, when, lambda collection, _: collection.name == "decisions"
            )
        case "publish":
            Publisher.publish_raw = around(  # type: ignore[method-assign]
                Publisher.publish_raw, when, lambda _, records: topic is None or topic in records
            )
        case "commit":
            AIOKafkaConsumer.commit = around(
                AIOKafkaConsumer.commit, when, lambda _, offsets: any(tp.topic == topic for tp in offsets)
            )
        case "settle":
            AsyncIOMotorCollection.delete_many = around(AsyncIOMotorCollection.delete_many, when, lambda *_: True)
        case _:
            raise SystemExit(f"{step!r} is no step.")


if __name__ == "__main__":
    service, step, topic = sys.argv[1], sys.argv[2], (sys.argv[3] if len(sys.argv) > 3 else None)
    arm(step, topic)
    main(importlib.import_module(f"services.{service}.app").make)
