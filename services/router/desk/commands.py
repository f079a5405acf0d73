"""Commands for cases: validates them, writes them to the desk's ledger, and reports their status."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from services.router.desk.department_view import has_part
from services.router.domain.case import Case
from services.router.domain.decision import Refusal
from services.router.domain.staff import StaffUser
from services.router.stores.store import RouterStore
from services.router.users.rights import judge
from shared.contracts import ids
from shared.contracts.case_commands import CaseLink
from shared.contracts.department_outbox import PartMessage
from shared.contracts.documented import Documented
from shared.contracts.envelope import Payload
from shared.contracts.inputs import DESK_COMMANDS, WHOLE_CASE_COMMANDS
from shared.contracts.sources import DESK_DEPARTMENT_SOURCE, DESK_SOURCE, OPERATOR
from shared.http.problems import FieldProblem, Problem, invalid, shown
from shared.http.request_body import json_document
from shared.ledger.ledger import Entry, Ledger
from shared.ledger.numbering import accept_in_free_place, next_number
from shared.ledger.relay import erased
from shared.runtime import timestamps
from shared.store.mongo import Document


class CommandAccepted(Documented):
    """The answer to a command that the desk has accepted."""

    event_id: str
    """The id of the command; `GET /commands/{event_id}` returns its status."""


class Commands:
    def __init__(self, store: RouterStore, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger

    async def take(self, inquiry_id: str, body: bytes, key: str | None, who: StaffUser) -> CommandAccepted:
        """Validate a command and write it to the ledger. Safe to repeat with the same `Idempotency-Key`.

        Raises Problem: 404 for an inquiry that does not exist or that the user may not see, 403 for a command that the role
        may not send, 422 for an invalid body or a key that belongs to another command.
        """
        id_ = ids.named_id(f"command/{inquiry_id}/{who.number}/{key}") if key else ids.new_event_id()
        # A repeat gets the first answer again, even if the case has left the department since, by this very command.
        repeated = key is not None and await self.ledger.entries.find_one({"_id": id_}, ["_id"]) is not None
        if not repeated:
            await self._check_visible(inquiry_id, who)
        given = command_of(inquiry_id, body, who)
        if isinstance(given, PartMessage) and not repeated:
            await self._check_own_part(inquiry_id, given.part_id, who)
        if isinstance(given, CaseLink) and not await self.store.decisions.known([given.linked_to]):
            detail = f"linked_to {shown(given.linked_to)} is not an inquiry here"
            raise Problem(422, detail + ".", [FieldProblem(pointer="/linked_to", detail=detail)])
        return CommandAccepted(event_id=await self.enter(inquiry_id, given, id_, who))

    async def enter(self, inquiry_id: str, given: Payload, id_: str, who: StaffUser | None = None) -> str:
        """Write a valid command to the ledger and return its id. Raises Problem 422 when the id has another command.

        Without `who`, the router itself enters the command.
        """
        value = given.model_dump_json()
        # The core needs the department of an approver, too: a department does not approve what its outbox has sent.
        department = who.department if who is not None else None

        async def entry() -> Entry:
            return Entry(
                id=id_,
                inquiry_id=inquiry_id,
                n=await next_number(self.ledger, inquiry_id),
                type=given.type,
                recorded_at=timestamps.now(),
                value=value,
                fingerprint=ids.digest(value.encode()),
                source=DESK_SOURCE if department is None else f"{DESK_DEPARTMENT_SOURCE}{department}",
                actor=who.actor if who else OPERATOR,
                user=who.number if who else None,
            )

        accepted, written = await accept_in_free_place(self.ledger, entry)
        if written.earlier and not accepted.repeats(written.earlier):
            raise Problem(422, "This Idempotency-Key belongs to another command; use a new key for each command.")
        if await self.store.tombstones.through_of([inquiry_id]):
            # No words of the command may stay. The relay does not publish it, and its status is `refused`.
            await self.ledger.erase(inquiry_id)
        return id_

    async def _check_visible(self, inquiry_id: str, who: StaffUser) -> None:
        """Raise Problem 404 unless the inquiry exists and this user may see it."""
        known = bool(await self.store.decisions.known([inquiry_id]))
        if known and who.department is not None:
            known = has_part(await self._case(inquiry_id), who.department)
        elif not known and who.department is None:
            known = bool(await self.store.parked.of([inquiry_id]))
        if not known:
            raise Problem(404, f"There is no inquiry {shown(inquiry_id)}.")

    async def _check_own_part(self, inquiry_id: str, part_id: str, who: StaffUser) -> None:
        """Raise Problem 422 for another inquiry's part, 403 for another department's. The core refuses an unknown part."""
        if ids.inquiry_of(part_id) != inquiry_id:
            detail = f"part_id {shown(part_id)} is not a part of {shown(inquiry_id)}"
            raise Problem(422, detail + ".", [FieldProblem(pointer="/part_id", detail=detail)])
        part = (await self._case(inquiry_id)).parts.get(part_id)
        # A command without a department in its rights is of a user of the whole city.
        if part is not None and who.department is not None and part.department != who.department:
            detail = f"The part {part_id!r} belongs to {part.department!r}, and you work for {who.department!r}"
            raise Problem(403, f"{detail}; allowed role: a clerk of {part.department!r}.")

    async def _case(self, inquiry_id: str) -> Case:
        """The case from the store: a cached one may be outdated."""
        return (await self.store.decisions.reload([inquiry_id]))[inquiry_id]

    async def status(self, event_id: str, who: StaffUser) -> dict[str, Any]:
        """The fields of `CommandStatus`. Raises Problem 404 for an unknown id, and for another user's command.

        Operators also see the commands that the router itself has entered.
        """
        entry = await self.ledger.entries.find_one({"_id": event_id})
        if entry is None or not owns(who, entry):
            raise Problem(404, f"There is no command {shown(event_id)}.")
        for decision in await self.store.decisions.of(entry["inquiry_id"]):
            if decision.cause == event_id:
                refusal = decision.refused
                status = {"status": "refused" if refusal else "applied", "inquiry_id": decision.inquiry_id}
                return status | ({"reason": reason_of(refusal)} if refusal else {})
        if erased(entry):
            reason = f"The inquiry {entry['inquiry_id']!r} is erased, and takes no command."
            return {"status": "refused", "inquiry_id": entry["inquiry_id"], "reason": reason}
        return {"status": "pending", "inquiry_id": entry["inquiry_id"]}


def owns(who: StaffUser, entry: Document) -> bool:
    if "user" not in entry:
        return who.role == "operator"
    return bool(entry["user"] == who.number)


def command_of(inquiry_id: str, body: bytes, who: StaffUser) -> Payload:
    """The command in a body, with the name of its sender. Raises Problem 422, or 403 when the role may not send it."""
    try:
        given = from_json(body)
    except ValueError as error:
        raise Problem(422, "The body is not JSON; write an object with the field `type`.") from error
    json_document(body)
    kind = given.get("type") if isinstance(given, dict) else None
    if not isinstance(kind, str) or kind not in DESK_COMMANDS:
        detail = f"type {shown(kind)} is not a command; write one of {', '.join(sorted(DESK_COMMANDS))}"
        raise Problem(422, detail + ".", [FieldProblem(pointer="/type", detail=detail)])
    judge(who.role, kind)
    command = DESK_COMMANDS[kind]
    if who.department is None and kind in WHOLE_CASE_COMMANDS:
        command = WHOLE_CASE_COMMANDS[kind]
        if given.get("part_id") is not None:
            detail = f"part_id {shown(given['part_id'])} is for a clerk of the part's department; leave it out"
            raise Problem(422, detail + ".", [FieldProblem(pointer="/part_id", detail=detail)])
    try:
        return command.model_validate(given | {"inquiry_id": inquiry_id, "by": _person(who, given)})
    except ValidationError as error:
        raise invalid(error) from error


def _person(who: StaffUser, given: Mapping[str, Any]) -> Any:
    """The name that the command will carry. What the shared account says is kept as it is, so that it is validated."""
    return given["by"] if "by" in given and who.is_shared else who.name


def reason_of(refusal: Refusal) -> str:
    """Reason and remedy of a refusal; a sentence with the reason code when an erasure has deleted both."""
    sentences = f"{refusal.reason} {refusal.remedy}".strip()
    return sentences or f"The sentences are erased; the reason code is {refusal.code!r}."
