"""Commands for cases: validates them, writes them to the desk's ledger, and reports their status."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from services.router.domain.decision import Refusal
from services.router.stores.store import RouterStore
from shared.contracts import ids
from shared.contracts.documented import Documented
from shared.contracts.envelope import Payload
from shared.contracts.inputs import CaseAssign, CaseReplay, CaseWithdrawPart
from shared.contracts.sources import DESK_SOURCE, OPERATOR
from shared.http.problems import FieldProblem, Problem, invalid, shown
from shared.http.request_body import json_document
from shared.ledger.ledger import Entry, Ledger
from shared.ledger.numbering import accept_in_free_place, next_number
from shared.ledger.relay import erased
from shared.runtime import timestamps

COMMANDS: Mapping[str, type[Payload]] = {
    model.type.removeprefix("chorus.case."): model for model in (CaseAssign, CaseReplay, CaseWithdrawPart)
}


class CommandAccepted(Documented):
    """The answer to a command that the desk has accepted."""

    event_id: str
    """The id of the command; `GET /commands/{event_id}` returns its status."""


class Commands:
    def __init__(self, store: RouterStore, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger

    async def take(self, inquiry_id: str, body: bytes, key: str | None) -> CommandAccepted:
        """Validate a command and write it to the ledger. Safe to repeat with the same `Idempotency-Key`.

        Raises Problem: 404 for an unknown inquiry, 422 for an invalid body or a key that belongs to another command.
        """
        given = await self._valid(inquiry_id, body)
        id_ = ids.named_id(f"command/{inquiry_id}/{key}") if key else ids.new_event_id()
        return CommandAccepted(event_id=await self.enter(inquiry_id, given, id_))

    async def enter(self, inquiry_id: str, given: Payload, id_: str) -> str:
        """Write a valid command to the ledger and return its id. Raises Problem 422 when the id has another command."""
        value = given.model_dump_json()

        async def entry() -> Entry:
            return Entry(
                id=id_,
                inquiry_id=inquiry_id,
                n=await next_number(self.ledger, inquiry_id),
                type=given.type,
                recorded_at=timestamps.now(),
                value=value,
                fingerprint=ids.digest(value.encode()),
                source=DESK_SOURCE,
                actor=OPERATOR,
            )

        accepted, written = await accept_in_free_place(self.ledger, entry)
        if written.earlier and not accepted.repeats(written.earlier):
            raise Problem(422, "This Idempotency-Key belongs to another command; use a new key for each command.")
        return id_

    async def _valid(self, inquiry_id: str, body: bytes) -> Payload:
        if not await self.store.decisions.known([inquiry_id]) and not await self.store.parked.of([inquiry_id]):
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
        try:
            given = from_json(body)
        except ValueError as error:
            raise Problem(422, "The body is not JSON; write an object with the field `type`.") from error
        json_document(body)
        kind = given.get("type") if isinstance(given, dict) else None
        if not isinstance(kind, str) or kind not in COMMANDS:
            detail = f"type {shown(kind)} is not a command; write one of {', '.join(sorted(COMMANDS))}"
            raise Problem(422, detail + ".", [FieldProblem(pointer="/type", detail=detail)])
        try:
            return COMMANDS[kind].model_validate(given | {"inquiry_id": inquiry_id})
        except ValidationError as error:
            raise invalid(error) from error

    async def status(self, event_id: str) -> dict[str, Any]:
        """The fields of `CommandStatus`. Raises Problem 404 for an unknown id."""
        entry = await self.ledger.entries.find_one({"_id": event_id})
        if entry is None:
            raise Problem(404, f"There is no command {shown(event_id)}.")
        for decision in await self.store.decisions.of(entry["inquiry_id"]):
            if decision.cause == event_id:
                refusal = decision.refused
                status = {"status": "refused" if refusal else "applied", "inquiry_id": decision.inquiry_id}
                return status | ({"reason": reason_of(refusal)} if refusal else {})
        if erased(entry):
            reason = "The inquiry was erased before this command was published."
            return {"status": "refused", "inquiry_id": entry["inquiry_id"], "reason": reason}
        return {"status": "pending", "inquiry_id": entry["inquiry_id"]}


def reason_of(refusal: Refusal) -> str:
    """Reason and remedy of a refusal; a sentence with the reason code when an erasure has deleted both."""
    sentences = f"{refusal.reason} {refusal.remedy}".strip()
    return sentences or f"The sentences are erased; the reason code is {refusal.code!r}."
