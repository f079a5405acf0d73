"""A coordinator moves an open part to another department."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.assignment_rules import Assignment
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.fold import fold
from services.router.domain.rules.assignment import assigned_parts, unknown_departments, why_by
from services.router.domain.rules.delegation import withdrawn_pieces
from services.router.domain.rules.part_terms import terms_now
from services.router.domain.rules.preconditions import Facts, Refused, by, payload_of, the_part
from services.router.domain.words import NewFact
from shared.contracts.case_commands import CaseReassign
from shared.runtime.translations import gettext_noop

REASSIGNED = gettext_noop("reassigned by %(person)s")


def reassign(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Withdraw the part from its department and offer it to another one, with the same role and clocks of its own.

    A part that its department could not return stays binding: otherwise a settled dispute could start again.
    """
    command, part = payload_of(given, CaseReassign), the_part(case, given)
    if part.parent is not None:
        raise Refused(
            "delegated-part",
            f"The part {part.id!r} is a piece of the part {part.parent!r}.",
            "Withdraw it, and let its department delegate to another one; or reassign the whole part.",
        )
    if directory.unknown((command.to,)):
        raise unknown_departments((command.to,))
    this = NewFact(facts.Withdrawn(part.id, part.department), texts={"why": command.words}, private=by(given))
    withdrawn = [this, *withdrawn_pieces(case, part.id, command.words)]
    after = fold(case, *withdrawn)
    if command.to in (part.department, *after.departments):
        raise Refused(
            "department-has-part",
            f"The department {command.to!r} has a part of {case.inquiry_id!r} already.",
            "Name another department, or withdraw the part with the command `withdraw-part`.",
        )
    handlers = [command.to if one.id == part.id else one.department for one in case.active_parts]
    why = why_by(REASSIGNED, command.by)
    found = Assignment(handlers[0], tuple(handlers[1:]), why._replace(en=f"{why.en}: {command.words}"), rule=None)
    binding = (command.to,) if part.binding else ()
    return [
        *withdrawn,
        *assigned_parts(after, found, terms_now(case, given, directory), binding),
    ]
