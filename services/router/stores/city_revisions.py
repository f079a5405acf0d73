"""Stores the revisions of the city."""

from shared.city import City
from shared.store.mongo import DESCENDING, Database, DuplicateKeyError


class CityRevisions:
    """The collection `revisions`."""

    def __init__(self, database: Database) -> None:
        self.collection = database["revisions"]

    async def latest(self) -> City | None:
        stored = await self.collection.find_one({}, sort=[("_id", DESCENDING)])
        return City.model_validate_json(stored["city"]) if stored else None

    async def add(self, city: City) -> bool:
        """Store a revision under its number. Returns False when another process has stored one with this number."""
        try:
            await self.collection.insert_one({"_id": city.revision, "city": city.model_dump_json()})
        except DuplicateKeyError:
            return False
        return True
