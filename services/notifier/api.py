"""The notifier's JSON routes: the hall as a JSON Feed. `mail/api.py` has those about mails."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.notifier.domain.hall import HallEntry
from services.notifier.parameters import HallAfter, existing_place
from services.notifier.responses import Feed, FeedAnswer, FeedItem
from services.notifier.store import NotifierStore
from shared.http.problems import answered, documented
from shared.http.query_fields import KNOWN_FIELDS_ONLY
from shared.runtime.languages import LANGUAGES
from shared.runtime.settings import Settings
from shared.runtime.translations import translations

PAGE = 50


def routes(store: NotifierStore, settings: Settings) -> APIRouter:
    api = APIRouter()

    @api.get(
        "/hall/feed.json",
        tags=["hall"],
        response_class=FeedAnswer,
        dependencies=[KNOWN_FIELDS_ONLY],
        responses={**answered(Feed), **documented(404)},
        summary="Answered public inquiries as JSON Feed 1.1",
    )
    async def feed(after: HallAfter = None) -> FeedAnswer:
        await existing_place(store, after)
        entries = await store.hall_page(after, PAGE + 1)
        content = feed_of(entries, settings).model_dump(exclude_unset=True)
        return FeedAnswer(content, headers={"Cache-Control": "no-cache"})

    return api


def feed_of(entries: Sequence[HallEntry], settings: Settings) -> Feed:
    """A page of the feed. `next_url` is set when `entries` has more than PAGE entries."""
    page = entries[:PAGE]
    feed = Feed(
        version="https://jsonfeed.org/version/1.1",
        title=" / ".join(translations(one).gettext("Chorus: public replies") for one in LANGUAGES),
        home_page_url=f"{settings.hall_url}/hall",
        feed_url=f"{settings.hall_url}/hall/feed.json",
        items=[FeedItem.of(one, settings.hall_url) for one in page],
    )
    if len(entries) > PAGE:
        feed.next_url = f"{settings.hall_url}/hall/feed.json?after={page[-1].inquiry_id}"
    return feed
