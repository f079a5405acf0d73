"""The revisions of the city that this router has accepted."""

from shared.city import City
from shared.store.mongo import DESCENDING, Database, DuplicateKeyError


class CityRevisions:
    """The collection `revisions`."""

    def __init__(self, database: Database) -> None:
        self.collection = database["revisions"]

    async def latest(self) -> City | None:
        """The last revision that was accepted here."""
        stored = await self.collection.find_one({}, sort=[("_id", DESCENDING)])
        return City.model_validate_json(stored["city"]) if stored else None

    async def add(self, city: City) -> bool:
        """Store a revision under its number; False when somebody else has taken the number meanwhile."""
        try:
            await self.collection.insert_one({"_id": city.revision, "city": city.model_dump_json()})
        except DuplicateKeyError:
            return False
        return True
