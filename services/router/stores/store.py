"""The router's database: one class for each collection."""

from services.router.stores.case_rows import CaseRows
from services.router.stores.case_timers import CaseTimers
from services.router.stores.city_revisions import CityRevisions
from services.router.stores.decisions import Decisions
from services.router.stores.parked_inputs import ParkedInputs
from services.router.stores.search_index import SearchIndex
from services.router.stores.worklist import Worklist
from shared.store.mongo import Database
from shared.store.tombstones import Tombstones


class RouterStore:
    """The collections of `chorus_router` that gate, core, desk and dead letters share."""

    def __init__(self, database: Database) -> None:
        self.decisions = Decisions(database)
        self.parked = ParkedInputs(database)
        self.cases = CaseRows(database)
        self.timers = CaseTimers(database)
        self.search = SearchIndex(database)
        self.worklist = Worklist(database)
        self.revisions = CityRevisions(database)
        self.tombstones = Tombstones(database["tombstones"])

    async def prepare(self) -> None:
        """Create all indexes; safe to repeat."""
        for one in (self.decisions, self.parked, self.cases, self.timers, self.search, self.worklist):
            await one.prepare()
