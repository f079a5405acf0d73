"""Handles batches from `residents.inbox` and `inquiries.events`: stores notices and public replies."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.notifier.domain.hall import unmasked_entry
from services.notifier.domain.notices import Notice, for_department, for_resident, one_line
from services.notifier.domain.publication import decision_of
from services.notifier.erasure import erase
from services.notifier.store import NotifierStore
from shared.city import City
from shared.contracts.facts import EVENT_TYPES
from shared.contracts.resident_messages import ERASED
from shared.events.case_events import PartOfferedEvent
from shared.kafka.failures import DependencyUnavailable
from shared.kafka.records import Record
from shared.kafka.topics import EVENTS
from shared.runtime import metrics, timestamps
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import CoreMessage, Event, ResidentMessage, read_event, read_told

WITH_OFFERS = ("assigned", "reopened")
"""The news with which departments get parts: their mails need the subject."""


@dataclass
class Notices:
    """The handler of the group `notifier`. `city_behind` tells whether unread revisions of the city are left."""

    store: NotifierStore
    city: CityFeed[City]
    city_behind: Callable[[], Awaitable[bool]]

    async def take(self, batch: Sequence[CoreMessage]) -> None:
        """Store the notices, the unmasked public replies and the decisions about the hall, except of erased inquiries.

        Safe to repeat: a notice is stored once under its id, and a reply replaces only one of an earlier decision.
        """
        told = [one for one in batch if isinstance(one, ResidentMessage)]
        events = [one for one in batch if isinstance(one, Event)]
        for one in told:
            if one.told.what == ERASED:
                await erase(self.store, one.told.inquiry_id, one.n)
        through = await self.store.tombstones.through_of(
            [*(one.told.inquiry_id for one in told), *(one.inquiry_id for one in events)]
        )
        told = [one for one in told if one.n > through.get(one.told.inquiry_id, 0)]
        # Events have no decision number to compare with `through`; after its erasure an inquiry offers no parts anyway.
        events = [one for one in events if one.inquiry_id not in through]
        notices = [for_resident(one.id, one.told, one.n, one.place, one.at) for one in told]
        notices += await self._for_departments(events)
        offering = [one.told for one in told if one.told.what in WITH_OFFERS]
        subjects = {one.inquiry_id: one_line(one.case.subject) for one in offering}
        await self.store.mails.add_subjects(subjects, timestamps.now())
        await self.store.mails.add_notices([notice for notice in notices if notice], timestamps.now())
        answers = [unmasked_entry(one.told, one.n, timestamps.to_text(one.at)) for one in told]
        await self.store.add_unmasked([answer for answer in answers if answer], timestamps.now())
        decided = [(one.told.inquiry_id, decision_of(one.told, one.n)) for one in told]
        await self.store.versions.decide([(inquiry_id, one) for inquiry_id, one in decided if one is not None])

    async def _for_departments(self, events: Sequence[Event]) -> list[Notice]:
        offers = [(one, one.body) for one in events if isinstance(one.body, PartOfferedEvent)]
        addresses = await self._addresses([part.department for _, part in offers])
        return [
            for_department(event.id, event.inquiry_id, part, address, event.sequence, event.at)
            for (event, part), address in zip(offers, addresses, strict=True)
            if address
        ]

    async def _addresses(self, codes: Sequence[str]) -> list[str | None]:
        """The e-mail address of each department, None without one.

        The core offers parts only to departments of the directory. If an address is missing here, a revision that this
        process has not read may have it: raises DependencyUnavailable until it has read all revisions.
        """
        addresses = self._known_addresses(codes)
        if all(addresses):
            return addresses
        if await self.city_behind():
            raise DependencyUnavailable(
                "city", "A department with a new part has no address, and there are unread revisions of the city."
            )
        return self._known_addresses(codes)  # A revision may have arrived during the call of `city_behind`.

    def _known_addresses(self, codes: Sequence[str]) -> list[str | None]:
        departments = [self.city.current().department(code) for code in codes]
        return [one.email if one else None for one in departments]


def read(record: Record) -> CoreMessage | None:
    """A message to a resident, or the event of an offered part; None for other events. Counts unknown types.

    Raises InvalidRecord.
    """
    if record.topic != EVENTS:
        message = read_told(record)
        if message is None:
            metrics.UNKNOWN_TYPES.labels("notifier").inc()
        return message
    event = read_event(record)
    if event.type not in EVENT_TYPES:
        metrics.UNKNOWN_TYPES.labels("notifier").inc()
    return event if isinstance(event.body, PartOfferedEvent) else None
