"""The moves: each turns a case and an input into facts, or refuses with a reason; MOVES says which for which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from services.router.domain.case import OPEN, Case, Part, fold
from services.router.domain.decision import Input, Refusal
from services.router.domain.directory import Directory
from services.router.rules import Assignment, assign
from shared.clocks import deadlines
from shared.contracts.envelope import Payload
from shared.contracts.facts import Fact
from shared.contracts.inputs import (
    CaseAssign,
    CaseRecallPart,
    CaseReplay,
    CaseWithdrawPart,
    InquiryRated,
    InquiryReceived,
    PartAccepted,
    PartContributed,
    PartMessage,
    PartReplied,
    PartReturned,
)
from shared.contracts.limits import DEPARTMENTS_MAX
from shared.runtime import timestamps

Facts = list[Fact]
P = TypeVar("P", bound=Payload)


class Refused(Exception):
    """Raised by a move that the case's state forbids; becomes the decision's refusal."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, remedy)


# ── residents ────────────────────────────────────────────────────────────────


def receive(case: Case, given: Input, directory: Directory) -> Facts:
    """A new message: registered, and assigned by the rules or laid into triage."""
    message = _payload(given, InquiryReceived)
    if case.inquiry is not None:
        raise Refused(
            f"The inquiry {case.inquiry_id!r} was received before.", "Use a number of its own for each inquiry."
        )
    facts = [Fact("inquiry.registered", message.model_dump(mode="json"))]
    if unknown := directory.unknown(message.departments):
        return [*facts, Fact("inquiry.triaged", {"reason": "unknown-department", "departments": list(unknown)})]
    found = assign(
        directory.rules,
        subject=message.subject,
        body=message.body,
        area=message.area,
        channel=message.channel,
        named=message.departments,
    )
    if found is None:
        return [*facts, Fact("inquiry.triaged", {"reason": "no-rule"})]
    return facts + _assignment(case, found, given.recorded_at, directory)


def rate(case: Case, given: Input, directory: Directory) -> Facts:
    """The resident's word on the answer of a round, once for each round."""
    rating = _payload(given, InquiryRated)
    if not case.answered or rating.round != case.round:
        raise Refused(
            f"Round {rating.round} of {case.inquiry_id!r} has no answer to rate.",
            f"Rate round {case.round} once it is answered.",
        )
    if rating.round in case.rated:
        raise Refused(f"Round {rating.round} of {case.inquiry_id!r} is rated already.", "Nothing is to be done.")
    return [Fact("inquiry.rated", rating.model_dump(mode="json"))]


# ── departments ──────────────────────────────────────────────────────────────


def accept(case: Case, given: Input, directory: Directory) -> Facts:
    """The department takes its part."""
    part = _own_part(case, given)
    if part.state != "offered":
        raise Refused(f"The part {part.id!r} is {part.state} already.", "Accept a part once, while it is offered.")
    return _acceptance(part, given)


def contribute(case: Case, given: Input, directory: Directory) -> Facts:
    """The department's share of the answer, or a draft of it; it implies that the part is accepted."""
    part, contribution = _open_part(case, given), _payload(given, PartContributed)
    data: dict[str, Any] = {"part_id": part.id, "department": part.department}
    data |= {"text": contribution.text, "by": contribution.by}
    data["actions"] = [action.model_dump(mode="json") for action in contribution.actions]
    return [*_acceptance(part, given), Fact("part.contributed" if contribution.final else "part.drafted", data)]


def reply(case: Case, given: Input, directory: Directory) -> Facts:
    """An interim word to the resident; it implies that the part is accepted."""
    part, word = _open_part(case, given), _payload(given, PartReplied)
    data = {"part_id": part.id, "department": part.department, "text": word.text, "by": word.by}
    return [*_acceptance(part, given), Fact("inquiry.replied", data)]


def give_back(case: Case, given: Input, directory: Directory) -> Facts:
    """A part comes back: it lies in triage, and the joint reply waits."""
    part, back = _open_part(case, given), _payload(given, PartReturned)
    data = back.model_dump(mode="json") | {"department": part.department}
    triaged = Fact("inquiry.triaged", {"reason": "returned", "part_id": part.id, "department": part.department})
    return [Fact("part.returned", data), triaged]


# ── operators ────────────────────────────────────────────────────────────────


def assign_by_hand(case: Case, given: Input, directory: Directory) -> Facts:
    """Give what lies in triage to departments; one that has a part keeps it, what came back is settled."""
    command = _payload(given, CaseAssign)
    if case.state != "triage":
        raise Refused(
            f"The inquiry {case.inquiry_id!r} is {case.state}, not in triage.", "Assign what `triage list` shows."
        )
    wanted = (command.lead, *command.co_handlers)
    if len(set(wanted)) != len(wanted):
        raise Refused("A department is named twice.", "Name each department once.")
    if unknown := directory.unknown(wanted):
        raise Refused(
            f"{', '.join(map(repr, unknown))} is no active department.",
            "Name departments that `department list` shows.",
        )
    stay = tuple(one for one in (case.lead, *case.co_handlers) if one and one not in wanted)
    if len(wanted) + len(stay) > DEPARTMENTS_MAX:
        raise Refused(
            f"That makes {len(wanted) + len(stay)} departments.", f"At most {DEPARTMENTS_MAX} handle one inquiry."
        )
    why = {"zh": f"由 {command.by} 从待分派中指派", "en": f"assigned from triage by {command.by}"}
    return _parts(case, command.lead, (*command.co_handlers, *stay), why, None, given.recorded_at, directory)


