"""The bodies of the notifier's answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from fastapi.responses import JSONResponse

from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.hall import HallEntry
from services.notifier.domain.notices import hidden, unaddressed
from services.notifier.hall_versions import Reviewed
from shared.contracts.documented import Documented
from shared.contracts.resident_messages import Paragraph
from shared.masking.masking import MARK
from shared.runtime import timestamps
from shared.runtime.translations import gettext_noop, translations
from shared.web.text import isolated_where_needed


class FeedAnswer(JSONResponse):
    """JSON with the media type of JSON Feed."""

    media_type = "application/feed+json"


CHANGES = {
    "corrected": gettext_noop("Corrected, %(department)s. Before:"),
    "retracted": gettext_noop("Withdrawn, %(department)s. The reason:"),
}
"""The heading of a change below the reply in the feed."""


class FeedItem(Documented):
    """An answered public inquiry."""

    id: str
    """The ticket number."""
    url: str
    """The address of the entry in the hall."""
    title: str
    """The subject line, with personal data masked; between U+2068 and U+2069 if it is written from right to left."""
    content_text: str
    """The message, the joint reply and its addenda as plain text, with personal data masked."""
    date_published: str
    """When the answer was released (RFC 3339, UTC, milliseconds)."""
    date_modified: str = ""
    """When the answer was last corrected or retracted (RFC 3339, UTC, milliseconds); absent if it never was."""
    language: str
    """The language of the inquiry, `zh` or `en`."""
    tags: list[str]
    """The codes of the departments that answered."""

    @classmethod
    def of(cls, entry: HallEntry, hall_url: str) -> Self:
        texts = translations("en" if entry.language == "en" else "zh")
        retracted = texts.gettext("(no longer holds)")
        replies = (text for one in entry.replies for text in one.texts(retracted))
        changes = (
            f"{texts.gettext(CHANGES[one.what]) % {'department': one.name}}\n{one.text}" for one in entry.changes
        )
        answer = "\n\n".join((*replies, *changes))
        more = {} if entry.changed_at is None else {"date_modified": entry.changed_at}
        return cls(
            id=entry.inquiry_id,
            url=f"{hall_url}/hall/{entry.inquiry_id}",
            title=isolated_where_needed(entry.subject),
            content_text=f"{entry.body}\n\n{answer}",
            date_published=entry.answered_at,
            language=entry.language,
            tags=[one.department for one in entry.all_paragraphs],
            **more,
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


class ParagraphReviewed(Documented):
    """One department's paragraph of a masked version."""

    department: str
    """The department's code."""
    name: str
    """The department's name, in the language of the inquiry."""
    text: str
    """The text, with personal data masked."""
    retracted: bool
    """Whether the text no longer holds."""


class AddendumReviewed(Documented):
    """An addendum to the reply in a masked version."""

    at: str
    """When it was released (RFC 3339, UTC, milliseconds)."""
    opening: str | None
    """The text before the first paragraph; null when there is none."""
    paragraphs: list[ParagraphReviewed]
    """Its paragraphs."""
    closing: str | None
    """The text after the last paragraph; null when there is none."""


class ChangeReviewed(Documented):
    """A correction or a retraction in a masked version."""

    what: str
    """`corrected` or `retracted`."""
    at: str
    """When it was recorded (RFC 3339, UTC, milliseconds)."""
    department: str
    """The code of the department whose paragraph changed."""
    text: str
    """The former text, or the reason of the retraction, with personal data masked."""


class EntryReviewed(Documented):
    """The newest masked version of an inquiry and its reply. `＊＊＊` marks what was found and hidden."""

    inquiry_id: str
    """The ticket number."""
    state: str
    """`waiting` for a decision, `published` or `hidden`."""
    sha256: str
    """The hash of this version; `publish`, `redact` and `hide` name it."""
    shown_sha256: str | None
    """The hash of the version that the hall shows; null when it shows none."""
    round: int
    """The round of the reply."""
    answered_at: str
    """When the reply was released, or this change of it (RFC 3339, UTC, milliseconds)."""
    language: str
    """The language of the inquiry, `zh` or `en`."""
    subject: str
    """The subject line."""
    body: str
    """The resident's message."""
    opening: str | None
    """The text before the first paragraph; null when there is none."""
    paragraphs: list[ParagraphReviewed]
    """The paragraphs of the reply."""
    closing: str | None
    """The text after the last paragraph; null when there is none."""
    addenda: list[AddendumReviewed]
    """The addenda to the reply, oldest first."""
    changes: list[ChangeReviewed]
    """The corrections and retractions, oldest first."""
    found: dict[str, int]
    """How many places are hidden in each text that has any: `subject`, `body`, `reply`."""
    redactions: int
    """How often a reviewer hid more words in it."""

    @classmethod
    def of(cls, one: Reviewed) -> Self:
        entry = one.newest.entry
        reply = [*(part.text for part in entry.all_paragraphs), *(it.text for it in entry.changes)]
        reply += [text or "" for it in entry.answers for text in (it.opening, it.closing)]
        texts = {"subject": entry.subject, "body": entry.body, "reply": "\n".join(reply)}
        return cls(
            inquiry_id=entry.inquiry_id,
            state=one.state,
            sha256=one.newest.sha256,
            shown_sha256=one.shown,
            round=entry.round,
            answered_at=entry.answered_at,
            language=entry.language,
            subject=entry.subject,
            body=entry.body,
            opening=entry.opening,
            paragraphs=_paragraphs(entry.paragraphs),
            closing=entry.closing,
            addenda=[
                AddendumReviewed(
                    at=timestamps.to_text(it.at),
                    opening=it.opening,
                    paragraphs=_paragraphs(it.paragraphs),
                    closing=it.closing,
                )
                for it in entry.addenda
            ],
            changes=[
                ChangeReviewed(what=it.what, at=timestamps.to_text(it.at), department=it.department, text=it.text)
                for it in entry.changes
            ],
            found={name: count for name, text in texts.items() if (count := text.count(MARK))},
            redactions=entry.redactions,
        )


def _paragraphs(paragraphs: Iterable[Paragraph]) -> list[ParagraphReviewed]:
    return [
        ParagraphReviewed(department=it.department, name=it.name, text=it.text, retracted=it.retracted)
        for it in paragraphs
    ]


class EntryList(Documented):
    """A page of the inquiries that the hall may show."""

    entries: list[EntryReviewed]
    """The inquiries, in the order of their ticket numbers."""
    next: str | None
    """The place to continue with `?after=`; null on the last page."""


class MailShown(Documented):
    """A mail, without its text and with a hidden address. Several may have gone out together as one digest."""

    id: str
    """The id of the event that caused the mail, as in its header X-Chorus-Event."""
    kind: str
    """Who receives the mail: `resident` or `department`."""
    inquiry_id: str
    """The ticket number."""
    what: str
    """The news: `registered`, `assigned`, `replied`, `answered`, `supplemented`, `link`, `reopened`, `rating-reminder`,
    `closed`, or `part` for a department's new part."""
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
