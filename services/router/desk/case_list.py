"""The view of all cases that the desk shows: it follows `inquiries.events` and never decides."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.router.stores.store import RouterStore
from shared.contracts.facts import EVENT_TYPES
from shared.kafka.records import Record
from shared.runtime import metrics, timestamps
from shared.service.event_decoders import read_event
from shared.store.mongo import Document

MEASURE_EVERY_S = 15.0


@dataclass
class CaseList:
    """Keeps one row a case, as of its newest event."""

    store: RouterStore

    async def follow(self, batch: Sequence[Document]) -> None:
        """Show the newest event of each case; safe to repeat, an older event changes nothing."""
        rows: dict[str, Document] = {}
        for row in sorted(batch, key=lambda one: int(one["sequence"])):
            rows[row["_id"]] = rows.get(row["_id"], {}) | row
        await self.store.cases.show(list(rows.values()))

    async def measure(self) -> None:
        """Tell Prometheus how many parts wait, in each open state, and how many inquiries are parked; run it for ever."""
        while True:
            for state, count in (await self.store.cases.open_parts()).items():
                metrics.PARTS_OPEN.labels(state).set(count)
            metrics.PARKED.set(len(await self.store.parked.inquiries()))
            await asyncio.sleep(MEASURE_EVERY_S)


def read_row(record: Record) -> Document:
    """The row that an event makes of its case."""
    event = read_event(record)
    if event.type not in EVENT_TYPES:
        metrics.UNKNOWN_TYPES.labels("router").inc()
    fields = ("state", "departments", "part_states", "channel", "received_at", "area")
    row = {name: event.data[name] for name in fields if name in event.data}
    return row | {"_id": event.inquiry_id, "sequence": event.sequence, "updated_at": timestamps.to_text(event.at)}
