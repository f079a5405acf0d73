"""What intake keeps: its ledger, what each resident was told, and the last city it has seen."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.intake.domain import TicketUpdate
from services.intake.responses import DepartmentShown
from shared.city import City
from shared.contracts.resident_messages import Reply
from shared.runtime import timestamps
from shared.service.event_decoders import ResidentMessage
from shared.store.mongo import ASCENDING, Database, Document, insert_new, not_in
from shared.store.tombstones import Tombstones


class IntakeStore:
    """Intake's database, apart from the ledger."""

    def __init__(self, database: Database) -> None:
        self.tickets = database["tickets"]
        self.directory = database["directory"]
        self.tombstones = Tombstones(database["tombstones"])

    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await self.tickets.create_index([("inquiry_id", ASCENDING)])

    async def add_told(self, messages: Sequence[ResidentMessage]) -> None:
        """Add what residents were told, each once: its `_id` is the message's id.

        Of an erased inquiry only that there was a message is kept, so that nobody misses it and publishes it again.
        """
        through = await self.tombstones.through_of(one.told.inquiry_id for one in messages)
        erased = [one.n <= through.get(one.told.inquiry_id, 0) for one in messages]
        documents = [document(one) for one in messages]
        await insert_new(
            self.tickets,
            [without_words(one) if gone else one for one, gone in zip(documents, erased, strict=True)],
        )

    async def erase_told(self, inquiry_id: str, through: int) -> None:
        """Drop the words of what the resident was told up to this decision; safe to repeat.

        The messages stay, so a copy of one that is read later is not stored again.
        """
        for one in await self.tickets.find({"inquiry_id": inquiry_id, "n": {"$lte": through}}).to_list(None):
            await self.tickets.replace_one({"_id": one["_id"]}, without_words(one))

    async def told(self, inquiry_id: str) -> list[TicketUpdate]:
        """Everything that was told of one inquiry and is not erased."""
        found = await self.tickets.find({"inquiry_id": inquiry_id}).to_list(None)
        return [update(one) for one in found if "text" in one]

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


def document(message: ResidentMessage) -> Document:
    """What a resident was told, as it is stored."""
    return {
        "_id": message.id,
        "inquiry_id": message.told.inquiry_id,
        "n": message.n,
        "place": message.place,
        "at": timestamps.to_text(message.at),
        "what": message.told.what,
        "text": message.told.text,
        "case": message.told.case.model_dump(mode="json", exclude={"body"}),
    }


def without_words(told: Mapping[str, Any]) -> Document:
    """What stays of a document whose inquiry is erased: ids, codes and times."""
    case = told["case"]
    kept = {name: told[name] for name in ("_id", "inquiry_id", "n", "place", "at", "what")}
    departments = [{name: one[name] for name in ("code", "role", "state", "due_at")} for one in case["departments"]]
    return kept | {"case": {"state": case["state"], "round": case["round"], "departments": departments}}


def update(stored: Document) -> TicketUpdate:
    case = stored["case"]
    return TicketUpdate(
        n=stored["n"],
        place=stored["place"],
        at=stored["at"],
        text=stored["text"],
        state=case["state"],
        round=case["round"],
        departments=tuple(DepartmentShown.model_validate(one) for one in case["departments"]),
        reply=Reply.model_validate(case["reply"]) if case.get("reply") else None,
    )
