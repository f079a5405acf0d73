"""What the ticket of an erased message still shows: when something happened, without a word of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.intake.responses import Ticket, TimelineEntry
from services.intake.sentences import HAPPENED
from shared.contracts.erasure_dates import ErasureDates
from shared.contracts.resident_messages import ERASED
from shared.runtime import timestamps
from shared.runtime.languages import Lang
from shared.runtime.translations import translations
from shared.store.mongo import Document


def erased_ticket(
    inquiry_id: str, received_at: datetime, updates: Sequence[Document], dates: ErasureDates, lang: Lang
) -> Ticket:
    """`updates`: what the erasure has left of the messages to the resident, in any order."""
    said = sorted(updates, key=lambda one: (one["n"], one["place"]))
    happened = [(timestamps.to_text(received_at), "registered")]
    happened += [(one["at"], one["what"]) for one in said if one["what"] in HAPPENED and one["what"] != "registered"]
    return Ticket(
        inquiry_id=inquiry_id,
        subject="",
        body="",
        area=None,
        public=False,
        confidential=False,
        language=lang,
        state="erased",
        round=max((int(one["case"]["round"]) for one in said), default=1),
        departments=[],
        answer_due_at=None,
        timeline=[TimelineEntry(at=at, text=sentence_of(what, lang)) for at, what in happened],
        rounds=[],
        questions=[],
        additions=[],
        can_add=False,
        reply=None,
        rated=[],
        ratings=[],
        erasure=dates,
    )


def sentence_of(what: str, lang: Lang) -> str:
    return translations(lang).gettext(HAPPENED[what])


def erased_at(updates: Sequence[Mapping[str, str]]) -> str | None:
    """When the inquiry was erased, by the message that says so; None until it is stored."""
    return next((one["at"] for one in updates if one["what"] == ERASED), None)
