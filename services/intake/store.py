"""Intake's database, except the ledger: updates for residents, and the newest revision of the city."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.intake.domain import TicketUpdate
from services.intake.responses import DepartmentShown
from shared.city import City
from shared.contracts.resident_messages import OpenQuestion, Reply
from shared.runtime import timestamps
from shared.service.event_decoders import ResidentMessage
from shared.store.mongo import ASCENDING, Database, Document, insert_new, not_in
from shared.store.tombstones import Tombstones


class IntakeStore:
    def __init__(self, database: Database) -> None:
        self.tickets = database["tickets"]
        self.directory = database["directory"]
        self.tombstones = Tombstones(database["tombstones"])

    async def erased(self, inquiry_id: str) -> bool:
        return bool(await self.tombstones.through_of([inquiry_id]))

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        await self.tickets.create_index([("inquiry_id", ASCENDING)])

    async def add_updates(self, messages: Sequence[ResidentMessage]) -> None:
        """Store the updates, each once: the `_id` is the id of the message.

        An update of an erased inquiry is stored without words, so that `chorus reconcile` does not report it as missing.
        """
        through = await self.tombstones.through_of(one.told.inquiry_id for one in messages)
        erased = [one.n <= through.get(one.told.inquiry_id, 0) for one in messages]
        documents = [document(one) for one in messages]
        await insert_new(
            self.tickets,
            [without_words(one) if is_erased else one for one, is_erased in zip(documents, erased, strict=True)],
        )

    async def erase_updates(self, inquiry_id: str, through: int) -> None:
        """Delete the words of updates up to decision `through`; safe to repeat.

        The documents stay, so that a repeat of the message is not stored again.
        """
        for one in await self.tickets.find({"inquiry_id": inquiry_id, "n": {"$lte": through}}).to_list(None):
            await self.tickets.replace_one({"_id": one["_id"]}, without_words(one))

    async def updates(self, inquiry_id: str) -> list[TicketUpdate]:
        """The updates of an inquiry that are not erased, in any order."""
        return [ticket_update(one) for one in await self.documents(inquiry_id) if "text" in one]

    async def documents(self, inquiry_id: str) -> list[Document]:
        """The stored updates of an inquiry, erased ones without their words, in any order."""
        return await self.tickets.find({"inquiry_id": inquiry_id}).to_list(None)

    async def unseen(self, ids: Sequence[str]) -> set[str]:
        """The ids among `ids` of updates that are not stored."""
        return await not_in(self.tickets, ids)

    async def save_city(self, city: City) -> None:
        """Store the city, so that intake can start without Kafka; safe to repeat."""
        await self.directory.replace_one(
            {"_id": "city"}, {"revision": city.revision, "city": city.model_dump_json()}, upsert=True
        )

    async def last_city(self) -> City | None:
        stored = await self.directory.find_one({"_id": "city"})
        return City.model_validate_json(stored["city"]) if stored else None


def document(message: ResidentMessage) -> Document:
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


def without_words(update: Mapping[str, Any]) -> Document:
    """What an erasure leaves of a document: ids, codes and times."""
    case = update["case"]
    kept = {name: update[name] for name in ("_id", "inquiry_id", "n", "place", "at", "what")}
    departments = [{name: one[name] for name in ("code", "role", "state", "due_at")} for one in case["departments"]]
    return kept | {"case": {"state": case["state"], "round": case["round"], "departments": departments}}


def ticket_update(stored: Document) -> TicketUpdate:
    case = stored["case"]
    return TicketUpdate(
        n=stored["n"],
        place=stored["place"],
        at=stored["at"],
        what=stored["what"],
        text=stored["text"],
        state=case["state"],
        round=case["round"],
        departments=tuple(DepartmentShown.model_validate(one) for one in case["departments"]),
        reply=Reply.model_validate(case["reply"]) if case.get("reply") else None,
        questions=tuple(OpenQuestion.model_validate(one) for one in case.get("questions", ())),
    )
