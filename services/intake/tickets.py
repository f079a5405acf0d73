"""Tickets: what a resident with the query code sees, the resident's ratings, and the withdrawal of the message.

Numbers and codes are accepted as people type them, see `ids.as_typed`.
"""

import time
from collections.abc import Sequence

from services.intake import domain
from services.intake.domain import RatingGiven, WithdrawalGiven
from services.intake.erased_tickets import erased_at, erased_ticket
from services.intake.responses import AdditionShown, Ticket, WithdrawalShown
from services.intake.sentences import NO_SUCH_TICKET
from services.intake.store import IntakeStore
from services.intake.ticket_entries import enter
from shared.contracts import ids
from shared.contracts.documented import Documented
from shared.contracts.erasure_dates import erasure_dates
from shared.contracts.questions import InquiryAdded
from shared.contracts.resident_inputs import InquiryRated, InquiryReceived, InquiryWithdrawn
from shared.contracts.sources import INTAKE_SOURCE, RESIDENT
from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit
from shared.ledger.ledger import Entry, Ledger, Written
from shared.ledger.numbering import next_number
from shared.ledger.relay import erased
from shared.runtime import timestamps
from shared.runtime.languages import Lang
from shared.runtime.settings import Settings
from shared.store.mongo import Document

WRONG_CODES = 10
WRONG_CODES_PERIOD_S = 600
TOO_LATE = ("answered", "closed", "withdrawn", "refused", "erased")
"""The states in which a message cannot be withdrawn."""


class TicketErased(Problem):
    """The message was erased while the request was handled: nothing that was read before may be shown."""


class Acknowledged(Documented):
    """The answer to a rating, or to a withdrawal."""

    event_id: str
    """The id of the stored message; a repeat of the request has the same one."""


