"""Handles batches from `residents.inbox`: stores the updates that tickets show."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.erasure import erase
from services.intake.store import IntakeStore
from shared.contracts.resident_messages import ERASED
from shared.kafka.records import Record
from shared.ledger.ledger import Ledger
from shared.runtime import metrics
from shared.service.event_decoders import ResidentMessage, read_told


@dataclass
class TicketUpdates:
    """The handler of the group `intake`."""

    store: IntakeStore
    ledger: Ledger

    async def save(self, batch: Sequence[ResidentMessage]) -> None:
        """Store the updates of a batch, and erase the inquiries that they say. Safe to repeat."""
        for one in batch:
            if one.told.what == ERASED:
                await erase(self.store, self.ledger, one.told.inquiry_id, one.n)
        await self.store.add_updates(batch)


def read(record: Record) -> ResidentMessage | None:
    """The message to a resident; None, and counted, for a type that only a later version knows. Raises InvalidRecord."""
    message = read_told(record)
    if message is None:
        metrics.UNKNOWN_TYPES.labels("intake").inc()
    return message
