"""Corrections and retractions of a reply that is released: the former text stays visible beside the new one."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.fold.corrections import corrected_parts
from services.router.domain.rules.joint_reply import composed
from services.router.domain.rules.preconditions import Facts, Refuse, Refused, by, payload_of, the_part
from services.router.domain.rules.release import approvers_needed
from services.router.domain.words import NewFact
from shared.contracts.case_commands import CaseRetract
from shared.contracts.department_outbox import PartCorrected

NOT_RELEASED = Refuse(
    "not-released",
    "The part {part_id!r} has no released text.",
    "Correct a text once the resident has it; before that, send the contribution again.",
)

NOTHING_RELEASED = Refuse(
    "nothing-released",
    "The inquiry {inquiry_id!r} is {state}; it has no reply that can be retracted now.",
    "Refuse the release of a reply that waits for it with the command `refuse-release`.",
)


def correct(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record a new text for one department's share of the released reply. Other departments' words stay as they are."""
    part, message = the_part(case, given), payload_of(given, PartCorrected)
    if any(part.id in one.reply.part_ids for one in case.addenda_of_round):
        raise Refused(
            "in-addendum",
            f"The text of the part {part.id!r} is in an addendum, and addenda are not corrected.",
            "Ask the city's desk to retract the text.",
        )
    if not case.is_answered or case.released is None or case.released.paragraph(part.id) is None:
        raise NOT_RELEASED.of(case, given)
    if case.status != "answered":
        raise Refused(
            "late-part-undecided",
            f"An addendum or a late part of {case.inquiry_id!r} waits for a decision of the city.",
            "Send the correction again when the inquiry is answered.",
        )
    # After a retraction the department may confirm the same text.
    if part.text is not None and message.text == part.text.text and part.id not in case.retracted:
        raise Refused("correction-unchanged", f"The part {part.id!r} has this text already.", "No action is needed.")
    sent = facts.CorrectionSent(part.id, part.department, by_city=given.department is None)
    return [NewFact(sent, texts={"text": message.text}, private=by(given))]


def retract(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Mark one part of the released reply and its addenda, or all, as no longer valid. A correction gives it a new text."""
    command, released = payload_of(given, CaseRetract), case.released
    if released is None or not case.is_answered:
        raise NOTHING_RELEASED.of(case, given)
    named = [one.part_id for one in case.released_paragraphs]
    if command.part_id is not None and command.part_id not in named:
        raise Refused(
            "part-not-in-reply",
            f"The part {command.part_id!r} is not in the released reply.",
            "Name a part of the reply, or none to retract all of them.",
        )
    parts = tuple(one for one in named if command.part_id in (None, one) and one not in case.retracted)
    if not parts:
        raise Refused("retracted-before", "This text is retracted already.", "No action is needed.")
    fact = facts.Retracted(released.id, released.version, parts)
    return [NewFact(fact, texts={"words": command.words}, private=by(given))]


def correct_when_sent(case: Case, directory: CityIndex) -> NewFact | None:
    """Compose the corrected reply, ask for the approvals that the policies want, then release it as the reply."""
    released, parts = case.released, corrected_parts(case)
    if case.status != "answered" or released is None or not parts:
        return None
    if case.outdated:
        return composed(case, [case.parts[one] for one in released.part_ids], directory)
    reply = case.reply
    assert reply is not None
    if case.pending is None:
        if approvers := approvers_needed(case, directory):
            return NewFact(facts.AwaitingRelease(reply.id, reply.version, reply.round, approvers))
    elif not case.pending.complete:
        return None
    elif not case.pending.released:
        return NewFact(facts.ReplyReleased(reply.id, reply.version))
    return NewFact(facts.Corrected(reply.id, reply.version, parts))
