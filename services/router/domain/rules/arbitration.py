"""An arbiter ends a dispute about returned parts; if nobody does in time, the first assigned department leads (首接负责)."""

from __future__ import annotations

from services.router.domain.assignment_rules import Assignment, Why
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.assignment import assigned_parts, staying, why_by
from services.router.domain.rules.part_terms import terms_now
from services.router.domain.rules.preconditions import NOT_IN_ARBITRATION, Facts, Refused, payload_of
from shared.contracts.case_commands import CaseArbitrate
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import gettext_noop, translations

BY_ARBITER = gettext_noop("decided in arbitration by %(person)s")
FIRST_ASSIGNED = gettext_noop("nobody arbitrated in time, so the first assigned department answers")
ARBITRATE = "A coordinator or a supervisor decides with the command `arbitrate`."


def arbitrate(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The arbiter assigns the inquiry. The named departments cannot return their part; the other ones keep theirs."""
    command = payload_of(given, CaseArbitrate)
    if case.arbitration is None:
        raise NOT_IN_ARBITRATION.of(case, given)
    wanted = (command.lead, *command.co_handlers)
    stay = staying(case, wanted, directory)
    why = why_by(BY_ARBITER, command.by)
    if command.words:
        why = why._replace(en=f"{why.en}: {command.words}")
    found = Assignment(command.lead, (*command.co_handlers, *stay), why, rule=None)
    return assigned_parts(case, found, terms_now(case, given, directory), binding=wanted)


def assign_first_receiver(case: Case, given: Input, directory: CityIndex) -> Facts:
    """End an arbitration whose time has passed, by command; `end_arbitration` does it when the timer rings."""
    if case.arbitration is None:
        raise NOT_IN_ARBITRATION.of(case, given)
    until = case.arbitration.until
    if until is None or given.recorded_at < until:
        time = f"until {until}" if until is not None else "without a limit, because the policy sets no time"
        raise Refused("arbitration-open", f"The inquiry {case.inquiry_id!r} waits for an arbiter {time}.", ARBITRATE)
    found = first_receiver_leads(case, directory)
    if found is None:
        raise Refused(
            "no-first-department",
            f"No department that had a part of {case.inquiry_id!r} can take it again.",
            ARBITRATE,
        )
    assignment, first = found
    return assigned_parts(case, assignment, terms_now(case, given, directory), binding=(first,))


def end_arbitration(case: Case, given: Input, directory: CityIndex, until: str) -> Facts:
    """The time of the arbiter has passed. Changes nothing when the arbitration has ended, or nobody can take the part."""
    if case.arbitration is None or case.arbitration.until != until or first_assigned(case, directory) is None:
        return []
    return assign_first_receiver(case, given, directory)


def first_receiver_leads(case: Case, directory: CityIndex) -> tuple[Assignment, str] | None:
    """The assignment in which the first assigned department leads, and this department; None when there is none.

    A lead that has contributed keeps the lead and has nothing more to do; the first of the others is then a co-handler.
    """
    first = first_assigned(case, directory)
    if first is None:
        return None
    handling = case.active_parts
    done = [part.department for part in handling[:1] if part.role == "lead" and part.state == "contributed"]
    lead, *co_handlers = dict.fromkeys([*done, first, *(part.department for part in handling)])
    why = Why(*(translations(language).gettext(FIRST_ASSIGNED) for language in LANGUAGES))
    return Assignment(lead, tuple(co_handlers), why, rule=None), first


def first_assigned(case: Case, directory: CityIndex) -> str | None:
    """The department that was assigned first, of those that are active and have not contributed.

    A department whose part the desk withdrew does not count. None when there is none.
    """
    contributed = {part.department for part in case.active_parts if part.state == "contributed"}
    for part in case.parts.values():
        known = not directory.unknown((part.department,))
        if part.parent is None and part.state != "withdrawn" and known and part.department not in contributed:
            return part.department
    return None
