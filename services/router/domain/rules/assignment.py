"""Assigns departments: by the city's rules when a message arrives, by an operator's command from triage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import cast

from services.router.domain import facts
from services.router.domain.assignment_rules import Assignment, Why, assign
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import Part
from services.router.domain.rules.part_terms import PartTermsFinder, terms_now
from services.router.domain.rules.preconditions import AWAITS_ARBITRATION, Facts, Refused, payload_of
from services.router.domain.words import NewFact
from shared.contracts.case_commands import CaseAssign
from shared.contracts.limits import DEPARTMENTS_MAX
from shared.contracts.resident_inputs import InquiryReceived
from shared.runtime import timestamps
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import gettext_noop, translations

FROM_TRIAGE = gettext_noop("assigned from triage by %(person)s")


def receive(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Register a message, then assign departments, or send it to triage when no rule matches or a code is unknown."""
    message = payload_of(given, InquiryReceived)
    registered = registration(message, directory)
    if directory.unknown(message.departments):
        return [registered, NewFact(facts.Triaged("unknown-department"))]
    if message.refers_to is not None:
        return [registered, NewFact(facts.Triaged("another-ticket"))]
    found = assign(
        directory.rules,
        subject=message.subject,
        body=message.body,
        area=message.area,
        channel=message.channel,
        named=message.departments,
    )
    if found is None:
        return [registered, NewFact(facts.Triaged("no-rule"))]
    terms = PartTermsFinder(message.channel, message.received_at, found.rule, given.recorded_at, directory)
    return [registered, *assigned_parts(case, found, terms)]


def registration(message: InquiryReceived, directory: CityIndex) -> NewFact:
    """`inquiry.registered`. A channel, area or department that the city does not have is stored as words instead."""
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
        files=message.files,
    )
    texts = {"subject": message.subject, "body": message.body}
    contact = message.contact.model_dump(exclude_none=True) if message.contact else {}
    private = {f"contact/{name}": value for name, value in contact.items()}
    if message.area is not None:
        private["area"] = message.area
    if channel != message.channel:
        private["channel"] = message.channel
    more = {"account": message.account, "entered_by": message.entered_by, "refers_to": message.refers_to}
    private |= {name: value for name, value in more.items() if value is not None}
    if named != message.departments:
        private["departments"] = " ".join(message.departments)
    return NewFact(fact, texts=texts, private=private)


def assign_by_hand(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Assign an inquiry in triage. A department that has a part keeps it; returned parts are settled."""
    command = payload_of(given, CaseAssign)
    if case.arbitration is not None:
        raise AWAITS_ARBITRATION.of(case, given)
    stay = staying(case, (command.lead, *command.co_handlers), directory)
    why = why_by(FROM_TRIAGE, command.by)
    by_hand = Assignment(command.lead, (*command.co_handlers, *stay), why, rule=None)
    return assigned_parts(case, by_hand, terms_now(case, given, directory))


def why_by(sentence: str, person: str) -> Why:
    """The reason of an assignment by a person, in every language; `sentence` is marked for translation."""
    return Why(*(translations(language).gettext(sentence) % {"person": person} for language in LANGUAGES))


def staying(case: Case, wanted: tuple[str, ...], directory: CityIndex) -> tuple[str, ...]:
    """The departments of the case that stay although a person names only `wanted`.

    Refuses a repeated or unknown department, and too many.
    """
    if repeated := [one for one, times in Counter(wanted).items() if times > 1]:
        raise Refused(
            "department-twice", f"The department {repeated[0]!r} is named twice.", "Name each department once."
        )
    if unknown := directory.unknown(wanted):
        raise unknown_departments(unknown)
    stay = tuple(one for one in (case.lead, *case.co_handlers) if one and one not in wanted)
    if len(wanted) + len(stay) > DEPARTMENTS_MAX:
        raise Refused(
            "too-many-departments",
            f"The inquiry would have {len(wanted) + len(stay)} departments.",
            f"Assign at most {DEPARTMENTS_MAX} departments to an inquiry.",
        )
    return stay


def unknown_departments(codes: tuple[str, ...]) -> Refused:
    """The refusal of a command that names departments which the city does not have."""
    return Refused(
        "unknown-department",
        f"The city has no active department {', '.join(map(repr, codes))}.",
        "Name departments that `chorus department list` shows.",
    )


def assigned_parts(case: Case, found: Assignment, terms: PartTermsFinder, binding: Collection[str] = ()) -> Facts:
    """`inquiry.assigned`, then for each department a new part, or `part.changed` when it has an active part.

    The departments in `binding` cannot return their part.
    """
    lead, co_handlers, why, rule = found
    policy_id = terms.of(lead).policy_id
    assigned = facts.Assigned(lead, co_handlers, rule, policy_id, case.round)
    made: Facts = [NewFact(assigned, texts={"why": f"{why.zh} / {why.en}"})]
    have = {part.department: part for part in case.active_parts}
    number = len(case.parts)
    for department in (lead, *co_handlers):
        role: facts.Role = "lead" if department == lead else "co-handler"
        part = have.get(department)
        if part is None:
            number += 1
            part_id = f"{case.inquiry_id}-p{number}"
            own = terms.of(department)
            other_id = None if own.policy_id == policy_id else own.policy_id
            bound = department in binding
            until = None if bound else own.return_until
            offered = facts.Offered(
                part_id, department, role, own.due, case.round, other_id, own.provisional, until, bound
            )
            made.append(NewFact(offered))
        else:
            made.append(part_changed(part, role, department in binding))
    return made


def part_changed(part: Part, role: facts.Role, binding: bool = False) -> NewFact:
    """`part.changed`, for every department that keeps its part, because its message names the other departments."""
    return NewFact(facts.Changed(part.id, part.department, role, binding))
