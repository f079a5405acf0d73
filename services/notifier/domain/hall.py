"""The hall's entry for an answer, before and after personal data is masked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.contracts.fields import Contact
from shared.contracts.resident_messages import Paragraph, ReplyChange, ResidentTold
from shared.masking.case import CaseTexts, Masked

SUMMARY = 120
RELEASED = ("answered", "corrected", "retracted")
"""The messages with a text that the hall may show."""


@dataclass(frozen=True, slots=True)
class HallReply:
    """The reply of one round; `answered_at` is RFC 3339 UTC."""

    round: int
    answered_at: str
    paragraphs: tuple[Paragraph, ...]
    opening: str | None = None
    closing: str | None = None

    def texts(self, retracted: str) -> list[str]:
        """Opening, paragraphs under the names of their departments, and closing; `retracted` marks what no longer holds."""
        paragraphs = (
            f"【{one.name}】{f' {retracted}' if one.retracted else ''}\n{one.text}" for one in self.paragraphs
        )
        return [one for one in (self.opening, *paragraphs, self.closing) if one]


@dataclass(frozen=True, slots=True)
class HallEntry:
    """An answered public inquiry. `n` is the number of the decision that made this version, `answered_at` RFC 3339 UTC.

    `changes` are corrections and retractions since the release, `redactions` counts how often a reviewer hid more words.
    `changed_at` is set when the version is newer than the answer. `is_outdated`: the reply was changed after this version.
    """

    inquiry_id: str
    n: int
    round: int
    answered_at: str
    language: str
    subject: str
    body: str
    paragraphs: tuple[Paragraph, ...]
    opening: str | None = None
    closing: str | None = None
    changes: tuple[ReplyChange, ...] = ()
    redactions: int = 0
    changed_at: str | None = None
    is_outdated: bool = False
    earlier: tuple[HallReply, ...] = ()
    """The replies of earlier rounds that the hall shows, in order."""

    @property
    def own_reply(self) -> HallReply:
        return HallReply(self.round, self.answered_at, self.paragraphs, self.opening, self.closing)

    @property
    def replies(self) -> tuple[HallReply, ...]:
        """The replies of all rounds, in order."""
        return (*self.earlier, self.own_reply)

    @property
    def summary(self) -> str:
        return self.body if len(self.body) <= SUMMARY else self.body[:SUMMARY] + "…"

    @property
    def departments(self) -> list[str]:
        """The names of the departments that answered."""
        return [one.name for one in self.paragraphs]


@dataclass(frozen=True, slots=True)
class UnmaskedEntry:
    """An entry before masking, with the contact of its resident.

    `attempts` counts the failed attempts to mask it; `claim` is the token of the process that masks it now.
    """

    entry: HallEntry
    contact: Contact | None
    attempts: int = 0
    claim: str | None = None


def unmasked_entry(told: ResidentTold, n: int, at: str) -> UnmaskedEntry | None:
    """The entry for an answer, or a change of it; None for another message, or when the inquiry is not public."""
    if not told.public or told.what not in RELEASED or told.case.reply is None:
        return None
    entry = HallEntry(
        inquiry_id=told.inquiry_id,
        n=n,
        round=told.case.round,
        answered_at=at,
        language=told.case.language,
        subject=told.case.subject,
        body=told.case.body or "",
        paragraphs=told.case.reply.paragraphs,
        opening=told.case.reply.opening,
        closing=told.case.reply.closing,
        changes=told.case.reply.changes,
        changed_at=None if told.what == "answered" else at,
    )
    return UnmaskedEntry(entry, told.contact)


def case_of(unmasked: UnmaskedEntry, published: Sequence[str]) -> CaseTexts:
    """The texts to mask, and what is known about the resident; `published` are the departments' own contacts."""
    entry, contact = unmasked.entry, unmasked.contact or Contact()
    return CaseTexts(
        written=(entry.subject, entry.body),
        answers=(*(one.text for one in entry.paragraphs), *(one.text for one in entry.changes), *_frame(entry)),
        names=(contact.name,) if contact.name else (),
        reached_at=tuple(one for one in (contact.phone, contact.email) if one),
        published=tuple(published),
    )


def _frame(entry: HallEntry) -> list[str]:
    """The opening and the closing, as far as the reply has them."""
    return [one for one in (entry.opening, entry.closing) if one]


def shown_entry(entry: HallEntry, masked: Masked) -> HallEntry:
    """The entry with its masked texts."""
    subject, body = masked.written
    count = len(entry.paragraphs)
    before_frame = count + len(entry.changes)
    paragraphs = zip(entry.paragraphs, masked.answers[:count], strict=True)
    changes = zip(entry.changes, masked.answers[count:before_frame], strict=True)
    frame = dict(zip(_frame(entry), masked.answers[before_frame:], strict=True))
    return replace(
        entry,
        subject=subject,
        body=body,
        paragraphs=tuple(one.model_copy(update={"text": text}) for one, text in paragraphs),
        changes=tuple(one.model_copy(update={"text": text}) for one, text in changes),
        opening=frame[entry.opening] if entry.opening else None,
        closing=frame[entry.closing] if entry.closing else None,
    )
