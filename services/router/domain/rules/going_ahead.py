"""The lead goes ahead without late co-handlers, if the policy of their parts allows it. Their parts stay open."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import Part
from services.router.domain.rules.part_terms import policy_of
from services.router.domain.rules.preconditions import Facts, Refused, by, not_the_lead
from services.router.domain.words import NewFact

WAIT = "Wait for its contribution, or ask the city's desk to reassign the part."


def go_ahead(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Compose the reply without the parts that are missing. Each must be late, and its policy must allow it."""
    if given.department is not None and given.department != case.lead:
        raise not_the_lead(case, given.department, "go ahead with the reply")
    lead = next((part for part in case.active_parts if part.role == "lead"), None)
    if lead is None or lead.state != "contributed":
        raise Refused(
            "lead-not-contributed",
            f"The lead of {case.inquiry_id!r} has not contributed to the reply yet.",
            "The reply cannot go ahead without the contribution of its lead.",
        )
    waited_for = missing(case)
    if not waited_for:
        raise Refused("nothing-missing", f"No part of {case.inquiry_id!r} is missing.", "No action is needed.")
    for part in waited_for:
        if policy_of(case, part, directory).joint_reply.wait == "all":
            raise Refused(
                "reply-waits-for-all", f"The policy of the part {part.id!r} is that the reply waits for it.", WAIT
            )
        if not is_late(part, given.recorded_at):
            if part.pause is not None:
                waits = f"The part {part.id!r} waits for an answer of the resident, so its clocks stand still."
                raise Refused("part-not-late", waits, WAIT)
            due, code = part.due["resolve"], part.department
            raise Refused("part-not-late", f"The part {part.id!r} of {code!r} is due until {due}.", WAIT)
    return [omitted(part, by(given)) for part in waited_for]


def with_the_lead(case: Case, part: Part, given: Input, directory: CityIndex) -> Facts:
    """What follows the lead's contribution to its part: it goes ahead without the others if all of them are late."""
    if part.parent is not None or part.role != "lead" or case.is_answered or case.unsettled:
        return []
    waited_for = [one for one in missing(case) if one.id != part.id]
    if all(may_be_omitted(case, one, given.recorded_at, directory) for one in waited_for):
        return [omitted(one) for one in waited_for]
    return []


def missing(case: Case) -> list[Part]:
    """The parts for which the reply still waits."""
    return [part for part in case.active_parts if part.open and not part.omitted]


def may_be_omitted(case: Case, part: Part, at: str, directory: CityIndex) -> bool:
    return is_late(part, at) and policy_of(case, part, directory).joint_reply.wait == "lead-after-due"


def is_late(part: Part, at: str) -> bool:
    """Whether the part was due before this time. A contribution exactly at the due time is not late.

    While the part waits for the resident, its clocks stand still; it is late only if it was before the question.
    """
    return (at if part.pause is None else part.pause.since) > part.due["resolve"]


def omitted(part: Part, private: dict[str, str] | None = None) -> NewFact:
    return NewFact(facts.Omitted(part.id, part.department), private=private or {})
