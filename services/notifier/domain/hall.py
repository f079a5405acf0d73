"""The hall's entry for an answer, with personal data masked."""

from dataclasses import dataclass

from services.notifier.domain.masking import mask
from shared.contracts.resident_messages import Paragraph, ResidentTold

SUMMARY = 120


@dataclass(frozen=True, slots=True)
class HallEntry:
    """An answered public inquiry. `n` is the number of the decision that released the answer, `answered_at` RFC 3339 UTC."""

    inquiry_id: str
    n: int
    round: int
    answered_at: str
    language: str
    subject: str
    body: str
    paragraphs: tuple[Paragraph, ...]

    @property
    def summary(self) -> str:
        return self.body if len(self.body) <= SUMMARY else self.body[:SUMMARY] + "…"

    @property
    def departments(self) -> list[str]:
        """The names of the departments that answered."""
        return [one.name for one in self.paragraphs]


def hall_entry(told: ResidentTold, n: int, at: str) -> HallEntry | None:
    """The entry for an answer; None when the message is not an answer, or the inquiry is not public."""
    if not told.public or told.what != "answered" or told.case.reply is None:
        return None
    names = [told.contact.name] if told.contact and told.contact.name else []
    return HallEntry(
        inquiry_id=told.inquiry_id,
        n=n,
        round=told.case.round,
        answered_at=at,
        language=told.case.language,
        subject=mask(told.case.subject, names),
        body=mask(told.case.body or "", names),
        paragraphs=tuple(
            Paragraph(department=one.department, name=one.name, text=mask(one.text, names))
            for one in told.case.reply.paragraphs
        ),
    )
