"""The notifier's JSON routes: the hall as a JSON Feed, and deliveries for operators."""

from collections.abc import Sequence
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Query

from services.notifier.domain.deliveries import State
from services.notifier.domain.hall import HallEntry
from services.notifier.parameters import HallAfter, existing_place
from services.notifier.responses import DeliveryShown, Feed, FeedAnswer, FeedItem
from services.notifier.store import NotifierStore
from shared.http.identity import BEARER, operators_only
from shared.http.parameters import InquiryIdFilter
from shared.http.problems import Problem, answered, documented, shown
from shared.http.query_fields import KNOWN_FIELDS_ONLY
from shared.runtime.languages import LANGUAGES
from shared.runtime.settings import Settings
from shared.runtime.translations import translations

PAGE = 50
STATES: dict[str, State] = {state: state for state in get_args(State)}


def routes(store: NotifierStore, settings: Settings, token: bytes) -> APIRouter:
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

    @api.get(
        "/deliveries",
        tags=["operators"],
        dependencies=[Depends(BEARER), Depends(operators_only(token)), KNOWN_FIELDS_ONLY],
        summary="Deliveries of mails with their state, newest first",
        responses=documented(401, 429),
    )
    async def deliveries(
        state: Annotated[
            str | None, Query(description="`waiting`, `retrying`, `sent`, `failed` or `cancelled`.")
        ] = None,
        inquiry_id: InquiryIdFilter = None,
        limit: Annotated[int, Query(ge=1, le=1_000, description="How many deliveries at most.")] = 100,
    ) -> list[DeliveryShown]:
        if state is not None and state not in STATES:
            raise Problem(422, f"{shown(state)} is not a state of a delivery; write one of {', '.join(STATES)}.")
        found = await store.deliveries_page(STATES[state] if state else None, inquiry_id, limit)
        return [DeliveryShown.of(one) for one in found]

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
