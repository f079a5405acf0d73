"""What intake keeps: its ledger, what each resident was told, and the last city it has seen."""

from collections.abc import Sequence

from shared.city import City
from shared.store.mongo import ASCENDING, Database, Document, insert_new, not_in


class IntakeStore:
    """Intake's database, apart from the ledger."""

    def __init__(self, database: Database) -> None:
        self.tickets = database["tickets"]
        self.directory = database["directory"]

    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await self.tickets.create_index([("inquiry_id", ASCENDING)])

    async def add_told(self, documents: Sequence[Document]) -> None:
        """Add what residents were told, each once: its `_id` is the message's id."""
        await insert_new(self.tickets, documents)

    async def told(self, inquiry_id: str) -> list[Document]:
        """Everything that was told of one inquiry."""
        return await self.tickets.find({"inquiry_id": inquiry_id}).to_list(None)

    async def unseen(self, ids: Sequence[str]) -> set[str]:
        """Those tellings that are not here."""
        return await not_in(self.tickets, ids)

    async def save_city(self, city: City) -> None:
        """Keep the city for a start without Kafka; safe to repeat."""
        await self.directory.replace_one(
            {"_id": "city"}, {"revision": city.revision, "city": city.model_dump_json()}, upsert=True
        )

    async def last_city(self) -> City | None:
        """The city as it was seen last."""
        stored = await self.directory.find_one({"_id": "city"})
        return City.model_validate_json(stored["city"]) if stored else None
