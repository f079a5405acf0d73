"""What the demo observes about each message through the public interfaces, and what is lost or duplicated."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from deploy.cli.demo.messages import DemoMessage

ANSWERED = ("answered", "closed", "reopened")


@dataclass
class DemoPart:
    """A part as its department sees it: the ids of its offers, and the text contributed."""

    part_id: str
    department: str
    offers: set[str] = field(default_factory=set)
    text: str | None = None
    returned: bool = False
    round: int = 1


@dataclass(frozen=True)
class DemoMail:
    """A mail: the ids and kinds of the news in it, its text, and the link to confirm the address, if it has one.

    `reply_to` is the address for replies, and `message_id` the Message-ID, if they were read.
    """

    notices: tuple[str, ...]
    what: tuple[str, ...]
    text: str
    confirm_url: str | None
    reply_to: str = ""
    message_id: str = ""


@dataclass
class DemoCase:
    """A message, and everything observed about it."""

    message: DemoMessage
    key: str = field(default_factory=lambda: str(uuid4()))
    """The Idempotency-Key of what is sent for it."""
    inquiry_ids: list[str] = field(default_factory=list)
    code: str | None = None
    parts: dict[str, DemoPart] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    facts: list[Mapping[str, Any]] = field(default_factory=list)
    rated: bool = False
    """Whether the rating of the message is in the timeline."""
    mails: list[DemoMail] = field(default_factory=list)

    @property
    def inquiry_id(self) -> str | None:
        """The ticket number; None until intake has accepted the message."""
        return self.inquiry_ids[0] if self.inquiry_ids else None

    @property
    def round(self) -> int:
        """The round of the ticket, counted from 1."""
        return int(self.seen.get("round", 1))

    @property
    def reopened(self) -> int:
        """How often a rating has reopened the inquiry."""
        return sum(one["type"].endswith("inquiry.reopened") for one in self.facts)

    def rated_in(self, round_: int) -> bool:
        """Whether the rating of this round is in the timeline."""
        return any(one["type"].endswith("inquiry.rated") and one["data"].get("round") == round_ for one in self.facts)

    @property
    def answered(self) -> bool:
        """Whether the resident can read a reply."""
        return self.seen.get("state") in ANSWERED and self.seen.get("reply") is not None

    @property
    def joint(self) -> bool:
        """Whether several departments contributed to the reply."""
        return self.answered and len(self.paragraphs) > 1

    @property
    def paragraphs(self) -> list[tuple[str, str]]:
        """Department and text of each paragraph of the reply."""
        reply = self.seen.get("reply") or {"paragraphs": []}
        return [(one["department"], one["text"]) for one in reply["paragraphs"]]

    @property
    def written(self) -> list[tuple[str, str]]:
        """Department and text of each contribution of the round that the ticket shows."""
        return self.written_in(self.round)

    def written_in(self, round_: int) -> list[tuple[str, str]]:
        """Department and text of each contribution of this round."""
        parts = [part for part in self.parts.values() if part.round == round_]
        return [(part.department, part.text) for part in parts if part.text is not None]

    @property
    def settled(self) -> bool:
        return not any(True for _ in missing(self))

    def document(self) -> dict[str, Any]:
        """The output of `--json`."""
        return {
            "inquiry_id": self.inquiry_id,
            "subject": self.message.subject,
            "way": self.message.way,
            "channel": self.message.channel,
            "language": self.message.language,
            "state": self.seen.get("state"),
            "departments": [one for one, _ in self.paragraphs],
            "rated": self.message.rating if self.rated else None,
            "reopened": self.reopened,
            "problems": [*missing(self), *duplicates(self)],
        }


def missing(case: DemoCase) -> Iterator[str]:
    """One sentence for each thing that is missing."""
    if case.inquiry_id is None:
        yield "intake gave no ticket"
        return
    if not case.answered:
        yield f"no reply; the ticket's state is {case.seen.get('state') or 'unknown'}"
        return
    for department, text in (Counter(case.written) - Counter(case.paragraphs)).elements():
        yield f"the reply lacks the text of {department}: {text[:40]!r}"
    if case.message.rating is not None and not case.rated:
        yield "the rating is not in the timeline"
    elif case.reopened >= case.round:
        yield f"a rating has reopened it, and the ticket still shows round {case.round}"
    elif case.reopened and not case.rated_in(case.round):
        yield f"the rating of round {case.round} is not in the timeline"


def missing_mails(case: DemoCase) -> Iterator[str]:
    """One sentence for each news that the resident has not received by mail.

    Before the resident has confirmed the address, a mail has the link to the ticket and no words of the reply.
    """
    if case.message.email is None or not case.answered:
        return
    for what in ("registered", "assigned", "answered"):
        if not any(what in mail.what for mail in case.mails):
            yield f"no mail to {case.message.email} says {what}"
    for mail in case.mails:
        if "answered" not in mail.what:
            continue
        text = "".join(mail.text.split())
        if mail.confirm_url and f"status?ticket={case.inquiry_id}&code={case.code}" not in text:
            yield f"the mail to {case.message.email} about the reply lacks the link to the ticket"
        elif not mail.confirm_url and not any(_has_words(text, case, one) for one in range(1, case.round + 1)):
            yield f"the mail to {case.message.email} about the reply lacks the reply"


def _has_words(text: str, case: DemoCase, round_: int) -> bool:
    """Whether a text without spaces has all contributions of this round."""
    return all("".join(words.split()) in text for _, words in case.written_in(round_))


def duplicates(case: DemoCase) -> Iterator[str]:
    """One sentence for each duplicate. A message with the same id is a repeat, not a duplicate."""
    if len(case.inquiry_ids) > 1:
        yield f"it has several tickets: {', '.join(case.inquiry_ids)}"
    for part in case.parts.values():
        if len(part.offers) > 1:
            yield f"the part {part.part_id} was offered under {len(part.offers)} ids"
    kept = Counter((part.department, part.round) for part in case.parts.values() if not part.returned)
    for (department, _), times in kept.items():
        if times > 1:
            yield f"{department} got {times} parts"
    for department, text in (Counter(case.paragraphs) - Counter(case.written)).elements():
        yield f"the reply has a paragraph that {department} did not write, or has it twice: {text[:40]!r}"
    for notice, times in Counter(notice for mail in case.mails for notice in mail.notices).items():
        if times > 1:
            yield f"the notice {notice} was mailed {times} times"
    yield from duplicate_facts(case.facts)


def duplicate_facts(facts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Check that these facts occur once for each part or round, and that sequence numbers are 1, 2, 3 …"""
    rows = list(facts)
    once = [
        (one["type"], one["data"].get("part_id") or one["data"].get("round"))
        for one in rows
        if one["type"].endswith((".offered", ".accepted", ".contributed", ".answered", ".rated", ".registered"))
    ]
    for (kind, what), times in Counter(once).items():
        if times > 1:
            yield f"the timeline has {kind} of {what} {times} times"
    if sorted(one["sequence"] for one in rows) != list(range(1, len(rows) + 1)):
        yield "the timeline's sequence numbers are not 1, 2, 3 …"
