"""The bodies of the notifier's answers."""

from datetime import datetime
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
        answer = "\n\n".join(text for one in entry.replies for text in one.texts)
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


class MailShown(Documented):
    """A mail, without its text and with a hidden address. Several may have gone out together as one digest."""

    id: str
    """The id of the event that caused the mail, as in its header X-Chorus-Event."""
    kind: str
    """Who receives the mail: `resident` or `department`."""
    inquiry_id: str
    """The ticket number."""
    what: str
    """The news: `registered`, `assigned`, `replied`, `answered`, `link`, `reopened`, `rating-reminder`, `closed`, or
    `part` for a department's new part."""
    state: str
    """`waiting`, `retrying`, `sent`, `failed`, `stopped` by its recipient, or `cancelled` because the inquiry is erased."""
    attempts: int
    """How many times the notifier tried to send the mail."""
    to: str | None
    """The address, hidden except for its first character and its domain; null after the inquiry is erased."""
    error: str | None
    """The last error, addresses hidden; null when there was none."""
    noted_at: str
    """When the notifier learnt the news (RFC 3339, UTC, milliseconds)."""
    due_at: str | None
    """When the notifier tries next (RFC 3339, UTC, milliseconds); null unless the mail is waiting or retrying."""
    sent_at: str | None
    """When the mail server accepted the mail (RFC 3339, UTC, milliseconds); null before."""
    sent_in: str | None
    """The id of the mail that contained this news: its own, or that of the last news of a digest; null before."""
    retry_until: str | None
    """Until when a failed mail can be sent again (RFC 3339, UTC, milliseconds); null when it cannot."""

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        notice = delivery.notice
        return cls(
            id=notice.id,
            kind=notice.kind,
            inquiry_id=notice.inquiry_id,
            what=notice.what,
            state=delivery.state,
            attempts=delivery.attempts,
            to=hidden(notice.to) if notice.to else None,
            error=unaddressed(delivery.error or "") or None,
            noted_at=timestamps.to_text(delivery.noted_at),
            due_at=_text(delivery.due_at),
            sent_at=_text(delivery.sent_at),
            sent_in=delivery.mail,
            retry_until=_text(delivery.words_until),
        )


class MailCounts(Documented):
    """How many mails are not sent."""

    unsent: int
    """Mails that wait or are tried again."""
    failed: int
    """Mails that the mail server refused for good."""


class MailList(Documented):
    """A page of mails."""

    mails: list[MailShown]
    """The mails, the newest first."""
    next: str | None
    """The place to continue with `?after=`; null on the last page."""


def _text(at: datetime | None) -> str | None:
    return timestamps.to_text(at) if at else None
