"""Fixtures of the component tests: an empty database for each test, a recording publisher, a city."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from services.router.domain.city_index import CityIndex, city_index
from shared.runtime.settings import Settings
from shared.runtime.tasks import Loop
from shared.service.city_feed import CityFeed
from shared.service.process import run_forever
from shared.store.mongo import CLIENT, MOTOR, PYMONGO, ClientClass, Database, close, connect
from tests.backing import Backing
from tests.builders import CITY
from tests.component.town import chorus, town
from tests.fakes import FakePublisher
from tests.patience import PATIENCE_S

__all__ = ["chorus", "database", "publisher", "settings", "town"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of files marked `both_clients` with Motor and with PyMongo's async client."""
    if metafunc.definition.get_closest_marker("both_clients") and "client_class" in metafunc.fixturenames:
        metafunc.parametrize("client_class", [MOTOR, PYMONGO], indirect=True, ids=["motor", "pymongo"])


@pytest.fixture
def client_class(request: pytest.FixtureRequest) -> ClientClass:
    """The MongoDB client of this test: the product's, or each of both for `both_clients`."""
    given: ClientClass = getattr(request, "param", CLIENT)
    return given


@pytest.fixture
async def database(running: Backing, client_class: ClientClass) -> AsyncIterator[Database]:
    """An empty database, dropped after the test."""
    one = connect(running.mongodb, f"test_{uuid4().hex[:16]}", client_class)
    yield one
    await one.client.drop_database(one.name)
    await close(one)


@pytest.fixture
def publisher() -> FakePublisher:
    """A publisher that records messages instead of sending them."""
    return FakePublisher()


@pytest.fixture
def city() -> CityFeed[CityIndex]:
    """A city feed with the sample directory of the stories."""
    feed: CityFeed[CityIndex] = CityFeed(city_index)
    feed.use(CITY)
    return feed


@pytest.fixture
def settings(running: Backing) -> Settings:
    """Settings for the run's broker, store and SMTP server; without a limit, because all tests are one client."""
    return Settings(kafka=running.kafka, mongodb=running.mongodb, smtp=running.smtp, submissions_per_minute=0)


@asynccontextmanager
async def in_background(*loops: Loop) -> AsyncIterator[None]:
    """Run endless loops, as a service does, until the block ends."""
    tasks = [asyncio.create_task(run_forever(loop)) for loop in loops]
    try:
        yield
    finally:
        going = set(tasks)
        async with asyncio.timeout(PATIENCE_S):
            while going:  # cancelled repeatedly, because a loop may lose its first cancellation (see test_service.py)
                for task in going:
                    task.cancel()
                _, going = await asyncio.wait(going, timeout=0.5)
        for task in tasks:
            if not task.cancelled():
                task.result()
