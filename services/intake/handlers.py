"""Handles batches from `residents.inbox`: stores the updates that tickets show."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.store import IntakeStore
from shared.kafka.records import Record
from shared.runtime import metrics
from shared.service.event_decoders import ResidentMessage, read_told


@dataclass
class TicketUpdates:
    """The handler of the group `intake`."""

    store: IntakeStore

    async def save(self, batch: Sequence[ResidentMessage]) -> None:
        """Store the updates of a batch. Safe to repeat: a stored update does not change."""
        await self.store.add_updates(batch)


def read(record: Record) -> ResidentMessage | None:
    """The message to a resident; None, and counted, for a type that only a later version knows. Raises InvalidRecord."""
    message = read_told(record)
    if message is None:
        metrics.UNKNOWN_TYPES.labels("intake").inc()
    return message
