"""What the notifier does with each batch it reads: notices to send, entries for the hall."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.notifier.domain.hall import hall_entry
from services.notifier.domain.notices import Notice, for_department, for_resident
from services.notifier.store import NotifierStore
from shared.city import City
from shared.contracts.facts import EVENT_TYPES
from shared.events.case_events import PartOfferedEvent
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
        """Safe to repeat: a notice or an entry that is there is left as it is. Nothing comes of erased inquiries."""
        told = [one for one in batch if isinstance(one, ResidentMessage)]
        events = [one for one in batch if isinstance(one, Event)]
        through = await self.store.tombstones.through_of(
            [*(one.told.inquiry_id for one in told), *(one.inquiry_id for one in events)]
        )
        told = [one for one in told if one.n > through.get(one.told.inquiry_id, 0)]
        # An event does not name its decision, but nothing is offered of an inquiry after its erasure.
        events = [one for one in events if one.inquiry_id not in through]
        notices = [for_resident(one.id, one.told, self.settings.public_url) for one in told]
        notices += await self._for_departments(events)
        await self.store.add_notices([notice for notice in notices if notice], timestamps.now())
        entries = [hall_entry(one.told, one.n, timestamps.to_text(one.at)) for one in told]
        await self.store.show([entry for entry in entries if entry])

    async def _for_departments(self, events: Sequence[Event]) -> list[Notice]:
        offers = [(one, one.body) for one in events if isinstance(one.body, PartOfferedEvent)]
        addresses = await self._addresses([part.department for _, part in offers])
        zone = self.city.zone(self.settings)
        return [
            for_department(event.id, event.inquiry_id, part, address, zone)
            for (event, part), address in zip(offers, addresses, strict=True)
            if address
        ]

    async def _addresses(self, codes: Sequence[str]) -> list[str | None]:
        """The core has read of everybody to whom it offers something: who is unknown here comes with a later revision."""
        addresses = self._known_addresses(codes)
        if all(addresses):
            return addresses
        if await self.city_behind():
            raise DependencyUnavailable(
                "city", "Somebody without an address is offered something, and the city is not read to its end."
            )
        return self._known_addresses(codes)  # one may have come while the broker was asked

    def _known_addresses(self, codes: Sequence[str]) -> list[str | None]:
        departments = [self.city.current().department(code) for code in codes]
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
    return event if isinstance(event.body, PartOfferedEvent) else None
