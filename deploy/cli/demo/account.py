"""What was seen of each letter from outside, and what is wrong with it: lost, or double."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.cli.demo.messages import DemoMessage

ANSWERED = ("answered", "closed", "reopened")


@dataclass
class DemoPart:
    """A part as its department saw it: under which ids it was offered, and what was written for it."""

    part_id: str
    department: str
    offers: set[str] = field(default_factory=set)
    text: str | None = None
    returned: bool = False


@dataclass
class DemoCase:
    """A letter, and all that was seen of it."""

    letter: DemoMessage
    inquiry_ids: list[str] = field(default_factory=list)
    code: str | None = None
    parts: dict[str, DemoPart] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    facts: list[Mapping[str, Any]] = field(default_factory=list)
    rated: bool = False
    mails: list[tuple[str, str]] = field(default_factory=list)
    """Of each mail the id of its notice, and its text."""

    @property
    def inquiry_id(self) -> str | None:
        """The ticket number, once intake gave one."""
        return self.inquiry_ids[0] if self.inquiry_ids else None

    @property
    def answered(self) -> bool:
        """Whether the resident sees an answer."""
        return self.seen.get("state") in ANSWERED and self.seen.get("reply") is not None

    @property
    def joint(self) -> bool:
        """Whether several departments speak in it."""
        return self.answered and len(self.paragraphs) > 1

    @property
    def paragraphs(self) -> list[tuple[str, str]]:
        """Department and words of each paragraph that the resident sees."""
        reply = self.seen.get("reply") or {"paragraphs": []}
        return [(one["department"], one["text"]) for one in reply["paragraphs"]]

    @property
    def written(self) -> list[tuple[str, str]]:
        """Department and words of what the departments handed in."""
        return [(part.department, part.text) for part in self.parts.values() if part.text is not None]

    @property
    def settled(self) -> bool:
        """Whether nothing is missing any more."""
        return not any(True for _ in missing(self))

    def document(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "inquiry_id": self.inquiry_id,
            "subject": self.letter.subject,
            "way": self.letter.way,
            "channel": self.letter.channel,
            "language": self.letter.language,
            "state": self.seen.get("state"),
            "departments": [one for one, _ in self.paragraphs],
            "rated": self.letter.rating if self.rated else None,
            "problems": [*missing(self), *doubled(self)],
        }


def missing(case: DemoCase) -> Iterator[str]:
    """What did not come back: a sentence each."""
    if case.inquiry_id is None:
        yield "intake gave no ticket"
        return
    if not case.answered:
        yield f"there is no answer; the ticket is {case.seen.get('state') or 'not to be seen'}"
        return
    for department, text in (Counter(case.written) - Counter(case.paragraphs)).elements():
        yield f"the words of {department} are not in the answer: {text[:40]!r}"
    if case.letter.rating is not None and not case.rated:
        yield "the rating is not on the record"


def unmailed(case: DemoCase) -> Iterator[str]:
    """What the resident should have had by mail and has not."""
    if case.letter.email is None or not case.answered:
        return
    texts = ["".join(text.split()) for _, text in case.mails]
    words = ["".join(text.split()) for _, text in case.written]
    if not any(all(one in text for one in words) for text in texts):
        yield f"no mail to {case.letter.email} holds the answer"


def doubled(case: DemoCase) -> Iterator[str]:
    """What came more than once; the same id again is a repeat, another id for the same thing is double."""
    if len(case.inquiry_ids) > 1:
        yield f"it has several tickets: {', '.join(case.inquiry_ids)}"
    for part in case.parts.values():
        if len(part.offers) > 1:
            yield f"the part {part.part_id} was offered under {len(part.offers)} ids"
    for department, times in Counter(part.department for part in case.parts.values() if not part.returned).items():
        if times > 1:
            yield f"{department} was given {times} parts"
    for department, text in (Counter(case.paragraphs) - Counter(case.written)).elements():
        yield f"the answer says what nobody wrote, or says it twice: {department}: {text[:40]!r}"
    for notice, times in Counter(notice for notice, _ in case.mails).items():
        if times > 1:
            yield f"the notice {notice} was mailed {times} times"
    yield from _doubled_facts(case.facts)


def _doubled_facts(facts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A part is offered, accepted and contributed once, an answer given once a round; the numbers are dense from 1."""
    rows = list(facts)
    once = [
        (one["type"], one["data"].get("part_id") or one["data"].get("round"))
        for one in rows
        if one["type"].endswith((".offered", ".accepted", ".contributed", ".answered", ".rated", ".registered"))
    ]
    for (kind, what), times in Counter(once).items():
        if times > 1:
            yield f"{kind} of {what} stands {times} times on the record"
    if sorted(one["sequence"] for one in rows) != list(range(1, len(rows) + 1)):
        yield "the record's numbers are not 1, 2, 3 …"
