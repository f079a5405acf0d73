"""Takes what residents add to their tickets: the answer to a question, or something new."""

from services.intake import domain
from services.intake.domain import AdditionGiven
from services.intake.sentences import NO_SUCH_TICKET
from services.intake.ticket_entries import enter
from services.intake.tickets import Acknowledged, Tickets
from shared.contracts import ids
from shared.contracts.questions import InquiryAdded
from shared.contracts.sources import INTAKE_SOURCE, RESIDENT
from shared.http.problems import Problem
from shared.ledger.ledger import Entry
from shared.runtime import timestamps


class Additions:
    def __init__(self, tickets: Tickets) -> None:
        self.tickets = tickets

    async def add(self, inquiry_id: str, code: str | None, given: AdditionGiven, key: str | None) -> Acknowledged:
        """Write an addition to the ledger. Safe to repeat with the same key: the same words get the same answer.

        Raises Problem: 404 or 429 as for any ticket, 409 when the ticket is ended or has too many additions, 422 when the
        key belongs to other words.
        """
        seen = await self.tickets.ticket(inquiry_id, code)
        inquiry_id = seen.inquiry_id
        id_ = ids.named_id(f"addition/{inquiry_id}/{key}") if key else ids.new_event_id()
        # A repeat gets the first answer again, even if the ticket has ended since.
        repeated = await self.tickets.ledger.entries.find_one({"_id": id_}) is not None
        if not repeated and not domain.takes_additions(seen.state, seen.reply, seen.questions, 0):
            raise Problem(409, f"Nothing can be added now; the ticket is {seen.state}. Rate the reply, or write again.")
        value = InquiryAdded(inquiry_id=inquiry_id, text=given.text).model_dump_json()

        async def entry() -> Entry:
            entries = await self.tickets.ledger.of(inquiry_id)
            others = [one for one in entries if one["type"] == InquiryAdded.type and one["_id"] != id_]
            if not repeated and not domain.takes_additions(seen.state, seen.reply, seen.questions, len(others)):
                raise Problem(409, f"The ticket has {len(others)} additions, the most that it may have now.")
            return Entry(
                id=id_,
                inquiry_id=inquiry_id,
                n=len(entries),
                type=InquiryAdded.type,
                recorded_at=timestamps.now(),
                value=value,
                fingerprint=domain.fingerprint(given),
                source=INTAKE_SOURCE,
                actor=RESIDENT,
            )

        outcome = await enter(self.tickets.store, self.tickets.ledger, inquiry_id, entry)
        if outcome is None:
            raise Problem(404, NO_SUCH_TICKET)
        accepted, written = outcome
        if written.earlier and not accepted.repeats(written.earlier):
            raise Problem(422, "This Idempotency-Key belongs to another addition; use a new key for each.")
        return Acknowledged(event_id=accepted.id)
