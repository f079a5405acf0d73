"""The scorer's wiring: subscriptions and routes."""

from services.scorer import api
from services.scorer.handlers import Events
from services.scorer.queries import ScoreQueries
from services.scorer.store import ScorerStore
from shared.city import City
from shared.http.identity import operators_only
from shared.kafka import topics
from shared.runtime.settings import Settings, secret
from shared.service import reconciliation
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import read_event
from shared.service.service import Service


def make(settings: Settings) -> Service:
    service = Service("scorer", settings)
    store = ScorerStore(service.database)
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    service.before_reading(store.prepare)
    service.follows_city(city)
    service.reads(
        topics.EVENTS,
        group="scorer",
        read=read_event,
        handle=Events(store).take,
        at_leisure=True,
    )
    service.takes_replays()
    service.publishes(topics.dead_letters("scorer"))
    service.app.include_router(api.routes(ScoreQueries(store, city), settings, service.site))
    token = secret(settings.operator_token_file, "CHORUS_OPERATOR_TOKEN_FILE")
    service.app.include_router(reconciliation.routes(service, operators_only(token), unseen=store.unseen))
    return service
