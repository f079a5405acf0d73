"""What intake does with each batch it reads: it remembers what residents were told."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.store import IntakeStore
from shared.kafka.records import Record
from shared.runtime import metrics
from shared.service.event_decoders import ResidentMessage, read_told


@dataclass
class TicketUpdates:
    """Keeps the tellings of every inquiry, each once."""

    store: IntakeStore

    async def remember(self, batch: Sequence[ResidentMessage]) -> None:
        """Safe to repeat: a telling that is there is left as it is."""
        await self.store.add_told(batch)


def read(record: Record) -> ResidentMessage | None:
    """What a resident is told; a type of a later version is skipped, and counted."""
    told = read_told(record)
    if told is None:
        metrics.UNKNOWN_TYPES.labels("intake").inc()
    return told
