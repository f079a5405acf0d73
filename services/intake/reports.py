"""Takes reports of readers about entries of the hall, without telling anybody which tickets exist.

Neither the answer nor its time depends on the ticket: a number that is not in the hall gets the same one.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import uuid4

from pydantic import ConfigDict, Field, field_validator

from services.intake.links import in_even_time
from services.intake.store import IntakeStore
from services.intake.ticket_entries import enter
from shared.contracts import ids
from shared.contracts.documented import Documented
from shared.contracts.fields import blank_is_none, no_nul
from shared.contracts.limits import REPORT_MAX
from shared.contracts.resident_inputs import HallReported, InquiryReceived
from shared.contracts.sources import INTAKE_SOURCE, RESIDENT
from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit
from shared.ledger.ledger import Entry, Ledger
from shared.ledger.numbering import next_number
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Document

REPORTS_A_DAY = 20
"""Reports about one inquiry that reach its log in a day. More say nothing new, and the desk has it on its list already."""
CLIENT_PERIOD_S = 60


class ReportGiven(Documented):
    """The body of `POST /inquiries/{id}/hall-report`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    words: Annotated[str | None, Field(max_length=REPORT_MAX)] = None
    """What is wrong with the entry, at most 1,000 characters; null when not given."""

    _no_nul = field_validator("words")(no_nul)
    _blank_words = field_validator("words", mode="before")(blank_is_none)


class Reports:
    def __init__(self, store: IntakeStore, ledger: Ledger, settings: Settings) -> None:
        self.store = store
        self.ledger = ledger
        self._clients = RateLimit(settings.submissions_per_minute, CLIENT_PERIOD_S)

    async def receive(self, inquiry_id: str, given: ReportGiven, key: str | None, client: str) -> None:
        """Write a report to the log of a public inquiry. Safe to repeat with the same key and body.

        Returns the same for an inquiry that is unknown, not public or erased. Raises Problem 429, and PyMongoError.
        """
        if wait_s := self._clients.wait_s(client, time.monotonic()):
            raise Problem(
                429,
                f"Too many reports came from your address; send yours again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        await in_even_time(self._enter(inquiry_id, given, key or str(uuid4())))

    async def _enter(self, inquiry_id: str, given: ReportGiven, key: str) -> None:
        entries = await self.ledger.of(inquiry_id)
        if not entries or await self.store.erased(inquiry_id) or not may_be_reported(entries):
            return
        value = HallReported(inquiry_id=inquiry_id, words=given.words).model_dump_json()
        fingerprint = ids.digest(value.encode())
        # With the body: another body under the same key is another report, or 422 would tell that the ticket exists.
        id_ = ids.named_id(f"report/{inquiry_id}/{key}/{fingerprint}")

        async def entry() -> Entry:
            return Entry(
                id=id_,
                inquiry_id=inquiry_id,
                n=await next_number(self.ledger, inquiry_id),
                type=HallReported.type,
                recorded_at=timestamps.now(),
                value=value,
                fingerprint=fingerprint,
                source=INTAKE_SOURCE,
                actor=RESIDENT,
            )

        await enter(self.store, self.ledger, inquiry_id, entry)


def may_be_reported(entries: Sequence[Document]) -> bool:
    """Whether the hall may have the inquiry, and not too many reports of today; `entries` are those in the ledger."""
    received = InquiryReceived.model_validate_json(entries[0]["value"])
    day_ago = timestamps.now() - timedelta(days=1)
    today = [one for one in entries if one["type"] == HallReported.type and one["recorded_at"] > day_ago]
    return received.public and not received.confidential and len(today) < REPORTS_A_DAY
