"""How the notifier answers: the forms that OpenAPI promises."""

from typing import Self

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.hall import HallEntry
from services.notifier.domain.notices import hidden, unaddressed
from shared.runtime import timestamps


class FeedAnswer(JSONResponse):
    """JSON under the name of JSON Feed."""

    media_type = "application/feed+json"


class FeedItem(BaseModel):
    """One answered inquiry."""

    id: str
    url: str
    title: str
    content_text: str
    date_published: str
    language: str
    tags: list[str]

    @classmethod
    def of(cls, entry: HallEntry, hall_url: str) -> Self:
        answer = "\n\n".join(f"【{one.name}】\n{one.text}" for one in entry.paragraphs)
        return cls(
            id=entry.inquiry_id,
            url=f"{hall_url}/hall/{entry.inquiry_id}",
            title=entry.subject,
            content_text=f"{entry.body}\n\n{answer}",
            date_published=entry.answered_at,
            language=entry.language,
            tags=[one.department for one in entry.paragraphs],
        )


class Feed(BaseModel):
    """JSON Feed 1.1; `next_url` leads to the following page and is absent on the last."""

    version: str
    title: str
    home_page_url: str
    feed_url: str
    items: list[FeedItem]
    next_url: str = ""


class DeliveryShown(BaseModel):
    """A notice as operators see it: no words, addresses hidden."""

    kind: str
    inquiry_id: str
    state: str
    attempts: int
    event_id: str
    to: str
    error: str | None
    noted_at: str | None
    due_at: str | None
    sent_at: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        noted_at, due_at, sent_at = (
            timestamps.to_text(at) if at else None for at in (delivery.noted_at, delivery.due_at, delivery.sent_at)
        )
        return cls(
            kind=delivery.kind,
            inquiry_id=delivery.inquiry_id,
            state=delivery.state,
            attempts=delivery.attempts,
            event_id=delivery.id,
            to=hidden(delivery.to),
            error=unaddressed(delivery.error or "") or None,
            noted_at=noted_at,
            due_at=due_at,
            sent_at=sent_at,
        )
