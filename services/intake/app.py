"""Intake's wiring: ledger and relay, tickets, routes and pages."""

from services.intake import api, pages, report_pages, ticket_pages
from services.intake.handlers import TicketUpdates, read
from services.intake.links import Links
from services.intake.reports import Reports
from services.intake.store import IntakeStore
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from shared.city import City
from shared.contracts.questions import InquiryAdded
from shared.contracts.resident_inputs import (
    HallReported,
    InquiryLinkRequested,
    InquiryRated,
    InquiryReceived,
    InquiryWithdrawn,
)
from shared.http.direct_routes import install_direct_routes
from shared.http.identity import WrongTokens, operators_only
from shared.kafka import topics
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.masking.worker import MaskingWorker
from shared.runtime.settings import Settings, secret
from shared.service import reconciliation
from shared.service.city_feed import CityFeed
from shared.service.service import Service

PREVIEW_S = 20.0


def make(settings: Settings) -> Service:
    service = Service("intake", settings, works_without_kafka=True)
    store = IntakeStore(service.database)
    ledger = Ledger(service.database, "ledger")
    relay = Relay(ledger, service.publisher)
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    city.on_change = store.save_city
    code_secret = secret(settings.secret_file, "CHORUS_SECRET_FILE")
    submissions = Submissions(ledger, city, settings, code_secret)
    tickets = Tickets(store, ledger, settings, code_secret)
    links = Links(store, ledger, settings)
    reports = Reports(store, ledger, settings)

    async def load_city() -> None:
        if (last := await store.last_city()) is not None:
            city.use(last)

    for prepare in (store.prepare, ledger.prepare, load_city):
        service.before_reading(prepare)
    service.follows_city(city)
    service.reads(
        topics.RESIDENTS, group="intake", read=read, handle=TicketUpdates(store, ledger).save, at_leisure=True
    )
    service.takes_replays()
    service.publishes(
        topics.INPUTS,
        InquiryReceived,
        InquiryRated,
        InquiryLinkRequested,
        InquiryAdded,
        InquiryWithdrawn,
        HallReported,
    )
    service.publishes(topics.dead_letters("intake"))
    masker = MaskingWorker(answer_s=PREVIEW_S)
    for loop in (ledger.write_groups, relay.publish_fresh, relay.run, masker.tend):
        service.forever(loop)
    token = secret(settings.operator_token_file, "CHORUS_OPERATOR_TOKEN_FILE")
    wrong_tokens = WrongTokens()
    service.app.include_router(api.routes(submissions, tickets, links, reports, token, wrong_tokens))
    check = operators_only(token, wrong_tokens)
    service.app.include_router(reconciliation.routes(service, check, relay=relay, unseen=store.unseen))
    service.app.include_router(pages.routes(submissions, masker, service.site))
    service.app.include_router(ticket_pages.routes(submissions, tickets, links, service.site))
    service.app.include_router(report_pages.routes(reports, service.site))
    install_direct_routes(service.app)
    return service