def withdraw_part(case: Case, given: Input, directory: Directory) -> Facts:
    """Take a part away from its department, returned or not; the others' answer then stands without it."""
    command = _payload(given, CaseWithdrawPart)
    part = case.parts.get(command.part_id)
    if (
        part is None
        or part.state in ("contributed", "withdrawn")
        or (part.state == "returned" and part.id not in case.unsettled)
    ):
        raise Refused(
            f"The part {command.part_id!r} cannot be withdrawn.", "Withdraw a part that is open or was returned."
        )
    facts = [
        Fact(
            "part.withdrawn", {"part_id": part.id, "department": part.department, "why": command.why, "by": command.by}
        )
    ]
    then = fold(case, facts[0])
    if not then.active_parts:
        return [*facts, Fact("inquiry.triaged", {"reason": "no-department"})]
    heir = then.active_parts[0] if then.lead is None else None
    return facts + [_changed(part, "lead" if part is heir else part.role) for part in then.active_parts]


def recall_part(case: Case, given: Input, directory: Directory) -> Facts:
    """An open part goes back to triage; the joint reply waits until somebody else has it, or those who have one suffice."""
    command = _payload(given, CaseRecallPart)
    part = case.parts.get(command.part_id)
    if part is None or part.state not in OPEN:
        raise Refused(f"The part {command.part_id!r} cannot be recalled.", "Recall a part that is open.")
    about = {"part_id": part.id, "department": part.department}
    return [
        Fact("part.withdrawn", about | {"why": command.why, "by": command.by}),
        Fact("inquiry.triaged", {"reason": command.reason} | about),
    ]


def release(case: Case, given: Input, directory: Directory) -> Facts:
    """What was parked has been taken, in order, before this."""
    return [Fact("case.released", {"by": _payload(given, CaseReplay).by})]


MOVES: Mapping[str, Callable[[Case, Input, Directory], Facts]] = {
    InquiryReceived.type: receive,
    InquiryRated.type: rate,
    PartAccepted.type: accept,
    PartContributed.type: contribute,
    PartReplied.type: reply,
    PartReturned.type: give_back,
    CaseAssign.type: assign_by_hand,
    CaseWithdrawPart.type: withdraw_part,
    CaseRecallPart.type: recall_part,
    CaseReplay.type: release,
}


# ── what moves are made of ───────────────────────────────────────────────────


def _payload(given: Input, kind: type[P]) -> P:
    assert isinstance(given.payload, kind)
    return given.payload


def _own_part(case: Case, given: Input) -> Part:
    message = _payload(given, PartMessage)
    part = case.parts.get(message.part_id)
    if part is None or part.department != given.department:
        raise Refused(
            f"The part {message.part_id!r} is not {given.department!r}'s.",
            "Use the part_id of a part.offered in your inbox.",
        )
    return part


def _open_part(case: Case, given: Input) -> Part:
    part = _own_part(case, given)
    if part.state not in OPEN:
        raise Refused(
            f"The part {part.id!r} is {part.state} already.", "Nothing more can be said on it; ask the desk if it must."
        )
    return part


def _acceptance(part: Part, given: Input) -> Facts:
    if part.state != "offered":
        return []
    by = _payload(given, PartMessage).by
    return [Fact("part.accepted", {"part_id": part.id, "department": part.department, "by": by})]


def _assignment(case: Case, found: Assignment, at: str, directory: Directory) -> Facts:
    why = {"zh": found.why.zh, "en": found.why.en}
    return _parts(case, found.lead, found.co_handlers, why, found.rule, at, directory)


def _parts(
    case: Case,
    lead: str,
    co_handlers: tuple[str, ...],
    why: dict[str, str],
    rule: str | None,
    at: str,
    directory: Directory,
) -> Facts:
    """The facts of an assignment: what it says, then a new part for each department that has none yet."""
    policy = directory.policy
    about: dict[str, Any] = {"lead": lead, "co_handlers": list(co_handlers), "why": why, "rule": rule}
    facts = [Fact("inquiry.assigned", about | {"policy_id": policy.id, "round": case.round})]
    have = {part.department: part for part in case.active_parts}
    number, due = len(case.parts), _due(at, directory)
    for department in (lead, *co_handlers):
        role = "lead" if department == lead else "co-handler"
        part = have.get(department)
        if part is None:
            number += 1
            data: dict[str, Any] = {"part_id": f"{case.inquiry_id}-p{number}", "department": department, "role": role}
            data |= {"due": due, "round": case.round, "why": f"{why['zh']} / {why['en']}"}
            facts.append(Fact("part.offered", data))
        else:
            facts.append(_changed(part, role))
    return facts


def _changed(part: Part, role: str) -> Fact:
    """Who handles the inquiry has changed: every department that stays is told, whether its own role changes or not."""
    return Fact("part.changed", {"part_id": part.id, "department": part.department, "role": role})


def _due(at: str, directory: Directory) -> dict[str, str]:
    started = datetime.fromisoformat(at)
    return {name: timestamps.to_text(deadlines.due_at(started, limit)) for name, limit in directory.limits.items()}


def joined(case: Case) -> Fact:
    """The answer, when every duty is fulfilled."""
    parts = case.active_parts
    return Fact(
        "inquiry.answered",
        {"round": case.round, "parts": [part.id for part in parts], "departments": [part.department for part in parts]},
    )