class Tickets:
    """Shows tickets to residents who have the query code, and takes their ratings and withdrawals."""

    def __init__(self, store: IntakeStore, ledger: Ledger, settings: Settings, code_secret: bytes) -> None:
        self.store = store
        self.ledger = ledger
        self.settings = settings
        self._secret = code_secret
        self._wrong = RateLimit(WRONG_CODES, WRONG_CODES_PERIOD_S)

    async def ticket(self, inquiry_id: str, code: str | None, lang: Lang = "zh") -> Ticket:
        """What a resident with the code sees; a wrong code looks like an unknown ticket. Raises Problem 404 or 429.

        `lang` is the language of an erased ticket, which has forgotten that of its message.
        """
        return await self._shown(await self.opened(inquiry_id, code), lang)

    async def _shown(self, entries: Sequence[Document], lang: Lang = "zh") -> Ticket:
        number, at = entries[0]["inquiry_id"], entries[0]["recorded_at"]
        if await self.store.erased(number) or erased(entries[0]):
            left = await self.store.documents(number)
            when = timestamps.from_text(erased_at(left) or timestamps.to_text(at))
            dates = erasure_dates(when, self.settings.retention_days, self.settings.backups_kept_days)
            return erased_ticket(number, at, left, dates, lang)
        received = InquiryReceived.model_validate_json(entries[0]["value"])
        given = [one["value"] for one in entries if one["type"] == InquiryRated.type]
        ratings = [InquiryRated.model_validate_json(one) for one in given]
        additions = [
            AdditionShown(
                at=timestamps.to_text(one["recorded_at"]), text=InquiryAdded.model_validate_json(one["value"]).text
            )
            for one in entries
            if one["type"] == InquiryAdded.type
        ]
        updates = await self.store.updates(number)
        seen = domain.ticket(received, timestamps.to_text(at), updates, ratings, additions)
        return seen.model_copy(update={"withdrawal": withdrawal_of(entries)})

    async def opened(self, inquiry_id: str, code: str | None) -> list[Document]:
        """The ledger's entries of a ticket, if the code is right. A right code is never limited."""
        number = ids.typed_inquiry_id(inquiry_id)
        right = number is not None and ids.same_code(code or "", ids.query_code(self._secret, number))
        entries = await self.ledger.of(number) if number is not None and right else []
        if number is None or not entries:
            self._count_wrong(number or inquiry_id)
            raise Problem(404, NO_SUCH_TICKET)
        return entries

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
        name, fingerprint = f"rating/{inquiry_id}/{given.round}", domain.fingerprint(given)
        id_ = ids.named_id(name)
        # The rating may have reopened the inquiry, so that its round is no longer the current one.
        known = next((one for one in await self.ledger.of(inquiry_id) if one["_id"] == id_), None)
        if known is not None and known.get("fingerprint") == fingerprint:
            return Acknowledged(event_id=id_)
        if seen.reply is None or given.round != seen.round:
            raise Problem(
                409,
                f"Round {given.round} has no answer to rate; the ticket is {seen.state}, in round {seen.round}.",
            )
        message = InquiryRated(inquiry_id=inquiry_id, **given.model_dump())
        accepted, written = await self._enter(name, message, fingerprint)
        if written.earlier and not accepted.repeats(written.earlier):
            raise Problem(409, f"Round {given.round} is rated already; a rating cannot be changed.")
        return Acknowledged(event_id=accepted.id)

    async def withdraw(
        self, inquiry_id: str, code: str | None, given: WithdrawalGiven, key: str | None = None
    ) -> Acknowledged:
        """Accept the withdrawal of a message that is not answered. Safe to repeat: the same body gets the same answer.

        Raises Problem 404, 409 or 429, and 422 for an `Idempotency-Key` that came with another body.
        """
        entries = await self.opened(inquiry_id, code)
        seen = await self._shown(entries)
        name = f"withdrawal/{seen.inquiry_id}/{seen.round}"
        known = any(one["_id"] == ids.named_id(name) for one in entries)
        if seen.state in TOO_LATE and not (known and seen.state == "withdrawn"):
            raise Problem(409, f"The ticket is {seen.state}; there is nothing to withdraw.")
        message = InquiryWithdrawn(inquiry_id=seen.inquiry_id, why=given.why)
        accepted, written = await self._enter(name, message, domain.fingerprint(given))
        if written.earlier and not accepted.repeats(written.earlier):
            if key is not None:
                raise Problem(422, "This Idempotency-Key belongs to another withdrawal; send the same reason again.")
            raise Problem(409, "The message is withdrawn already; the reason cannot be changed.")
        return Acknowledged(event_id=accepted.id)

    async def _enter(
        self, name: str, message: InquiryRated | InquiryWithdrawn, fingerprint: str
    ) -> tuple[Entry, Written]:
        """Write a message about a ticket under an id derived from `name`. Raises Problem 409 once the ticket is erased."""
        inquiry_id = message.inquiry_id

        async def entry() -> Entry:
            return Entry(
                id=ids.named_id(name),
                inquiry_id=inquiry_id,
                n=await next_number(self.ledger, inquiry_id),
                type=message.type,
                recorded_at=timestamps.now(),
                value=message.model_dump_json(),
                fingerprint=fingerprint,
                source=INTAKE_SOURCE,
                actor=RESIDENT,
            )

        outcome = await enter(self.store, self.ledger, inquiry_id, entry)
        if outcome is None:
            raise TicketErased(409, "The message is erased.")
        return outcome


def withdrawal_of(entries: Sequence[Document]) -> WithdrawalShown | None:
    """The newest withdrawal among the entries of a ticket."""
    given = [one for one in entries if one["type"] == InquiryWithdrawn.type]
    if not given:
        return None
    newest = max(given, key=lambda one: int(one["n"]))
    why = InquiryWithdrawn.model_validate_json(newest["value"]).why
    return WithdrawalShown(at=timestamps.to_text(newest["recorded_at"]), why=why)
