"""The hall's entry for an answer, before and after personal data is masked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.contracts.fields import Contact
from shared.contracts.resident_messages import Paragraph, ReplyAddendum, ReplyChange, ResidentTold
from shared.masking.case import CaseTexts, Masked
from shared.runtime import timestamps

SUMMARY = 120
RELEASED = ("answered", "supplemented", "corrected", "retracted")
"""The messages with a text that the hall may show."""


@dataclass(frozen=True, slots=True)
class HallReply:
    """The reply of one round; `answered_at` is RFC 3339 UTC."""

    round: int
    answered_at: str
    paragraphs: tuple[Paragraph, ...]
    opening: str | None = None
    closing: str | None = None
    addenda: tuple[ReplyAddendum, ...] = ()

    def texts(self, retracted: str) -> list[str]:
        """Of the reply and then of each addendum: opening, paragraphs under the names of their departments, and closing.

        `retracted` marks what no longer holds.
        """
        return [
            *_named_texts(self, retracted),
            *(text for one in self.addenda for text in _named_texts(one, retracted)),
        ]


def _named_texts(answer: HallReply | ReplyAddendum, retracted: str) -> Iterator[str]:
    paragraphs = (f"【{one.name}】{f' {retracted}' if one.retracted else ''}\n{one.text}" for one in answer.paragraphs)
    yield from (one for one in (answer.opening, *paragraphs, answer.closing) if one)


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
    addenda: tuple[ReplyAddendum, ...] = ()
    changes: tuple[ReplyChange, ...] = ()
    redactions: int = 0
    changed_at: str | None = None
    is_outdated: bool = False
    earlier: tuple[HallReply, ...] = ()
    """The replies of earlier rounds that the hall shows, in order."""

    @property
    def own_reply(self) -> HallReply:
        return HallReply(self.round, self.answered_at, self.paragraphs, self.opening, self.closing, self.addenda)

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
        return [one.name for one in self.all_paragraphs]

    @property
    def answers(self) -> "list[HallEntry | ReplyAddendum]":
        """What has paragraphs, an opening and a closing: the reply, which is the entry itself, and its addenda."""
        return [self, *self.addenda]

    @property
    def all_paragraphs(self) -> list[Paragraph]:
        """The paragraphs of the reply, then those of its addenda."""
        return [part for one in self.answers for part in one.paragraphs]


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
    reply = told.case.reply
    entry = HallEntry(
        inquiry_id=told.inquiry_id,
        n=n,
        round=told.case.round,
        answered_at=timestamps.to_text(reply.at) if reply.at else at,
        language=told.case.language,
        subject=told.case.subject,
        body=told.case.body or "",
        paragraphs=reply.paragraphs,
        opening=reply.opening,
        closing=reply.closing,
        addenda=reply.addenda,
        changes=reply.changes,
        changed_at=None if told.what == "answered" else at,
    )
    return UnmaskedEntry(entry, told.contact)


def case_of(unmasked: UnmaskedEntry, published: Sequence[str]) -> CaseTexts:
    """The texts to mask, and what is known about the resident; `published` are the departments' own contacts."""
    entry, contact = unmasked.entry, unmasked.contact or Contact()
    return CaseTexts(
        written=(entry.subject, entry.body),
        answers=(*(text for one in entry.answers for text in _texts(one)), *(one.text for one in entry.changes)),
        names=(contact.name,) if contact.name else (),
        reached_at=tuple(one for one in (contact.phone, contact.email) if one),
        published=tuple(published),
    )


def _texts(answer: HallEntry | ReplyAddendum) -> Iterator[str]:
    """The texts of a reply or an addendum: its paragraphs, then opening and closing as far as it has them."""
    yield from (one.text for one in answer.paragraphs)
    yield from (one for one in (answer.opening, answer.closing) if one)


def shown_entry(entry: HallEntry, masked: Masked) -> HallEntry:
    """The entry with its masked texts."""
    subject, body = masked.written
    answers = iter(masked.answers)
    paragraphs, opening, closing = _shown(entry, answers)
    addenda = []
    for one in entry.addenda:
        shown = dict(zip(("paragraphs", "opening", "closing"), _shown(one, answers), strict=True))
        addenda.append(one.model_copy(update=shown))
    changes = tuple(one.model_copy(update={"text": next(answers)}) for one in entry.changes)
    return replace(
        entry,
        subject=subject,
        body=body,
        paragraphs=paragraphs,
        opening=opening,
        closing=closing,
        addenda=tuple(addenda),
        changes=changes,
    )


def _shown(
    answer: HallEntry | ReplyAddendum, masked: Iterator[str]
) -> tuple[tuple[Paragraph, ...], str | None, str | None]:
    """Paragraphs, opening and closing with their masked texts, which are taken from `masked` in the order of `_texts`."""
    paragraphs = tuple(one.model_copy(update={"text": next(masked)}) for one in answer.paragraphs)
    opening, closing = (next(masked) if one else one for one in (answer.opening, answer.closing))
    return paragraphs, opening, closing
