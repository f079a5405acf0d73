"""What the notifier does with each batch it reads: notices to send, entries for the hall."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.notifier.domain.notices import for_department, for_resident, hall_entry
from services.notifier.store import NotifierStore
from shared.city import City
from shared.contracts.facts import EVENT_TYPES
from shared.kafka.failures import DependencyUnavailable
from shared.kafka.records import Record
from shared.kafka.topics import EVENTS
from shared.runtime import metrics, timestamps
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import CoreMessage, Event, ResidentMessage, read_event, read_told


@dataclass
class Notices:
    """Opens a delivery for everything that is told by mail, and shows answers in the hall."""

    store: NotifierStore
    city: CityFeed[City]
    city_behind: Callable[[], Awaitable[bool]]
    settings: Settings

    async def take(self, batch: Sequence[CoreMessage]) -> None:
        """Safe to repeat: a notice or an entry that is there is left as it is."""
        told = [one for one in batch if isinstance(one, ResidentMessage)]
        offered = [one for one in batch if isinstance(one, Event)]
        notices = [for_resident(one.id, one.told, self.settings.public_url) for one in told]
        for one, address in zip(offered, await self._addresses(offered), strict=True):
            notices.append(for_department(one.id, one.data, address) if address else None)
        await self.store.add_notices([notice for notice in notices if notice], timestamps.now())
        entries = [hall_entry(one.told, one.n, timestamps.to_text(one.at)) for one in told]
        await self.store.show([entry for entry in entries if entry])

    async def _addresses(self, offered: Sequence[Event]) -> list[str | None]:
        """The core has read of everybody to whom it offers something: who is unknown here comes with a later revision."""
        addresses = self._known_addresses(offered)
        if all(addresses):
            return addresses
        if await self.city_behind():
            raise DependencyUnavailable(
                "city", "Somebody without an address is offered something, and the city is not read to its end."
            )
        return self._known_addresses(offered)  # one may have come while the broker was asked

    def _known_addresses(self, offered: Sequence[Event]) -> list[str | None]:
        departments = [self.city.current().department(one.data["department"]) for one in offered]
        return [one.email if one else None for one in departments]


def read(record: Record) -> CoreMessage | None:
    """What a resident is told, or that a part was offered; None for every other event. Unknown types are counted."""
    if record.topic != EVENTS:
        told = read_told(record)
        if told is None:
            metrics.UNKNOWN_TYPES.labels("notifier").inc()
        return told
    event = read_event(record)
    if event.type not in EVENT_TYPES:
        metrics.UNKNOWN_TYPES.labels("notifier").inc()
    return event if event.type == "chorus.part.offered" else None
