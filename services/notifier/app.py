"""The notifier's wiring: notices, mail delivery, the hall and its masking."""

from services.notifier import api, pages
from services.notifier.channels.email import MailDelivery
from services.notifier.hall_masking import HallMasking
from services.notifier.handlers import Notices, read
from services.notifier.store import NotifierStore
from shared.city import City
from shared.kafka import topics
from shared.masking.worker import MaskingWorker
from shared.runtime.settings import Settings, secret
from shared.service.city_feed import CityFeed
from shared.service.service import Service


def make(settings: Settings) -> Service:
    service = Service("notifier", settings)
    store = NotifierStore(service.database)
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    service.before_reading(store.prepare)
    revisions = service.follows_city(city)
    service.reads(
        topics.RESIDENTS,
        topics.EVENTS,
        group="notifier",
        read=read,
        handle=Notices(store, city, revisions.health.behind, settings).take,
    )
    service.takes_replays()
    service.publishes(topics.dead_letters("notifier"))
    masker = MaskingWorker()
    for loop in (MailDelivery(store, settings).deliver, HallMasking(store, city, masker).run, masker.tend):
        service.forever(loop)
    token = secret(settings.operator_token_file, "CHORUS_OPERATOR_TOKEN_FILE")
    service.app.include_router(api.routes(store, settings, token))
    service.app.include_router(pages.routes(store, city, settings, service.site))
    return service
