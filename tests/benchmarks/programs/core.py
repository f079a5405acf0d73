"""Chorus: the router's core with the services' wiring and delivery; --memory keeps cases in memory without a store."""

import sys
from collections.abc import Iterable, Sequence

from services.router.core.handlers import INPUTS_PER_BATCH, Core
from services.router.core.input_decoder import read_input
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import Decision, after
from services.router.stores.decisions import Decisions
from services.router.stores.store import RouterStore
from shared.kafka import topics
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.service import Service, main
from tests.benchmarks.programs.work import the_directory

GROUP = "router-core"


class DecisionsInMemory(Decisions):
    """Keeps every case in memory; there is no other process, so no insert collides."""

    async def load(self, inquiry_ids: Iterable[str], new: frozenset[str] = frozenset()) -> dict[str, Case]:
        """The cases decided here."""
        return {one: self._folded.get(one) or Case(one) for one in inquiry_ids}

    async def insert(self, decided: Sequence[tuple[Case, Decision]]) -> set[str]:
        """Keep them."""
        for case, decision in decided:
            self._remember(after(case, decision))
        return set()

    async def at(self, places: Sequence[tuple[str, int]]) -> list[Decision]:
        """Only called for a repeated input, which a benchmark does not have."""
        assert not places, "an input came twice"
        return []


def make(settings: Settings) -> Service:
    """The router without gate, view and desk."""
    service = Service("router", settings)
    in_memory = "--memory" in sys.argv
    store = RouterStore(service.database)
    if in_memory:
        store.decisions = DecisionsInMemory(service.database)
    city: CityFeed[CityIndex] = CityFeed(city_index)
    city.use(the_directory().city)
    if not in_memory:
        service.before_reading(store.prepare)
    core = Core(store, city)
    service.reads(topics.INPUTS, group=GROUP, read=read_input, handle=core.decide_inputs, most=INPUTS_PER_BATCH)
    return service


if __name__ == "__main__":
    main(make)
