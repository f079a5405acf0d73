"""Intake's wiring: ledger and relay, tickets, routes and pages."""

from collections.abc import Callable

from fastapi import Request

from services.intake import api, file_routes, pages, report_pages, ticket_pages
from services.intake.additions import Additions
from services.intake.channels.webhooks import ChannelMessages, channel_routes
from services.intake.files import ResidentFiles, resident_files
from services.intake.handlers import TicketUpdates, read
from services.intake.links import Links
from services.intake.mail.api import mail_routes
from services.intake.mail.listener import MailListener
from services.intake.mail.mails import MailIntake
from services.intake.reports import Reports
from services.intake.store import IntakeStore
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from shared.channels.gateways import read_gateways
from shared.city import City
from shared.contracts.questions import InquiryAdded
from shared.contracts.resident_inputs import (
    HallReported,
    InquiryLinkRequested,
    InquiryRated,
    InquiryReceived,
    InquiryWithdrawn,
)
from shared.files.routes import content_routes
from shared.http.direct_routes import install_direct_routes
from shared.http.identity import WrongTokens, operator_or_anybody, operators_only
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
    files = resident_files(settings, service.database, ledger, code_secret)
    submissions = Submissions(ledger, city, settings, code_secret, files)
    tickets = Tickets(store, ledger, settings, code_secret, files)
    links = Links(store, ledger, settings)
    reports = Reports(store, ledger, settings)

    async def load_city() -> None:
        if (last := await store.last_city()) is not None:
            city.use(last)

    for prepare in (store.prepare, ledger.prepare, load_city):
        service.before_reading(prepare)
    service.follows_city(city)
    service.reads(
        topics.RESIDENTS, group="intake", read=read, handle=TicketUpdates(store, ledger, files).save, at_leisure=True
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
    if files is not None:
        add_files(service, files, tickets, operator_or_anybody(token, wrong_tokens))
    check = operators_only(token, wrong_tokens)
    service.app.include_router(reconciliation.routes(service, check, relay=relay, unseen=store.unseen))
    service.app.include_router(pages.routes(submissions, masker, service.site))
    service.app.include_router(ticket_pages.routes(submissions, tickets, links, service.site))
    messages = ChannelMessages(submissions, tickets, Additions(tickets), code_secret)
    service.app.include_router(channel_routes(messages, read_gateways(settings.channels_file)))
    _take_mails(service, store, submissions, tickets, code_secret)
    service.app.include_router(mail_routes(store.mails, check))
    service.app.include_router(report_pages.routes(reports, service.site))
    install_direct_routes(service.app)
    return service


def _take_mails(
    service: Service, store: IntakeStore, submissions: Submissions, tickets: Tickets, code_secret: bytes
) -> None:
    """Listen for mails, if the settings say where."""
    settings = service.settings
    if settings.mail_in_listen is None:
        return
    if settings.mail_in is None:
        raise ValueError("CHORUS_MAIL_IN_LISTEN is set, and CHORUS_MAIL_IN is not: set it to the mailbox of the city")
    mails = MailIntake(store.mails, submissions, tickets, settings, code_secret)
    service.forever(MailListener(mails, settings.mail_in_listen).run)
    service.forever(mails.forget_unassigned)


def add_files(service: Service, files: ResidentFiles, tickets: Tickets, is_operator: Callable[[Request], bool]) -> None:
    service.before_reading(files.references.prepare)
    for loop in (files.remove_unused, files.uploads.keep_scanned):
        service.forever(loop)
    service.app.include_router(file_routes.routes(files, tickets, is_operator))
    service.app.include_router(content_routes(files.store, files.links))
