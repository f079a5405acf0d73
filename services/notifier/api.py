"""The notifier's routes: the hall as a page and as JSON Feed, and deliveries for operators."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from services.notifier.domain.notices import hidden, unaddressed
from services.notifier.pages import HallAfter
from services.notifier.responses import DeliveryShown, Feed, FeedAnswer
from services.notifier.store import NotifierStore
from shared.http.identity import BEARER, operators_only
from shared.http.parameters import InquiryIdFilter
from shared.http.problems import Problem, answered, documented, shown
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Document

PAGE = 50


def routes(store: NotifierStore, settings: Settings, token: bytes) -> APIRouter:
    """The feed for everyone, deliveries for operators."""
    api = APIRouter()

    @api.get(
        "/hall/feed.json",
        tags=["hall"],
        response_class=FeedAnswer,
        responses=answered(Feed),
        summary="Answered public inquiries as JSON Feed 1.1",
    )
    async def feed(after: HallAfter = None) -> FeedAnswer:
        entries = await store.hall_page(after, PAGE + 1)
        return FeedAnswer(feed_of(entries, settings), headers={"Cache-Control": "no-cache"})

    @api.get(
        "/deliveries",
        tags=["operators"],
        dependencies=[Depends(BEARER), Depends(operators_only(token))],
        summary="Notices and what became of them, newest first",
        response_model=list[DeliveryShown],
        responses=documented(401, 429),
    )
    async def deliveries(
        state: Annotated[str | None, Query(description="`waiting`, `retrying`, `sent` or `failed`.")] = None,
        inquiry_id: InquiryIdFilter = None,
        limit: Annotated[int, Query(ge=1, le=1_000, description="How many deliveries at most.")] = 100,
    ) -> list[dict[str, Any]]:
        if state not in (None, "waiting", "retrying", "sent", "failed"):
            raise Problem(422, f"{shown(state)} is no state of a delivery; write waiting, retrying, sent or failed.")
        query = {name: value for name, value in (("state", state), ("inquiry_id", inquiry_id)) if value}
        return [line(one) for one in await store.deliveries_page(query, limit)]

    return api


def line(delivery: Document) -> dict[str, Any]:
    """A delivery as operators see it: no words, addresses hidden."""
    shown_fields = ("kind", "inquiry_id", "state", "attempts")
    row = {name: delivery.get(name) for name in shown_fields} | {"event_id": delivery["_id"]}
    row |= {"to": hidden(delivery["to"]), "error": unaddressed(delivery.get("error") or "") or None}
    times = {name: delivery.get(name) for name in ("noted_at", "due_at", "sent_at")}
    return row | {name: timestamps.to_text(at) if at else None for name, at in times.items()}


def feed_of(entries: list[Document], settings: Settings) -> dict[str, Any]:
    """A page of the feed; `next_url` leads to the following one."""
    page = entries[:PAGE]
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Chorus 合唱 · 答复公开",
        "home_page_url": f"{settings.hall_url}/hall",
        "feed_url": f"{settings.hall_url}/hall/feed.json",
        "items": [item(one, settings) for one in page],
    }
    if len(entries) > PAGE:
        feed["next_url"] = f"{settings.hall_url}/hall/feed.json?after={page[-1]['_id']}"
    return feed


def item(entry: Document, settings: Settings) -> dict[str, Any]:
    """One answered inquiry as a feed item."""
    answer = "\n\n".join(f"【{one['name']}】\n{one['text']}" for one in entry["paragraphs"])
    return {
        "id": entry["_id"],
        "url": f"{settings.hall_url}/hall/{entry['_id']}",
        "title": entry["subject"],
        "content_text": f"{entry['body']}\n\n{answer}",
        "date_published": entry["answered_at"],
        "language": entry["language"],
        "tags": [one["department"] for one in entry["paragraphs"]],
    }
