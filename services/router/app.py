"""The router's wiring: gate, core, view and desk around one store."""

from datetime import timedelta

from services.router.core.handlers import MOST_INPUTS, Core
from services.router.core.input_decoder import read_input
from services.router.core.message_cleanup import MessageCleanup
from services.router.dead_letters.api import routes as dead_letter_routes
from services.router.dead_letters.index import DeadLetterIndex
from services.router.dead_letters.replay import DeadLetterReplay
from services.router.desk import api
from services.router.desk.case_list import CaseList, read_row
from services.router.desk.cases import CaseQueries
from services.router.desk.city_revisions import CityDesk
from services.router.desk.commands import Commands
from services.router.desk.retirement import Retirement
from services.router.domain.city_index import CityIndex, city_index
from services.router.gate.handlers import Gate
from services.router.gate.outbox_decoder import read_outbox
from services.router.stores.progress import CoreProgress
from services.router.stores.store import RouterStore
from shared.contracts.sources import SERVICES
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime.settings import Settings, secret
from shared.service import reconciliation
from shared.service.city_feed import CityFeed, read_city
from shared.service.service import Service


def make(settings: Settings) -> Service:
    """The router, ready to run."""
    service = Service("router", settings)
    store = RouterStore(service.database)
    city: CityFeed[CityIndex] = CityFeed(lambda revision: city_index(revision, settings.zone(revision.time_zone)))
    ledger = Ledger(service.database, "commands")
    relay = Relay(ledger, service.publisher)
    commands = Commands(store, ledger)
    core = Core(store, city)
    progress = CoreProgress(service.database, store.decisions)
    cleanup = MessageCleanup(progress, store, timedelta(hours=settings.messages_kept_hours))
    view = CaseList(store)
    gate = Gate(store, city)
    city_desk = CityDesk(store, service.publisher, city, settings)
    retirement = Retirement(city_desk, commands, store, city)
    letters = DeadLetterIndex(service.database, Connection.of(settings))

    service.before_reading(store.prepare)
    service.before_reading(progress.prepare)
    service.before_reading(ledger.prepare)
    service.before_reading(letters.prepare)
    service.reads(topics.CITY, group=None, read=read_city, handle=city.follow, answers_unreadable=True)
    service.reads(
        topics.INPUTS,
        group="router-core",
        read=read_input,
        handle=core.decide_inputs,
        parking=core,
        progress=progress,
        published=core.unpark_replayed,
        most=MOST_INPUTS,
    )
    service.reads(
        group="router-gate",
        pattern=topics.OUTBOXES,
        read=read_outbox,
        handle=gate.let_in,
        answers_unreadable=True,
    )
    service.reads(
        topics.EVENTS,
        group="router-cases",
        read=read_row,
        handle=view.follow,
        at_leisure=True,
    )
    service.takes_replays()
    for topic in (
        topics.CITY,
        topics.INPUTS,
        topics.inbox("{code}"),
        topics.RESIDENTS,
        topics.EVENTS,
        topics.dead_letters("router"),
        *map(topics.replays, SERVICES),
    ):
        service.publishes(topic)
    for loop in (
        ledger.write_groups,
        relay.publish_fresh,
        relay.run,
        city_desk.keep_published,
        retirement.keep_parts_recalled,
        view.measure,
        cleanup.run,
    ):
        service.forever(loop)
    service.ready_when(city.known)
    token = secret(settings.operator_token_file, "CHORUS_OPERATOR_TOKEN_FILE")
    service.app.include_router(api.routes(CaseQueries(store), commands, city_desk, retirement, token))
    service.app.include_router(reconciliation.routes(service, token, relay=relay))
    service.app.include_router(dead_letter_routes(DeadLetterReplay(letters, store, service.publisher, commands), token))
    return service
