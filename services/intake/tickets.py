"""Tickets: what a resident with the query code sees, and the rating that the resident gives.

Numbers and codes are accepted as people type them, see `ids.as_typed`.
"""

import time

from services.intake import domain
from services.intake.domain import RatingGiven
from services.intake.files import ResidentFiles
from services.intake.responses import Ticket
from services.intake.sentences import NO_SUCH_TICKET
from services.intake.store import IntakeStore
from shared.contracts import ids
from shared.contracts.documented import Documented
from shared.contracts.resident_inputs import InquiryRated, InquiryReceived
from shared.contracts.sources import INTAKE_SOURCE, RESIDENT
from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit
from shared.ledger.ledger import Entry, Ledger
from shared.ledger.numbering import accept_in_free_place, next_number
from shared.runtime import timestamps
from shared.store.mongo import Document

WRONG_CODES = 10
WRONG_CODES_PERIOD_S = 600


class Acknowledged(Documented):
    """The answer to a rating."""

    event_id: str
    """The id of the stored message; a repeat of the request has the same one."""


class Tickets:
    """Shows tickets to residents who have the query code, and takes their ratings."""

    def __init__(
        self, store: IntakeStore, ledger: Ledger, code_secret: bytes, files: ResidentFiles | None = None
    ) -> None:
        self.store = store
        self.ledger = ledger
        self.files = files
        self._secret = code_secret
        self._wrong = RateLimit(WRONG_CODES, WRONG_CODES_PERIOD_S)

    async def ticket(self, inquiry_id: str, code: str | None) -> Ticket:
        """What a resident with the code sees; a wrong code, or an erased ticket, looks like an unknown one.

        Raises Problem 404 or 429.
        """
        entries = await self._opened(inquiry_id, code)
        received = InquiryReceived.model_validate_json(entries[0]["value"])
        given = [one["value"] for one in entries if one["type"] == InquiryRated.type]
        ratings = [InquiryRated.model_validate_json(one) for one in given]
        updates = await self.store.updates(received.inquiry_id)
        files = await self.files.shown([one["_id"] for one in entries]) if self.files is not None else []
        seen = domain.ticket(received, timestamps.to_text(entries[0]["recorded_at"]), updates, ratings, files)
        if self.files is None:
            return seen
        return seen.model_copy(update={"reply_files": await self.files.of_reply(seen.reply)})

    async def _opened(self, inquiry_id: str, code: str | None) -> list[Document]:
        """The ledger's entries of a ticket, if the code is right. A right code is never limited."""
        number = ids.typed_inquiry_id(inquiry_id)
        right = number is not None and ids.same_code(code or "", ids.query_code(self._secret, number))
        entries = await self.ledger.of(number) if number is not None and right else []
        if number is None or not entries or await self._erased(number):
            self._count_wrong(number or inquiry_id)
            raise Problem(404, NO_SUCH_TICKET)
        return entries

    async def _erased(self, inquiry_id: str) -> bool:
        return bool(await self.store.tombstones.through_of([inquiry_id]))

    def _count_wrong(self, inquiry_id: str) -> None:
        """Count a wrong code for this ticket number, which need not exist. Raises Problem 429 after too many."""
        if wait_s := self._wrong.wait_s(inquiry_id, time.monotonic()):
            raise Problem(
                429,
                f"Too many wrong codes for this ticket; try again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )

    async def rate(self, inquiry_id: str, code: str | None, given: RatingGiven) -> Acknowledged:
        """Accept one rating of an answered round. Safe to repeat: the same rating gets the same answer.

        Raises Problem 404, 409 or 429.
        """
        seen = await self.ticket(inquiry_id, code)
        inquiry_id = seen.inquiry_id
        if seen.reply is None or given.round != seen.round:
            raise Problem(
                409,
                f"Round {given.round} has no answer to rate; the ticket is {seen.state}, in round {seen.round}.",
            )
        value = InquiryRated(inquiry_id=inquiry_id, **given.model_dump()).model_dump_json()

        async def entry() -> Entry:
            return Entry(
                id=ids.named_id(f"rating/{inquiry_id}/{given.round}"),
                inquiry_id=inquiry_id,
                n=await next_number(self.ledger, inquiry_id),
                type=InquiryRated.type,
                recorded_at=timestamps.now(),
                value=value,
                fingerprint=domain.fingerprint(given),
                source=INTAKE_SOURCE,
                actor=RESIDENT,
            )

        accepted, written = await accept_in_free_place(self.ledger, entry)
        if await self._erased(inquiry_id):
            # An erasure after the ticket was opened may have run before this entry was written.
            await self.ledger.erase(inquiry_id)
            raise Problem(404, NO_SUCH_TICKET)
        if written.earlier and not accepted.repeats(written.earlier):
            raise Problem(409, f"Round {given.round} is rated already; a rating cannot be changed.")
        return Acknowledged(event_id=accepted.id)
