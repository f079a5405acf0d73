"""Stores the revisions of the city."""

from services.router.domain.staff import StaffUser
from shared.city import City
from shared.runtime import timestamps
from shared.store.mongo import DESCENDING, Database, DuplicateKeyError


class CityRevisions:
    """The collection `revisions`."""

    def __init__(self, database: Database) -> None:
        self.collection = database["revisions"]

    async def latest(self) -> City | None:
        stored = await self.collection.find_one({}, sort=[("_id", DESCENDING)])
        return City.model_validate_json(stored["city"]) if stored else None

    async def add(self, city: City, who: StaffUser | None = None) -> bool:
        """Store a revision under its number, with who made it. Returns False when the number is stored already."""
        made = {"at": timestamps.now(), "by": who and {"number": who.number, "name": who.name}}
        try:
            await self.collection.insert_one({"_id": city.revision, "city": city.model_dump_json(), **made})
        except DuplicateKeyError:
            return False
        return True
