"""How the notifier answers: the forms that OpenAPI promises."""

from fastapi.responses import JSONResponse
from pydantic import BaseModel


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
