"""Assignment: by rule when a message arrives, by hand from triage."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.router.domain.assignment_rules import Assignment, assign
from services.router.domain.case import Case, Part
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts, Refused, payload_of
from shared.clocks import deadlines
from shared.contracts.facts import Fact
from shared.contracts.inputs import (
    CaseAssign,
    InquiryReceived,
)
from shared.contracts.limits import DEPARTMENTS_MAX
from shared.runtime import timestamps


def receive(case: Case, given: Input, directory: CityIndex) -> Facts:
    """A new message: registered, and assigned by the rules or laid into triage."""
    message = payload_of(given, InquiryReceived)
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
    return facts + assignment(case, found, given.recorded_at, directory)


def assign_by_hand(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Give what lies in triage to departments; one that has a part keeps it, what came back is settled."""
    command = payload_of(given, CaseAssign)
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
    return assigned_parts(case, command.lead, (*command.co_handlers, *stay), why, None, given.recorded_at, directory)


def assignment(case: Case, found: Assignment, at: str, directory: CityIndex) -> Facts:
    why = {"zh": found.why.zh, "en": found.why.en}
    return assigned_parts(case, found.lead, found.co_handlers, why, found.rule, at, directory)


def assigned_parts(
    case: Case,
    lead: str,
    co_handlers: tuple[str, ...],
    why: dict[str, str],
    rule: str | None,
    at: str,
    directory: CityIndex,
) -> Facts:
    """The facts of an assignment: what it says, then a new part for each department that has none yet."""
    policy = directory.policy
    about: dict[str, Any] = {"lead": lead, "co_handlers": list(co_handlers), "why": why, "rule": rule}
    facts = [Fact("inquiry.assigned", about | {"policy_id": policy.id, "round": case.round})]
    have = {part.department: part for part in case.active_parts}
    number, due = len(case.parts), due_times(at, directory)
    for department in (lead, *co_handlers):
        role = "lead" if department == lead else "co-handler"
        part = have.get(department)
        if part is None:
            number += 1
            data: dict[str, Any] = {"part_id": f"{case.inquiry_id}-p{number}", "department": department, "role": role}
            data |= {"due": due, "round": case.round, "why": f"{why['zh']} / {why['en']}"}
            facts.append(Fact("part.offered", data))
        else:
            facts.append(part_changed(part, role))
    return facts


def part_changed(part: Part, role: str) -> Fact:
    """Who handles the inquiry has changed: every department that stays is told, whether its own role changes or not."""
    return Fact("part.changed", {"part_id": part.id, "department": part.department, "role": role})


def due_times(at: str, directory: CityIndex) -> dict[str, str]:
    started = datetime.fromisoformat(at)
    return {name: timestamps.to_text(deadlines.due_at(started, limit)) for name, limit in directory.limits.items()}
