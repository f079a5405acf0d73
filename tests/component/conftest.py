"""What the component suites share: a database of its own for each test, a publisher that records, a city."""

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

__all__ = ["chorus", "database", "publisher", "settings", "town"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A file marked `both_clients` runs each test that uses the store with Motor and with PyMongo's client."""
    if metafunc.definition.get_closest_marker("both_clients") and "client_class" in metafunc.fixturenames:
        metafunc.parametrize("client_class", [MOTOR, PYMONGO], indirect=True, ids=["motor", "pymongo"])


@pytest.fixture
def client_class(request: pytest.FixtureRequest) -> ClientClass:
    """The client with which this test reaches the store: the one of the services, unless its file names both."""
    given: ClientClass = getattr(request, "param", CLIENT)
    return given


@pytest.fixture
async def database(running: Backing, client_class: ClientClass) -> AsyncIterator[Database]:
    """An empty database on the run's store, dropped afterwards."""
    one = connect(running.mongodb, f"test_{uuid4().hex[:16]}", client_class)
    yield one
    await one.client.drop_database(one.name)
    await close(one)


@pytest.fixture
def publisher() -> FakePublisher:
    """A publisher that keeps what it is given."""
    return FakePublisher()


@pytest.fixture
def city() -> CityFeed[CityIndex]:
    """A feed that has seen the stories' city."""
    feed: CityFeed[CityIndex] = CityFeed(city_index)
    feed.use(CITY)
    return feed


@pytest.fixture
def settings(running: Backing) -> Settings:
    """Settings that name the run's broker, store and sink."""
    return Settings(kafka=running.kafka, mongodb=running.mongodb, smtp=running.smtp)


@asynccontextmanager
async def in_background(*loops: Loop) -> AsyncIterator[None]:
    """Run loops that never end, as a service does, until the end of the block."""
    tasks = [asyncio.create_task(run_forever(loop)) for loop in loops]
    try:
        yield
    finally:
        going = set(tasks)
        async with asyncio.timeout(10):
            while going:  # one that overhears the first word is told again; that a service ends is tested there
                for task in going:
                    task.cancel()
                _, going = await asyncio.wait(going, timeout=0.5)
        for task in tasks:
            if not task.cancelled():
                task.result()
