"""Delegation: a department passes its part, or pieces of it, to its own offices, and stays responsible for the answer.

There are two levels: a delegated part is not delegated again. Its contribution and its return go to the department above.
"""

from __future__ import annotations

from collections import Counter
from typing import cast

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import Part
from services.router.domain.rules.part_terms import PartTerms, policy_of, terms_now
from services.router.domain.rules.preconditions import (
    DELEGATED_PART,
    Facts,
    Refused,
    acceptance,
    by,
    payload_of,
    the_part,
)
from services.router.domain.words import NewFact
from shared.clocks.deadlines import CLOCKS, provisional
from shared.clocks.working_time import add, elapsed
from shared.contracts.department_outbox import PartDelegated
from shared.contracts.limits import DEPARTMENTS_MAX
from shared.runtime import timestamps
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import gettext_noop, translations

SHARE = 80
"""What a delegated part gets of the working time that the department above has left, in percent; it needs the rest."""
PARENT_LEFT = gettext_noop("the department that delegated the part no longer has it")


def delegate(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Offer a piece of the part to each of the named offices. Also accepts a part that is still offered."""
    message, part = payload_of(given, PartDelegated), the_part(case, given)
    if part.parent is not None:
        raise DELEGATED_PART.of(case, given)
    check_offices(case, part, message.to, directory)
    texts = {} if message.text is None else {"text": message.text}
    delegated = NewFact(facts.Delegated(part.id, part.department, message.to), texts=texts, private=by(given))
    terms = terms_now(case, given, directory)
    offers = (
        offer(case, part, department, number, terms.of(department), given, directory)
        for number, department in enumerate(message.to, len(case.parts) + 1)
    )
    return [*acceptance(part, given), delegated, *offers]


def check_offices(case: Case, part: Part, to: tuple[str, ...], directory: CityIndex) -> None:
    """Refuse a repeated office, one that is not below the department, one that has a part, and too many."""
    if repeated := [one for one, times in Counter(to).items() if times > 1]:
        raise Refused(
            "department-twice", f"The department {repeated[0]!r} is named twice.", "Name each department once."
        )
    below = offices_of(part.department, directory)
    if others := [one for one in to if one not in below]:
        raise Refused(
            "not-an-office",
            f"The department {others[0]!r} is not an active department below {part.department!r}.",
            f"Delegate to {', '.join(below)}." if below else "Answer the part yourself, or return it.",
        )
    if known := [one for one in to if one in case.departments]:
        raise Refused(
            "department-has-part",
            f"The department {known[0]!r} has a part of {case.inquiry_id!r} already.",
            "Delegate to other departments, or ask the city's desk to withdraw that part.",
        )
    if len(pieces_of(case, part.id)) + len(to) > DEPARTMENTS_MAX:
        raise Refused(
            "too-many-departments",
            f"The part {part.id!r} would be delegated to more than {DEPARTMENTS_MAX} departments.",
            f"Delegate a part to at most {DEPARTMENTS_MAX} departments.",
        )


def offices_of(department: str, directory: CityIndex) -> tuple[str, ...]:
    """The active departments whose parent in the directory is this one."""
    below = tuple(one.code for one in directory.city.departments if one.parent == department)
    unknown = directory.unknown(below)
    return tuple(code for code in below if code not in unknown)


def offer(
    case: Case, parent: Part, department: str, number: int, own: PartTerms, given: Input, directory: CityIndex
) -> NewFact:
    """`part.offered` for a piece of the part."""
    due = due_below(case, parent, own, given.recorded_at, directory)
    texts = cast(facts.DueTexts, {clock: timestamps.to_text(timestamps.from_ms(due[clock])) for clock in CLOCKS})
    open_ends = provisional(directory.terms[own.policy_id].calendar, [due[clock] for clock in CLOCKS])
    policy_id = None if own.policy_id == case.policy_id else own.policy_id
    return NewFact(
        facts.Offered(
            f"{case.inquiry_id}-p{number}",
            department,
            "co-handler",
            texts,
            case.round,
            policy_id,
            open_ends,
            own.return_until,
            parent=parent.id,
        )
    )


def due_below(case: Case, parent: Part, own: PartTerms, at: str, directory: CityIndex) -> dict[str, int]:
    """When the clocks of a piece run out: by its own policy, but so that the department above has time left.

    A piece gets SHARE percent of the working time until the part above is due. Its answer is its first reply. When the
    part above is late already, no time of it is left to share, and the policy of the piece counts alone.
    """
    now = milliseconds(at)
    calendar = directory.terms[policy_of(case, parent, directory).id].calendar
    accept, resolve = (milliseconds(own.due[clock]) for clock in ("accept", "resolve"))
    paused_with = None if parent.pause is None else parent.pause.left["resolve"]
    left = elapsed(calendar, now, milliseconds(parent.due["resolve"])) if paused_with is None else paused_with
    if left > 0:
        latest = add(calendar, now, left * SHARE // 100)
        accept, resolve = min(accept, latest), min(resolve, latest)
    return {"accept": accept, "first_reply": resolve, "resolve": resolve}


def milliseconds(text: str) -> int:
    return timestamps.to_ms(timestamps.from_text(text))


def pieces_of(case: Case, part_id: str) -> list[Part]:
    """The active parts that were delegated from this part."""
    return [part for part in case.delegated_parts if part.parent == part_id]


def withdrawn_pieces(case: Case, part_id: str, why: str | None = None) -> list[NewFact]:
    """`part.withdrawn` for each piece of a part that leaves its department."""
    why = why or " / ".join(translations(language).gettext(PARENT_LEFT) for language in LANGUAGES)
    pieces = pieces_of(case, part_id)
    return [NewFact(facts.Withdrawn(one.id, one.department), texts={"why": why}) for one in pieces]
