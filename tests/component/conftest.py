"""What the component suites share: a database of its own for each test, a publisher that records, a city."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import pytest

from deploy.local.backing import Backing
from shared.mongo import Database, connect
from shared.service import Loop, again
from shared.settings import Settings
from tests.fakes import FakePublisher


@pytest.fixture
async def database(running: Backing) -> AsyncIterator[Database]:
    """An empty database on the run's store, dropped afterwards."""
    one = connect(running.mongodb, f"test_{uuid4().hex[:16]}")
    yield one
    await one.client.drop_database(one.name)
    one.client.close()


@pytest.fixture
def publisher() -> FakePublisher:
    """A publisher that keeps what it is given."""
    return FakePublisher()


@pytest.fixture
def settings(running: Backing) -> Settings:
    """Settings that name the run's broker, store and sink."""
    return Settings(kafka=running.kafka, mongodb=running.mongodb, smtp=running.smtp)


@asynccontextmanager
async def in_background(*loops: Loop) -> AsyncIterator[None]:
    """Run loops that never end, as a service does, until the end of the block."""
    tasks = [asyncio.create_task(again(loop)) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
