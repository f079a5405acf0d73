"""Chorus: the router's gate with the services' wiring and delivery."""

from services.router.domain.city_index import CityIndex, city_index
from services.router.gate.handlers import Gate
from services.router.gate.outbox_decoder import read_outbox
from services.router.stores.store import RouterStore
from shared.kafka import topics
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.service import Service, main
from tests.benchmarks.programs.work import the_directory

GROUP = "router-gate"


def make(settings: Settings) -> Service:
    """The router without core, view and desk."""
    service = Service("router", settings)
    store = RouterStore(service.database)
    city: CityFeed[CityIndex] = CityFeed(city_index)
    city.use(the_directory().city)
    service.before_reading(store.prepare)
    service.reads(
        group=GROUP,
        pattern=topics.OUTBOXES,
        read=read_outbox,
        handle=Gate(store, city).let_in,
    )
    return service


if __name__ == "__main__":
    main(make)
