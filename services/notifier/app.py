"""The notifier's wiring: notices, mail delivery, the hall and its masking."""

from services.notifier import api, pages, review_api
from services.notifier.channels.email import MailDelivery
from services.notifier.channels.message import MailWriter
from services.notifier.domain.addresses import MailKeys
from services.notifier.hall_masking import HallMasking
from services.notifier.handlers import Notices, read
from services.notifier.mail import api as mail_api
from services.notifier.mail import pages as mail_pages
from services.notifier.store import NotifierStore
from shared.city import City
from shared.http.identity import operators_only
from shared.kafka import topics
from shared.masking.worker import MaskingWorker
from shared.runtime.settings import Settings, secret
from shared.service import reconciliation
from shared.service.city_feed import CityFeed
from shared.service.service import Service


def make(settings: Settings) -> Service:
    service = Service("notifier", settings)
    code_secret = secret(settings.secret_file, "CHORUS_SECRET_FILE")
    keys = MailKeys.of(code_secret)
    store = NotifierStore(service.database, keys)
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    service.before_reading(store.prepare)
    revisions = service.follows_city(city)
    service.reads(
        topics.RESIDENTS,
        topics.EVENTS,
        group="notifier",
        read=read,
        handle=Notices(store, city, revisions.health.behind).take,
    )
    service.takes_replays()
    service.publishes(topics.dead_letters("notifier"))
    masker = MaskingWorker()
    mails = MailDelivery(store, MailWriter(settings, code_secret, keys), city)
    for loop in (mails.deliver, mails.forget, HallMasking(store, city, masker).run, masker.tend):
        service.forever(loop)
    token = secret(settings.operator_token_file, "CHORUS_OPERATOR_TOKEN_FILE")
    service.app.include_router(api.routes(store, settings))
    service.app.include_router(reconciliation.routes(service, operators_only(token)))
    service.app.include_router(review_api.routes(store.versions, token))
    service.app.include_router(mail_api.routes(store.mails, token))
    service.app.include_router(mail_pages.routes(store.mails, store.addresses, service.site))
    service.app.include_router(pages.routes(store, city, settings, service.site))
    return service
