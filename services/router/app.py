"""The router's wiring: gate, core, desk and dead letters around one store."""

from datetime import timedelta
from functools import partial

from services.router.core.handlers import INPUTS_PER_BATCH, Core
from services.router.core.input_decoder import read_input
from services.router.core.message_cleanup import MessageCleanup
from services.router.dead_letters import api as dead_letters_api
from services.router.dead_letters.index import DeadLetterIndex
from services.router.dead_letters.replay import DeadLetterReplay
from services.router.desk import api as desk_api
from services.router.desk import file_routes
from services.router.desk.calendar_days import CalendarDays
from services.router.desk.case_list import CaseList, read_row
from services.router.desk.cases import CaseQueries
from services.router.desk.city_revisions import CityDesk
from services.router.desk.commands import Commands
from services.router.desk.entry_api import entry_routes
from services.router.desk.intake_client import IntakeClient
from services.router.desk.retirement import Retirement
from services.router.desk.search_filling import SearchFilling
from services.router.domain.city_index import CityIndex, city_index
from services.router.erasure import CaseEvents
from services.router.files.case_files import CaseFiles, case_files
from services.router.gate.handlers import Gate
from services.router.gate.outbox_decoder import read_outbox
from services.router.stores.progress import CoreProgress
from services.router.stores.store import RouterStore
from services.router.timers.loop import Timers
from services.router.timers.overdue import OverdueTimers
from services.router.timers.sweep import TimerSweep
from services.router.users import api as users_api
from services.router.users.accounts import StaffAccounts
from services.router.users.audit import UserAudit
from services.router.users.guard import StaffGuard
from services.router.users.store import Users
from shared.contracts.sources import SERVICES
from shared.files.routes import content_routes
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.unread_records import unread_topics
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime.settings import Settings, secret
from shared.service import reconciliation
from shared.service.city_feed import CityFeed
from shared.service.service import Service

GATE_GROUP = "router-gate"
PUBLISHED_TOPICS = (
    topics.CITY,
    topics.INPUTS,
    topics.inbox("{code}"),
    topics.RESIDENTS,
    topics.EVENTS,
    topics.dead_letters("router"),
    *map(topics.replays, SERVICES),
)


class Components:
    """The objects that make up the router."""

    def __init__(self, service: Service) -> None:
        settings, database = service.settings, service.database
        self.store = RouterStore(database)
        self.city: CityFeed[CityIndex] = CityFeed(
            lambda revision: city_index(revision, settings.zone(revision.time_zone))
        )
        self.ledger = Ledger(service.database, "commands")
        self.relay = Relay(self.ledger, service.publisher)
        token = self.intake_token = secret(settings.operator_token_file, "CHORUS_OPERATOR_TOKEN_FILE")
        self.files = case_files(settings, database, token)
        self.gate = Gate(self.store, self.city, self.files)
        self.core = Core(self.store, self.city)
        unread = partial(unread_topics, Connection.of(settings), GATE_GROUP)
        self.timers = Timers(self.store, self.city, service.publisher, unread, unpublished=self.ledger.waiting)
        self.timer_sweep = TimerSweep(self.store, self.city)
        self.overdue_timers = OverdueTimers(self.store.timers)
        self.progress = CoreProgress(database, self.store.decisions)
        self.cleanup = MessageCleanup(self.progress, self.store, timedelta(hours=settings.messages_kept_hours))
        self.search_filling = SearchFilling(self.store)
        self.commands = Commands(self.store, self.ledger, self.files)
        self.city_desk = CityDesk(self.store, service.publisher, self.city, settings)
        self.calendar_days = CalendarDays(self.city_desk, self.city)
        self.retirement = Retirement(self.city_desk, self.commands, self.store, self.city)
        self.letters = DeadLetterIndex(database, Connection.of(settings))
        self.case_list = CaseList(self.store)
        self.case_events = CaseEvents(self.case_list, self.ledger, self.letters, self.files)
        self.replay = DeadLetterReplay(self.letters, self.store, service.publisher, self.commands)
        self.accounts = StaffAccounts(Users(database), UserAudit(database), self.store.revisions, token)


def make(settings: Settings) -> Service:
    service = Service("router", settings)
    router = Components(service)
    for one in (router.store, router.progress, router.ledger, router.letters, router.accounts):
        service.before_reading(one.prepare)
    _subscribe(service, router)
    for topic in PUBLISHED_TOPICS:
        service.publishes(topic)
    for loop in (
        router.ledger.write_groups,
        router.relay.publish_fresh,
        router.relay.run,
        router.city_desk.keep_published,
        router.calendar_days.keep_up_to_date,
        router.calendar_days.measure,
        router.retirement.keep_parts_recalled,
        router.case_list.measure,
        router.search_filling.run,
        router.search_filling.sweep,
        router.cleanup.run,
        router.timers.run,
        router.timer_sweep.run,
        router.overdue_timers.measure,
    ):
        service.forever(loop)
    service.ready_when(router.city.known)
    service.remarks_on(router.overdue_timers.remark)
    _add_routes(service, router)
    return service


def _subscribe(service: Service, router: Components) -> None:
    service.follows_city(router.city)
    service.reads(
        topics.INPUTS,
        group="router-core",
        read=read_input,
        handle=router.core.decide_inputs,
        parking=router.core,
        progress=router.progress,
        published=router.core.unpark_replayed,
        most=INPUTS_PER_BATCH,
    )
    service.reads(
        group=GATE_GROUP,
        pattern=topics.OUTBOXES,
        read=read_outbox,
        handle=router.gate.let_in,
        answers_unreadable=True,
    )
    service.reads(
        topics.EVENTS,
        group="router-cases",
        read=read_row,
        handle=router.case_events.follow,
        at_leisure=True,
    )
    service.takes_replays()


def _add_routes(service: Service, router: Components) -> None:
    guard = StaffGuard(router.accounts.find)
    for routes in (
        desk_api.routes(
            CaseQueries(router.store, service.settings, router.files),
            router.commands,
            router.city_desk,
            router.retirement,
            guard,
        ),
        reconciliation.routes(service, guard.check, relay=router.relay),
        entry_routes(IntakeClient(service.settings.intake_url, router.intake_token), guard),
        dead_letters_api.routes(router.replay, guard),
        users_api.routes(router.accounts, guard),
    ):
        service.app.include_router(routes)
    if router.files is not None:
        _add_files(service, router, router.files, guard)


def _add_files(service: Service, router: Components, files: CaseFiles, guard: StaffGuard) -> None:
    service.before_reading(files.references.prepare)
    service.forever(files.uploads.keep_scanned)
    service.forever(files.remove_unused)
    service.app.include_router(file_routes.routes(files, CaseQueries(router.store, service.settings, files), guard))
    service.app.include_router(content_routes(files.store, files.links))
