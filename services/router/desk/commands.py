"""Commands of the desk: written to the ledger, published onto the log of their case, and what became of each."""

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
from shared.ledger.ledger import Entry, Ledger
from shared.ledger.relay import erased
from shared.runtime import timestamps

COMMANDS: Mapping[str, type[Payload]] = {
    model.type.removeprefix("chorus.case."): model for model in (CaseAssign, CaseReplay, CaseWithdrawPart)
}


class CommandAccepted(Documented):
    """What a door answers: ask for this id to learn what became of it."""

    event_id: str
    """The id of the command; `GET /commands/{event_id}` says what became of it."""


class Commands:
    """Takes commands into the desk's ledger."""

    def __init__(self, store: RouterStore, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger

    async def take(self, inquiry_id: str, body: bytes, key: str | None) -> CommandAccepted:
        """Take a command for a case into the ledger; safe to repeat with the same idempotency key."""
        given = await self._valid(inquiry_id, body)
        id_ = ids.named_id(f"command/{inquiry_id}/{key}") if key else ids.new_event_id()
        return CommandAccepted(event_id=await self.enter(inquiry_id, given, id_))

    async def enter(self, inquiry_id: str, given: Payload, id_: str) -> str:
        """Write a command that is right into the ledger; returns its id. Raises Problem when the id is another's."""
        value = given.model_dump_json()
        while True:
            entry = Entry(
                id=id_,
                inquiry_id=inquiry_id,
                n=len(await self.ledger.of(inquiry_id)),
                type=given.type,
                recorded_at=timestamps.now(),
                value=value,
                fingerprint=ids.digest(value.encode()),
                source=DESK_SOURCE,
                actor=OPERATOR,
            )
            written = await self.ledger.accept(entry)
            if written.earlier and not entry.repeats(written.earlier):
                raise Problem(422, "This Idempotency-Key was used for another command; use a key of its own.")
            if written.new or written.earlier:
                return id_

    async def _valid(self, inquiry_id: str, body: bytes) -> Payload:
        if not await self.store.decisions.known([inquiry_id]) and not await self.store.parked.of([inquiry_id]):
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")
        try:
            given = from_json(body)
        except ValueError as error:
            raise Problem(422, "The body is not JSON; write an object with a type.") from error
        kind = given.get("type") if isinstance(given, dict) else None
        if not isinstance(kind, str) or kind not in COMMANDS:
            detail = f"type {shown(kind)} is no command; write one of {', '.join(sorted(COMMANDS))}"
            raise Problem(422, detail + ".", [FieldProblem(pointer="/type", detail=detail)])
        try:
            return COMMANDS[kind].model_validate(given | {"inquiry_id": inquiry_id, "by": "operator"})
        except ValidationError as error:
            raise invalid(error) from error

    async def status(self, event_id: str) -> dict[str, Any]:
        """What became of a command: pending, applied or refused, with the reason."""
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
    """Why a command was refused, in sentences; only the code is left once they are erased."""
    sentences = f"{refusal.reason} {refusal.remedy}".strip()
    return sentences or f"The sentences are erased; the reason is {refusal.code!r}."
