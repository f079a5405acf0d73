"""The bodies of the notifier's answers."""

from typing import Self

from fastapi.responses import JSONResponse

from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.hall import HallEntry
from services.notifier.domain.notices import hidden, unaddressed
from shared.contracts.documented import Documented
from shared.runtime import timestamps
from shared.web.text import isolated_where_needed


class FeedAnswer(JSONResponse):
    """JSON with the media type of JSON Feed."""

    media_type = "application/feed+json"


class FeedItem(Documented):
    """An answered public inquiry."""

    id: str
    """The ticket number."""
    url: str
    """The address of the entry in the hall."""
    title: str
    """The subject line, with personal data masked; between U+2068 and U+2069 if it is written from right to left."""
    content_text: str
    """The message and the joint reply as plain text, with personal data masked."""
    date_published: str
    """When the answer was released (RFC 3339, UTC, milliseconds)."""
    language: str
    """The language of the inquiry, `zh` or `en`."""
    tags: list[str]
    """The codes of the departments that answered."""

    @classmethod
    def of(cls, entry: HallEntry, hall_url: str) -> Self:
        answer = "\n\n".join(f"【{one.name}】\n{one.text}" for one in entry.paragraphs)
        return cls(
            id=entry.inquiry_id,
            url=f"{hall_url}/hall/{entry.inquiry_id}",
            title=isolated_where_needed(entry.subject),
            content_text=f"{entry.body}\n\n{answer}",
            date_published=entry.answered_at,
            language=entry.language,
            tags=[one.department for one in entry.paragraphs],
        )


class Feed(Documented):
    """A page of the hall as JSON Feed 1.1."""

    version: str
    """The address of the feed format, JSON Feed 1.1."""
    title: str
    """The title of the feed."""
    home_page_url: str
    """The address of the hall."""
    feed_url: str
    """The address of this feed."""
    items: list[FeedItem]
    """Answered inquiries, the newest first, at most 50."""
    next_url: str = ""
    """The address of the next page; absent on the last page."""


class DeliveryShown(Documented):
    """The delivery of a mail, without its text and with hidden addresses."""

    kind: str
    """Who receives the notice: `resident` or `department`."""
    inquiry_id: str
    """The ticket number."""
    state: str
    """`waiting`, `retrying`, `sent`, `failed`, or `cancelled` when the inquiry was erased before."""
    attempts: int
    """How many times the notifier tried to send the mail."""
    event_id: str
    """The id of the message that caused the notice."""
    to: str | None
    """The address, hidden except for its first character and its domain; null after the inquiry is erased."""
    error: str | None
    """The last error of the mail server, addresses hidden; null when there was none."""
    noted_at: str | None
    """When the notice was stored (RFC 3339, UTC, milliseconds); null when not known."""
    due_at: str | None
    """When the notifier tries next (RFC 3339, UTC, milliseconds); null when the mail is sent, failed or cancelled."""
    sent_at: str | None
    """When the mail server accepted the mail (RFC 3339, UTC, milliseconds); null before."""

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
            to=hidden(delivery.to) if delivery.to else None,
            error=unaddressed(delivery.error or "") or None,
            noted_at=noted_at,
            due_at=due_at,
            sent_at=sent_at,
        )
