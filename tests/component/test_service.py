"""What every service answers: that it lives, whether it does its work, and what it measures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from deploy.local.backing import Backing
from shared.running import single_instance
from shared.service import Service
from shared.settings import Settings, secret


@pytest.fixture
async def service(running: Backing) -> AsyncIterator[Service]:
    one = Service("scorer", Settings(mongodb=running.mongodb, kafka="127.0.0.1:1"))
    yield one
    one.database.client.close()


async def ask(service: Service, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scorer.example") as client:
        return await client.get(path)


async def test_it_lives_before_it_is_ready(service: Service) -> None:
    assert (await ask(service, "/healthz")).json() == {"status": "alive", "service": "scorer"}
    answer = await ask(service, "/readyz")
    assert answer.status_code == 503
    assert "scorer is starting" in answer.json()["reasons"]


async def test_it_is_not_ready_while_a_check_has_something_to_say(service: Service) -> None:
    async def complaint() -> str | None:
        return "no city has been applied yet"

    service.prepared_at = 0.0
    service.ready_when(complaint)
    answer = await ask(service, "/readyz")
    assert (answer.status_code, "no city has been applied yet" in answer.json()["reasons"]) == (503, True)


async def test_it_shows_its_metrics_and_its_topics(service: Service) -> None:
    assert "chorus_consumer_lag_messages" in (await ask(service, "/metrics")).text
    assert (await ask(service, "/asyncapi.json")).json()["info"]["title"] == "Chorus scorer"


async def test_an_unknown_address_is_a_problem_in_words(service: Service) -> None:
    answer = await ask(service, "/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_loop_that_overhears_its_cancellation_does_not_keep_the_service_from_ending(service: Service) -> None:
    """Python 3.11's `wait_for`, in which aiosmtplib and aiokafka wait, loses a cancellation that meets an answer."""
    waiting = asyncio.Event()

    async def hard_of_hearing() -> None:
        with suppress(asyncio.CancelledError):
            waiting.set()
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    loop = asyncio.create_task(hard_of_hearing())
    await waiting.wait()
    stopping = asyncio.create_task(service._stop_reading([loop]))
    _, unfinished = await asyncio.wait([stopping], timeout=5)
    loop.cancel()
    await stopping
    assert not unfinished


def test_two_processes_cannot_be_the_same_instance(tmp_path: Path) -> None:
    settings = Settings(instance="scorer-1", data=tmp_path)
    with single_instance(settings):
        with pytest.raises(SystemExit, match="'scorer-1' runs already"), single_instance(settings):
            pass
        with single_instance(Settings(instance="scorer-2", data=tmp_path)):
            pass
    with single_instance(settings):
        pass


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "which cannot be read"), ("short", "fewer than 32 characters"), (" \n" * 40, "fewer than 32 characters")],
)
def test_a_weak_or_missing_secret_is_a_sentence(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=sentence):
        secret(path, "CHORUS_SECRET_FILE")
    with pytest.raises(ValueError, match="CHORUS_SECRET_FILE is not set"):
        secret(None, "CHORUS_SECRET_FILE")


@pytest.mark.parametrize("zone", ["Nowhere/City", "Asia", "../etc/passwd"])
def test_a_wrong_time_zone_is_a_sentence(zone: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone; write one like Asia/Shanghai"):
        Settings(time_zone=zone)
