"""Takes requests for the link to a ticket, without telling anybody whether the ticket exists.

The core sends the link to the contact that the resident gave. Neither the answer nor its time depends on the ticket.
"""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta

from services.intake.store import IntakeStore
from services.intake.ticket_entries import enter
from shared.contracts import ids
from shared.contracts.resident_inputs import InquiryLinkRequested
from shared.contracts.sources import INTAKE_SOURCE, RESIDENT
from shared.http.problems import FieldProblem, Problem, shown
from shared.http.rate_limit import RateLimit
from shared.ledger.ledger import Entry, Ledger
from shared.ledger.numbering import next_number
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Document, PyMongoError

LINKS_AN_HOUR = 3
LINKS_A_DAY = 5
LIMITS = ((LINKS_AN_HOUR, timedelta(hours=1)), (LINKS_A_DAY, timedelta(days=1)))
REPEAT_S = 60
"""Two requests for one ticket in the same minute are one: a form that is sent twice sends one mail."""
CLIENT_PERIOD_S = 60
ANSWER_STEP_S = 0.5
"""Answers come after a multiple of this time: a known ticket costs a write to the store, an unknown one none."""


class Links:
    def __init__(self, store: IntakeStore, ledger: Ledger, settings: Settings) -> None:
        self.store = store
        self.ledger = ledger
        self._clients = RateLimit(settings.submissions_per_minute, CLIENT_PERIOD_S)
        self._tickets = RateLimit(LINKS_AN_HOUR, LIMITS[0][1].total_seconds())

    async def request(self, typed: str, client: str) -> None:
        """Ask the core to send the link of this ticket number, as a person typed it, to the contact on file.

        Returns the same for an unknown or erased ticket. Raises Problem 422 for a text that cannot be a ticket number,
        429 for too many requests of this client or for this number, which need not exist; and PyMongoError.
        """
        inquiry_id = ids.typed_inquiry_id(typed)
        if inquiry_id is None:
            detail = f"inquiry_id {shown(typed)} is not a ticket number; write one such as 20261122-7KX4MQ2B"
            raise Problem(422, f"{detail}.", [FieldProblem(pointer="/inquiry_id", detail=detail)])
        now_s = time.monotonic()
        # Both limits, or a client over its own limit could use up the limit of somebody's ticket.
        if wait_s := self._clients.wait_s(client, now_s) or self._tickets.wait_s(inquiry_id, now_s):
            raise Problem(
                429,
                f"Too many requests for links; look into the mailbox first, or try again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        try:
            await in_even_time(self._enter(inquiry_id))
        except PyMongoError:
            # Otherwise nobody could ask for an hour after a short outage of the store.
            self._tickets.undo(inquiry_id)
            raise

    async def _enter(self, inquiry_id: str) -> None:
        """Write the request to the ledger, if the ticket is known and its limits allow. Safe to repeat within a minute."""
        now = timestamps.now()
        entries = await self.ledger.of(inquiry_id)
        # The ledger counts for all processes and across restarts, which the limit in memory does not.
        if not entries or await self.store.erased(inquiry_id) or over_limit(entries, now):
            return
        id_ = ids.named_id(f"link/{inquiry_id}/{int(now.timestamp()) // REPEAT_S}")
        value = InquiryLinkRequested(inquiry_id=inquiry_id).model_dump_json()

        async def entry() -> Entry:
            return Entry(
                id=id_,
                inquiry_id=inquiry_id,
                n=await next_number(self.ledger, inquiry_id),
                type=InquiryLinkRequested.type,
                recorded_at=now,
                value=value,
                fingerprint=ids.digest(value.encode()),
                source=INTAKE_SOURCE,
                actor=RESIDENT,
            )

        await enter(self.store, self.ledger, inquiry_id, entry)


def over_limit(entries: Sequence[Document], now: datetime) -> bool:
    """Whether as many links as allowed were requested already; `entries` are those of the ticket in the ledger."""
    requested = [one["recorded_at"] for one in entries if one["type"] == InquiryLinkRequested.type]
    return any(sum(now - at < period for at in requested) >= most for most, period in LIMITS)


async def in_even_time(work: Awaitable[None]) -> None:
    """Await the work, and then the next multiple of ANSWER_STEP_S since the beginning, also after an error."""
    began_s = time.monotonic()
    try:
        await work
    finally:
        await asyncio.sleep(-(time.monotonic() - began_s) % ANSWER_STEP_S)
