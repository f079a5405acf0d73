"""The settings that FastStream passes to aiokafka's consumers."""

from typing import Any

import pytest
from faststream.kafka import KafkaBroker

from shared.kafka.connection import READ_COMMITTED
from tests.consumers import Log, Reader, consumer_made_for
from tests.fakes import FakeRecord


async def made(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The consumer that FastStream creates for a subscription."""
    broker = KafkaBroker(logger=None, apply_types=False)
    reader.subscription.attach(broker)
    return await consumer_made_for(reader.subscription, broker, monkeypatch)


@pytest.mark.parametrize("group", ["router-core", None])
async def test_the_consumer_does_not_auto_commit_and_starts_at_the_earliest_offset(
    group: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = await made(Reader(Log({0: 0}), group), monkeypatch)
    assert (consumer._enable_auto_commit, consumer._auto_offset_reset, consumer._group_id) == (False, "earliest", group)


@pytest.mark.parametrize("group", ["router-core", None])
async def test_the_consumer_reads_only_committed_records(group: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = await made(Reader(Log({0: 0}), group), monkeypatch)
    assert consumer._isolation_level == READ_COMMITTED


async def test_the_subscription_is_notified_of_every_rebalance(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(Log({0: 0}))
    consumer = await made(reader, monkeypatch)
    assert consumer._subscription.subscription.topics == {"a"}
    assert consumer._subscription._listener is reader.subscription.membership


@pytest.mark.parametrize(
    ("group", "instance", "named", "session_s"),
    [
        ("router-core", None, None, 10),
        ("router-core", "router-1", "router-1.router-core", 30),
        (None, "router-1", None, 10),
    ],
)
async def test_a_named_process_is_a_static_member_and_an_unnamed_one_is_dynamic(
    group: str | None, instance: str | None, named: str | None, session_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The instance id includes the group, because one process is a member of several groups."""
    consumer = await made(Reader(Log({0: 0}), group, instance), monkeypatch)
    assert consumer._group_instance_id == named
    assert consumer._session_timeout_ms == session_s * 1000
    assert consumer._heartbeat_interval_ms == session_s * 100


async def test_a_blocked_batch_does_not_exceed_the_poll_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = await made(Reader(Log({0: 0})), monkeypatch)
    assert consumer._max_poll_interval_ms == 2**31 - 1


async def test_headers_with_any_bytes_are_accepted_and_reply_to_is_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader(Log({0: 0}))
    await made(reader, monkeypatch)
    subscriber = reader.subscription.subscriber
    headers = [("x", b"\xfe"), ("y", None), ("reply_to", b"inquiries.inputs")]
    await subscriber.process_message((FakeRecord("a", 0, 0, b"0/0", headers=headers), FakeRecord("a", 0, 1, b"0/1")))
    await reader.pipeline.drained(5)
    assert reader.handled == [b"0/0", b"0/1"]
    assert subscriber._no_reply
