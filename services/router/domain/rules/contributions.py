"""A department works on its part: it accepts it, sends an interim reply, or contributes."""

from __future__ import annotations

from typing import cast

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.going_ahead import with_the_lead
from services.router.domain.rules.preconditions import (
    DELEGATED_PART,
    PART_RELEASED,
    Facts,
    Refused,
    acceptance,
    by,
    payload_of,
    the_part,
)
from services.router.domain.words import Draft, NewFact
from shared.contracts.department_outbox import PartContributed, PartReplied
from shared.runtime import timestamps


def accept(case: Case, given: Input, directory: CityIndex) -> Facts:
    return acceptance(the_part(case, given), given)


def contribute(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record a final contribution or a draft. Also accepts a part that is still offered."""
    part, contribution = the_part(case, given), payload_of(given, PartContributed)
    accepted = acceptance(part, given)
    if not contribution.final:
        return [*accepted, Draft(part.id, {"text": contribution.text, **by(given)})]
    actions: list[facts.ActionTaken] = []
    notes, kinds = dict[str, str](), dict[str, str]()
    for at, one in enumerate(contribution.actions):
        kind = cast(facts.ActionKind, one.kind if one.kind in facts.ACTION_KINDS else "other")
        actions.append({"kind": kind, "at": timestamps.to_text(one.at), "note": None})
        if one.note is not None:
            notes[f"actions/{at}/note"] = one.note
        if kind != one.kind:
            kinds[f"actions/{at}/kind"] = one.kind
    made = facts.Contributed(part.id, part.department, actions=tuple(actions))
    contributed = NewFact(made, texts={"text": contribution.text, **notes}, private={**kinds, **by(given)})
    return [*accepted, contributed, *with_the_lead(case, part, given, directory)]


def reply(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Send an interim reply to the resident. Also accepts a part that is still offered."""
    part, message = the_part(case, given), payload_of(given, PartReplied)
    if part.parent is not None:
        raise DELEGATED_PART.of(case, given)
    replied = NewFact(facts.Replied(part.id, part.department), texts={"text": message.text}, private=by(given))
    return [*acceptance(part, given), replied]


def contribute_again(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Replace a final contribution before its release. The new version of the joint reply needs all approvals again."""
    part, contribution = the_part(case, given), payload_of(given, PartContributed)
    if part.former:
        raise Refused(
            "part-of-earlier-round",
            f"The part {part.id!r} belongs to the answer of an earlier round, which is released.",
            "Use the part_id of the newest part.offered of the inquiry.",
        )
    if part.id in case.released_parts:
        raise PART_RELEASED.of(case, given)
    if not contribution.final:
        raise Refused(
            "contribution-is-final",
            f"The part {part.id!r} has its final contribution; a draft cannot replace it.",
            "Send the whole contribution, with `final` true.",
        )
    if part.text is not None and contribution.text == part.text.text and not contribution.actions:
        raise Refused(
            "contribution-unchanged", f"The part {part.id!r} has this contribution already.", "No action is needed."
        )
    return contribute(case, given, directory)
