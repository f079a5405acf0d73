"""Keeps the desk's list of cases up to date from `inquiries.events`, and measures open parts and parked inquiries."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.router.stores.store import RouterStore
from shared.contracts.envelope import PREFIX
from shared.contracts.facts import EVENT_TYPES
from shared.events.case_events import InquiryErasedEvent, InquiryLinkedEvent
from shared.kafka.records import Record
from shared.runtime import metrics, timestamps
from shared.service.event_decoders import read_event
from shared.store.mongo import Document

MEASURE_EVERY_S = 15.0
HALL_REPORTED = PREFIX + "hall.reported"
HALL_DECIDED = tuple(PREFIX + name for name in ("hall.published", "hall.hidden", "hall.redacted"))
ERASED_THROUGH, LINKED_TO = "erased_through", "linked_to"
"""What a row may say besides its fields: through which decision the case is erased, and to which case it is linked."""
UNRATED = {
    PREFIX + "inquiry.answered": True,
    PREFIX + "inquiry.rated": False,
    PREFIX + "inquiry.rating-reminded": False,
    PREFIX + "inquiry.reopened": False,
    PREFIX + "inquiry.closed": False,
}
"""Whether the answer of a case waits for the reminder to rate it, after each of these events."""


@dataclass
class CaseList:
    """Updates rows; `erasure.py` has the handler of the group `router-cases`."""

    store: RouterStore

    async def follow(self, batch: Sequence[Document]) -> None:
        """Update the row of each case to its newest event. Safe to repeat: an older event changes nothing."""
        rows: dict[str, Document] = {}
        for row in sorted(batch, key=lambda one: int(one["sequence"])):
            shown = {name: value for name, value in row.items() if name not in (ERASED_THROUGH, LINKED_TO)}
            rows[row["_id"]] = rows.get(row["_id"], {}) | shown
        await self.store.cases.show(list(rows.values()))
        for row in batch:
            if LINKED_TO in row:
                await self.store.cases.link(row["_id"], row[LINKED_TO])

    async def measure(self) -> None:
        """Set the gauges of open parts by state and of parked inquiries every MEASURE_EVERY_S. Runs forever."""
        while True:
            for state, count in (await self.store.cases.open_parts()).items():
                metrics.PARTS_OPEN.labels(state).set(count)
            metrics.PARKED.set(len(await self.store.parked.inquiries()))
            await asyncio.sleep(MEASURE_EVERY_S)


def read_row(record: Record) -> Document:
    """The fields of a case's row that an event sets. Raises InvalidRecord. Counts events of unknown types."""
    event = read_event(record)
    if event.type not in EVENT_TYPES:
        metrics.UNKNOWN_TYPES.labels("router").inc()
    fields = ("state", "departments", "part_states", "channel", "received_at", "area")
    row = {name: event.data[name] for name in fields if name in event.data}
    if event.type == HALL_REPORTED:
        row["reported_at"] = timestamps.to_text(event.at)
    elif event.type in HALL_DECIDED and not event.data.get("automatic"):
        row["reported_at"] = None
    elif isinstance(event.body, InquiryErasedEvent):
        row[ERASED_THROUGH] = event.body.through
    elif isinstance(event.body, InquiryLinkedEvent):
        row[LINKED_TO] = event.body.linked_to
    if event.type in UNRATED:
        row["unrated"] = UNRATED[event.type]
    return row | {"_id": event.inquiry_id, "sequence": event.sequence, "updated_at": timestamps.to_text(event.at)}
