"""The operational routes of every service: health, readiness, metrics; and failures at start and runtime."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from prometheus_client import REGISTRY

from shared.kafka.subscription import Subscription
from shared.runtime.settings import Settings, secret
from shared.service import watchdog
from shared.service.process import single_instance
from shared.service.readiness import DEAD_LETTER_WARNING_S
from shared.service.service import Service
from shared.store.mongo import close
from tests.backing import Backing
from tests.fakes import FakeConsumer, FakeSubscriber


@pytest.fixture
async def service(running: Backing) -> AsyncIterator[Service]:
    one = Service("scorer", Settings(mongodb=running.mongodb, kafka="127.0.0.1:1"))
    yield one
    await close(one.database)


async def ask(service: Service, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scorer.example") as client:
        return await client.get(path)


async def test_healthz_is_200_before_the_service_is_ready(service: Service) -> None:
    assert (await ask(service, "/healthz")).json() == {"status": "alive", "service": "scorer"}
    answer = await ask(service, "/readyz")
    assert answer.status_code == 503
    assert "scorer is starting" in answer.json()["reasons"]


async def test_readyz_is_503_while_a_check_fails(service: Service) -> None:
    async def complaint() -> str | None:
        return "no city has been applied yet"

    service.readiness.prepared_at = 0.0
    service.ready_when(complaint)
    answer = await ask(service, "/readyz")
    assert (answer.status_code, "no city has been applied yet" in answer.json()["reasons"]) == (503, True)


async def test_metrics_and_topics_are_served(service: Service) -> None:
    assert "chorus_consumer_lag_messages" in (await ask(service, "/metrics")).text
    assert (await ask(service, "/asyncapi.json")).json()["info"]["title"] == "Chorus scorer"


async def test_an_unknown_path_is_a_problem(service: Service) -> None:
    answer = await ask(service, "/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_loop_that_loses_its_cancellation_does_not_block_the_shutdown(service: Service) -> None:
    """`wait_for` of Python 3.11, used in aiosmtplib and aiokafka, loses a cancellation that arrives with a result."""
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


def test_two_processes_cannot_share_an_instance_name(tmp_path: Path) -> None:
    settings = Settings(instance="scorer-1", data=tmp_path)
    with single_instance(settings):
        with pytest.raises(SystemExit, match="'scorer-1' is already running"), single_instance(settings):
            pass
        with single_instance(Settings(instance="scorer-2", data=tmp_path)):
            pass
    with single_instance(settings):
        pass


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "which cannot be read"), ("short", "fewer than 32 characters"), (" \n" * 40, "fewer than 32 characters")],
)
def test_a_weak_or_missing_secret_is_reported(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=sentence):
        secret(path, "CHORUS_SECRET_FILE")
    with pytest.raises(ValueError, match="CHORUS_SECRET_FILE is not set"):
        secret(None, "CHORUS_SECRET_FILE")


@pytest.mark.parametrize("zone", ["Nowhere/City", "Asia", "../etc/passwd"])
def test_a_wrong_time_zone_is_a_sentence(zone: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone; write an IANA name such as Asia/Shanghai"):
        Settings(time_zone=zone)


# ── what is wrong is seen, and what cannot heal ends the process ─────────────


@pytest.fixture
async def reading(service: Service) -> Subscription[bytes]:
    """A subscription with a working consumer, in a prepared service."""

    async def take(batch: object) -> None:
        return None

    service.reads("a", group="scorer", read=lambda record: record.value, handle=take)
    [one] = service.subscriptions
    one.subscriber = FakeSubscriber(FakeConsumer())
    await one.membership.on_partitions_assigned(one.subscriber.consumer.assignment())
    service.readiness.prepared_at = 0.0
    return one


async def test_failed_polls_are_counted_and_reported_until_one_succeeds(
    service: Service, reading: Subscription[bytes]
) -> None:
    outcomes: list[Any] = [KafkaError("the coordinator's task has ended"), ()]

    async def poll(consumer: object) -> Any:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    before = counted("chorus_poll_failures_total")
    consumer: Any = AsyncMock(assignment=list)
    with pytest.raises(KafkaError):
        await reading.pipeline.polling.poll(poll, consumer)
    assert counted("chorus_poll_failures_total") == before + 1
    assert "scorer cannot poll: KafkaError" in (await service.readiness.evaluate())[1]
    await reading.pipeline.polling.poll(poll, consumer)
    assert "scorer cannot poll: KafkaError" not in (await service.readiness.evaluate())[1]


async def test_losing_the_right_to_read_ends_the_process(service: Service, reading: Subscription[bytes]) -> None:
    lost = TopicAuthorizationFailedError("a")

    async def poll(consumer: object) -> Any:
        raise lost

    consumer: Any = AsyncMock()
    with pytest.raises(TopicAuthorizationFailedError):
        await reading.pipeline.polling.poll(poll, consumer)
    assert service.broken is lost


async def test_a_stalled_subscription_is_reported_then_ends_the_process(
    service: Service, reading: Subscription[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "INTERVAL_S", 0.01)
    reading.health.last_poll = time.monotonic() - 31
    assert "scorer has not polled for 30 s" in (await service.readiness.evaluate())[1]
    watching = asyncio.create_task(watchdog.fail_when_stuck(service.subscriptions))
    await asyncio.sleep(0.05)
    assert not watching.done()
    reading.health.last_poll = time.monotonic() - watchdog.STUCK_S - 1
    with pytest.raises(RuntimeError, match="scorer has not polled for 300 s"):
        await watching


async def test_waiting_for_a_dependency_does_not_end_the_process(
    service: Service, reading: Subscription[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "INTERVAL_S", 0.01)
    act = object()
    reading.pipeline.policy._waiting[act] = "mongodb"
    reading.health.last_poll = time.monotonic() - watchdog.STUCK_S - 1
    watching = asyncio.create_task(watchdog.fail_when_stuck(service.subscriptions))
    await asyncio.sleep(0.05)
    assert not watching.done()
    assert "scorer waits for mongodb" in (await service.readiness.evaluate())[1]
    del reading.pipeline.policy._waiting[act]
    with pytest.raises(RuntimeError, match="has not polled"):
        await watching


async def test_rejected_messages_are_reported_until_a_publish_succeeds(
    service: Service, reading: Subscription[bytes]
) -> None:
    service.publisher.refusal = "TopicAuthorizationFailedError"
    ready, reasons = await service.readiness.evaluate()
    assert not ready
    assert "Kafka refuses what scorer writes: TopicAuthorizationFailedError" in reasons
    assert "Kafka is unavailable" not in reasons


async def test_what_was_put_aside_is_remarked_for_a_while(service: Service, reading: Subscription[bytes]) -> None:
    remark = "scorer recently sent records to dead letters: see `chorus dead-letters list`"
    assert remark not in (await service.readiness.evaluate())[1]
    reading.pipeline.policy.dead_lettered_at = time.monotonic()
    assert remark in (await service.readiness.evaluate())[1]
    assert service.readiness._warnings() == [remark]
    reading.pipeline.policy.dead_lettered_at = time.monotonic() - DEAD_LETTER_WARNING_S - 1
    assert service.readiness._warnings() == []


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"service": "scorer"}) or 0.0
