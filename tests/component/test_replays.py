"""Replays: a dead letter returns to the subscription of its original topic, and keeps its origin if it fails again."""

from collections.abc import Sequence

import pytest

from shared.kafka import topics
from shared.kafka.dead_letters import dead_letter, original
from shared.kafka.failures import InvalidRecord
from shared.kafka.options import SubscriptionOptions
from shared.kafka.publisher import PreparedRecord
from shared.kafka.records import Record
from shared.kafka.replay_reader import ReplayReader
from shared.kafka.subscription import Subscription
from tests.builders import a_record
from tests.fakes import FakePublisher

FIRST = Record("a", 2, 17, 1_773_633_600_000, b"k", b"v", [("x", b"\xfe"), ("dl_topic", b"a lie")])


class Reader:
    """A subscription that records its items and publishes a message for each."""

    def __init__(self, group: str | None = "g", *, parks: bool = False, **where: object) -> None:
        self.taken: list[str] = []
        options: SubscriptionOptions[str] = SubscriptionOptions(
            "scorer",
            group,
            self.read,
            self.take,
            FakePublisher(),
            parking=object() if parks else None,  # type: ignore[arg-type]
            **where,  # type: ignore[arg-type]
        )
        self.subscription: Subscription[str] = Subscription(options)

    def read(self, record: Record) -> str | None:
        if record.value == b"wrong":
            raise InvalidRecord("still wrong")
        return None if record.value == b"skipped" else f"{record.place} {record.value!r}"

    async def take(self, batch: Sequence[str]) -> list[PreparedRecord]:
        self.taken += batch
        return [PreparedRecord("out", (None, one.encode(), ())) for one in batch]


def replayed(record: Record, kind: str = "permanent") -> Record:
    """The record as the desk writes it to the replay topic."""
    key, value, headers = dead_letter("scorer", record, kind, "why", 1)
    return Record(topics.replays("scorer"), 0, 0, 1, key, value, headers)


def test_the_original_record_has_no_dead_letter_headers() -> None:
    assert original(replayed(FIRST)) == Record("a", 2, 17, FIRST.timestamp_ms, b"k", b"v", [("x", b"\xfe")])


def test_a_dead_letter_without_an_origin_is_its_own_original() -> None:
    letter = a_record(b"v", [("dl_topic", b"a"), ("dl_partition", "²".encode())], topic=topics.replays("scorer"))
    assert original(letter) is letter


def test_a_record_that_fails_again_keeps_its_origin() -> None:
    key, value, headers = dead_letter("scorer", replayed(FIRST), "exhausted", "again", 5)
    again = Record("scorer.dead-letters", 0, 1, 1, key, value, headers)
    assert original(again) == original(replayed(FIRST))
    assert (again.header("dl_kind"), again.header("dl_reason")) == ("exhausted", "again")


async def test_replays_go_to_the_subscription_of_their_topic_in_order() -> None:
    some, others = Reader(topics=("a",)), Reader(pattern=r"^b\..+$")
    replays = ReplayReader((some.subscription, others.subscription))
    records = [Record(topic, 0, n, 1, None, b"v", []) for n, topic in enumerate(("a", "b.c", "a"))]
    items = [replays.read(replayed(one)) for one in records]
    outputs = await replays.handle([one for one in items if one])
    assert (some.taken, others.taken) == (["a-0-0 b'v'", "a-0-2 b'v'"], ["b.c-0-1 b'v'"])
    assert [one.value.decode() for one in outputs] == ["a-0-0 b'v'", "b.c-0-1 b'v'", "a-0-2 b'v'"]


def test_skipped_and_invalid_records_are_handled_as_in_the_original_topic() -> None:
    replays = ReplayReader((Reader(topics=("a",)).subscription,))
    assert replays.read(replayed(a_record(b"skipped", topic="a"))) is None
    with pytest.raises(InvalidRecord, match="still wrong"):
        replays.read(replayed(a_record(b"wrong", topic="a")))


@pytest.mark.parametrize(
    "reader", [Reader(None, topics=("a",)), Reader(topics=("b",)), Reader(parks=True, topics=("a",))], ids=range(3)
)
def test_what_nobody_here_may_take_again_is_refused(reader: Reader) -> None:
    with pytest.raises(InvalidRecord, match="This service does not replay records of 'a'"):
        ReplayReader((reader.subscription,)).read(replayed(FIRST))
