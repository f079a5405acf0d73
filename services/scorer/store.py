"""What the scorer keeps: every event, once."""

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
    """The scorer's database."""

    def __init__(self, database: Database) -> None:
        self.events = database["events"]
        self.tombstones = Tombstones(database["tombstones"])

    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await self.events.create_index([("inquiry_id", ASCENDING)])
        await self.events.create_index([("type", ASCENDING), ("at", ASCENDING)])

    async def add(self, events: Sequence[Event]) -> set[str]:
        """Insert events; returns the ids of those that were there already."""
        return await insert_new(self.events, [document(one) for one in events])

    async def unseen(self, ids: Sequence[str]) -> set[str]:
        """Those events that are not here."""
        return await not_in(self.events, ids)

    async def facts(self, inquiry_ids: Sequence[str]) -> dict[str, list[CaseFact]]:
        """All events of these inquiries."""
        found: dict[str, list[CaseFact]] = defaultdict(list)
        for stored in await find_by(self.events, "inquiry_id", inquiry_ids):
            found[stored["inquiry_id"]].append(fact(stored))
        return found

    async def inquiries_of(self, over: Period) -> list[str]:
        """The inquiries of which a part was offered in the period."""
        offered = self.events.find(
            {"type": "part.offered", "at": {"$gte": over.start, "$lt": over.end}}, {"inquiry_id": 1}
        )
        return sorted({stored["inquiry_id"] async for stored in offered})


def document(event: Event) -> Document:
    """An event as it is stored: its value as it was sent, byte for byte, and its type without prefix."""
    return {
        "_id": event.id,
        "inquiry_id": event.inquiry_id,
        "sequence": event.sequence,
        "type": event.type.removeprefix(PREFIX),
        "at": event.at,
        "value": event.value,
    }


def fact(stored: Document) -> CaseFact:
    """An event as the domain knows it."""
    return CaseFact(stored["sequence"], stored["at"], event_body(PREFIX + stored["type"], from_json(stored["value"])))
