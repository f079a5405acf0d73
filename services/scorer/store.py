"""The scorer's database: every event, once."""

from collections import defaultdict
from collections.abc import Sequence

from pydantic_core import from_json

from services.scorer.domain.clocks import CaseFact
from services.scorer.domain.periods import Period
from shared.contracts.envelope import PREFIX
from shared.events.case_events import event_body
from shared.service.event_decoders import Event
from shared.store.mongo import ASCENDING, Database, Document, find_by, insert_new, not_in
from shared.store.tombstones import Tombstones


class ScorerStore:
    def __init__(self, database: Database) -> None:
        self.events = database["events"]
        self.tombstones = Tombstones(database["tombstones"])

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.events.create_index([("inquiry_id", ASCENDING)])
        await self.events.create_index([("type", ASCENDING), ("at", ASCENDING)])

    async def add(self, events: Sequence[Event]) -> set[str]:
        """Insert events; returns the ids of those that existed already. Safe to repeat."""
        return await insert_new(self.events, [document(one) for one in events])

    async def unseen(self, ids: Sequence[str]) -> set[str]:
        """The ids among `ids` of events that are not stored."""
        return await not_in(self.events, ids)

    async def facts(self, inquiry_ids: Sequence[str]) -> dict[str, list[CaseFact]]:
        """All events by inquiry; an unknown inquiry is absent."""
        found: dict[str, list[CaseFact]] = defaultdict(list)
        for stored in await find_by(self.events, "inquiry_id", inquiry_ids):
            found[stored["inquiry_id"]].append(fact(stored))
        return found

    async def inquiries_of(self, over: Period) -> list[str]:
        """The ids of inquiries with a part that was offered in the period."""
        offered = self.events.find(
            {"type": "part.offered", "at": {"$gte": over.start, "$lt": over.end}}, {"inquiry_id": 1}
        )
        return sorted({stored["inquiry_id"] async for stored in offered})


def document(event: Event) -> Document:
    """The document of an event: its value byte for byte, its type without the prefix `chorus.`."""
    return {
        "_id": event.id,
        "inquiry_id": event.inquiry_id,
        "sequence": event.sequence,
        "type": event.type.removeprefix(PREFIX),
        "at": event.at,
        "value": event.value,
    }


def fact(stored: Document) -> CaseFact:
    return CaseFact(stored["sequence"], stored["at"], event_body(PREFIX + stored["type"], from_json(stored["value"])))
