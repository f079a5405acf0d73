"""Ours: the router's gate alone, on the services' own wiring and delivery."""

from services.router.domain.directory import Directory, directory
from services.router.handlers.gate import Gate, read_outbox
from services.router.store import Store
from shared.contracts.envelope import one_of
from shared.contracts.inputs import DEPARTMENT_MESSAGES
from shared.kafka import topics
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.service import Service, main
from tests.benchmarks.programs.work import the_directory

GROUP = "router-gate"


def make(settings: Settings) -> Service:
    """The router without core, view and desk."""
    service = Service("router", settings)
    store = Store(service.database)
    city: CityFeed[Directory] = CityFeed(directory)
    city.use(the_directory().city)
    service.before_reading(store.prepare)
    service.reads(
        group=GROUP,
        pattern=topics.OUTBOXES,
        read=read_outbox,
        handle=Gate(store, service.publisher, city).let_in,
        schema=one_of(DEPARTMENT_MESSAGES),
    )
    return service


if __name__ == "__main__":
    main(make)
