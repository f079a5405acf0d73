"""Open transactions: which partitions they hold back, how many records, and since when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.runtime import timestamps
from shared.runtime.logging import log

WARN_AFTER = timedelta(seconds=5)
"""An ordinary transaction ends long before this."""


class OpenTransaction(NamedTuple):
    """The first offset that cannot be read yet, the number of records from there on, and when this was first seen."""

    begins: int
    records: int
    since: datetime
    logged: bool = False


class OpenTransactions:
    """The open transactions in the partitions of one subscription. All other partitions continue."""

    def __init__(self, now: Callable[[], datetime] = timestamps.now) -> None:
        self.now = now
        self._open: dict[TopicPartition, OpenTransaction] = {}

    def look(self, consumer: Any) -> dict[TopicPartition, int]:
        """How many records are held back now, by partition. Logs when a transaction lasts, and when it has ended."""
        before, self._open = self._open, {}
        for partition in consumer.assignment() if consumer else ():
            begins, end = consumer.last_stable_offset(partition), consumer.highwater(partition)
            if begins is not None and end is not None and 0 <= begins < end:
                self._open[partition] = self._seen(partition, before.get(partition), begins, end - begins)
        for partition, one in before.items():
            now_open = self._open.get(partition)
            if one.logged and (now_open is None or now_open.begins != one.begins):
                log.info("an open transaction has ended", **_about(partition, one))
        return {partition: one.records for partition, one in self._open.items()}

    def _seen(
        self, partition: TopicPartition, before: OpenTransaction | None, begins: int, records: int
    ) -> OpenTransaction:
        if before is None or before.begins != begins:
            return OpenTransaction(begins, records, self.now())
        one = before._replace(records=records)
        if not one.logged and self.now() - one.since >= WARN_AFTER:
            log.warning("an open transaction holds records back", **_about(partition, one))
            one = one._replace(logged=True)
        return one

    def warnings(self) -> list[str]:
        """A sentence for each open transaction that lasts."""
        return [
            f"an open transaction on {partition.topic}-{partition.partition} holds back "
            f"{one.records} {'record' if one.records == 1 else 'records'} since {timestamps.to_text(one.since)}"
            for partition, one in sorted(self._open.items())
            if self.now() - one.since >= WARN_AFTER
        ]


def _about(partition: TopicPartition, one: OpenTransaction) -> dict[str, Any]:
    place = f"{partition.topic}-{partition.partition}"
    return {"partition": place, "records": one.records, "since": timestamps.to_text(one.since)}


def readable_end(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    """The offset before which every record can be read, as of the last fetch; None before the first fetch."""
    stable: int | None = consumer.last_stable_offset(partition)
    end: int | None = consumer.highwater(partition)
    return stable if stable is not None and stable >= 0 else end
