"""Assignment: by rule when a message arrives, by hand from triage."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from services.router.domain import facts
from services.router.domain.assignment_rules import Assignment, Why, assign
from services.router.domain.case import Case, Part
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts, Refused, payload_of
from services.router.domain.words import Stated
from shared.clocks import deadlines
from shared.contracts.inputs import (
    CaseAssign,
    InquiryReceived,
)
from shared.contracts.limits import DEPARTMENTS_MAX
from shared.runtime import timestamps
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import translations


def receive(case: Case, given: Input, directory: CityIndex) -> Facts:
    """A new message: registered, and assigned by the rules or laid into triage."""
    message = payload_of(given, InquiryReceived)
    registered = registration(message, directory)
    if directory.unknown(message.departments):
        return [registered, Stated(facts.Triaged("unknown-department"))]
    found = assign(
        directory.rules,
        subject=message.subject,
        body=message.body,
        area=message.area,
        channel=message.channel,
        named=message.departments,
    )
    if found is None:
        return [registered, Stated(facts.Triaged("no-rule"))]
    return [registered, *assigned_parts(case, found, given.recorded_at, directory)]


def registration(message: InquiryReceived, directory: CityIndex) -> Stated:
    """The fact that a message makes. What it names otherwise than the city does is words."""
    channel = message.channel if message.channel in facts.CHANNELS else "other"
    named = tuple(code for code in message.departments if code in directory.departments)
    fact = facts.Registered(
        channel=cast(facts.Channel, channel),
        language=message.language,
        public=message.public,
        confidential=message.confidential,
        received_at=timestamps.to_text(message.received_at),
        area=directory.area(message.area),
        named=named,
    )
    texts = {"subject": message.subject, "body": message.body}
    contact = message.contact.model_dump(exclude_none=True) if message.contact else {}
    private = {f"contact/{name}": value for name, value in contact.items()}
    if message.area is not None:
        private["area"] = message.area
    if channel != message.channel:
        private["channel"] = message.channel
    if named != message.departments:
        private["departments"] = " ".join(message.departments)
    return Stated(fact, texts=texts, private=private)


def assign_by_hand(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Give what lies in triage to departments; one that has a part keeps it, what came back is settled."""
    command = payload_of(given, CaseAssign)
    wanted = (command.lead, *command.co_handlers)
    if len(set(wanted)) != len(wanted):
        raise Refused("department-twice", "A department is named twice.", "Name each department once.")
    if unknown := directory.unknown(wanted):
        raise Refused(
            "unknown-department",
            f"{', '.join(map(repr, unknown))} is no active department.",
            "Name departments that `department list` shows.",
        )
    stay = tuple(one for one in (case.lead, *case.co_handlers) if one and one not in wanted)
    if len(wanted) + len(stay) > DEPARTMENTS_MAX:
        raise Refused(
            "too-many-departments",
            f"That makes {len(wanted) + len(stay)} departments.",
            f"At most {DEPARTMENTS_MAX} handle one inquiry.",
        )
    why = Why(
        *(
            translations(language).gettext("assigned from triage by %(person)s") % {"person": command.by}
            for language in LANGUAGES
        )
    )
    by_hand = Assignment(command.lead, (*command.co_handlers, *stay), why, rule=None)
    return assigned_parts(case, by_hand, given.recorded_at, directory)


def assigned_parts(case: Case, found: Assignment, at: str, directory: CityIndex) -> Facts:
    """The facts of an assignment: what it says, then a new part for each department that has none yet."""
    lead, co_handlers, why, rule = found
    assigned = facts.Assigned(lead, co_handlers, rule, directory.policy.id, case.round)
    made: Facts = [Stated(assigned, texts={"why": f"{why.zh} / {why.en}"})]
    have = {part.department: part for part in case.active_parts}
    number, due = len(case.parts), due_times(at, directory)
    for department in (lead, *co_handlers):
        role: facts.Role = "lead" if department == lead else "co-handler"
        part = have.get(department)
        if part is None:
            number += 1
            part_id = f"{case.inquiry_id}-p{number}"
            made.append(Stated(facts.Offered(part_id, department, role, due, case.round)))
        else:
            made.append(part_changed(part, role))
    return made


def part_changed(part: Part, role: facts.Role) -> Stated:
    """Who handles the inquiry has changed: every department that stays is told, whether its own role changes or not."""
    return Stated(facts.Changed(part.id, part.department, role))


def due_times(at: str, directory: CityIndex) -> facts.DueTexts:
    """When each clock of a part that is offered at that moment is due."""
    started = datetime.fromisoformat(at)
    due = {name: timestamps.to_text(deadlines.due_at(started, limit)) for name, limit in directory.limits.items()}
    return cast(facts.DueTexts, due)
