"""What a policy says about returns (退单): until when, for which reasons, and when an arbiter must decide.

Parts whose policy says nothing can be returned at any time while they are open, and then wait in triage.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.router.domain import facts
from services.router.domain.assignment_rules import Assignment, assign
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import Part
from services.router.domain.rules.part_terms import return_until
from services.router.domain.rules.preconditions import Refused
from shared.city.policies import ReturnPolicy
from shared.contracts.department_outbox import PartReturned
from shared.runtime import timestamps

ASK_THE_DESK = "Contribute to the answer, or ask the city's desk to reassign the part."


def check_return(part: Part, back: PartReturned, given: Input, policy: ReturnPolicy | None) -> None:
    """Refuse the return of a binding part, a late one, a reason that the policy does not have, and one without words."""
    if part.binding:
        raise Refused(
            "part-binding",
            f"The part {part.id!r} was assigned to settle a dispute, so {part.department!r} cannot return it.",
            ASK_THE_DESK,
        )
    if part.return_until is not None and given.recorded_at > part.return_until:
        raise Refused(
            "return-too-late",
            f"The part {part.id!r} could be returned until {part.return_until}; this return came at {given.recorded_at}.",
            ASK_THE_DESK,
        )
    if policy is None:
        return
    if back.reason not in policy.reasons:
        raise Refused(
            "return-reason-unknown",
            f"{back.reason!r} is not one of the city's reasons for a return.",
            f"Return the part with one of {', '.join(policy.reasons)}.",
        )
    if not back.words:
        raise Refused(
            "return-without-words", "The return has no `words`.", "Write in `words` why another department must answer."
        )


def next_by_rules(
    after: Case, part: Part, suggest: str | None, policy: ReturnPolicy, directory: CityIndex
) -> Assignment | None:
    """The departments that the city's rules find without those that had the inquiry before.

    None when triage must decide: nobody or somebody else than the suggested department is found, the inquiry has other
    departments or open points, or there is a dispute.
    """
    inquiry = after.inquiry
    if after.active_parts or after.unsettled != (part.id,) or inquiry is None or is_disputed(after, suggest, policy):
        return None
    had = frozenset(one.department for one in after.parts.values() if one.parent is None)
    found = assign(
        directory.rules_without(had),
        subject=inquiry.subject.text,
        body=inquiry.body.text,
        area=inquiry.area,
        channel=inquiry.channel,
        named=inquiry.departments,
    )
    if found is None or not had.isdisjoint((found.lead, *found.co_handlers)) or suggest not in (None, found.lead):
        return None
    return found


def waiting(
    after: Case, part: Part, suggest: str | None, given: Input, policy: ReturnPolicy | None, directory: CityIndex
) -> facts.Triaged:
    """What the returned part waits for: triage, or an arbiter."""
    if policy is None or not is_disputed(after, suggest, policy):
        return facts.Triaged("returned", part.id, part.department)
    if after.arbitration is not None:
        until = after.arbitration.until
    else:
        since = timestamps.to_ms(timestamps.from_text(given.recorded_at))
        until = return_until(part.policy_id, since, directory)
    return facts.Triaged("arbitration", part.id, part.department, until)


def is_disputed(after: Case, suggest: str | None, policy: ReturnPolicy) -> bool:
    """Whether this return, the last of the case, needs an arbiter: it reaches the limit, or goes back and forth.

    Two departments send an inquiry back and forth (A→B→A) when the one that returned it before also returned it the time
    before that, or is the one that the last return suggests.
    """
    back = sorted(after.returned_parts, key=lambda one: one[1].number)
    if len(back) >= policy.limit:
        return True
    departments = [one.department for one, _ in back]
    return back_and_forth(departments) or (suggest is not None and back_and_forth([*departments, suggest]))


def back_and_forth(path: Sequence[str]) -> bool:
    """Whether the last three are A, B and A again."""
    return len(path) >= 3 and path[-3] == path[-1] != path[-2]
