"""Extensions: a department asks for more time before its due time; the coordinator grants or refuses it."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import Part
from services.router.domain.question import ExtensionRequest
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
from shared.contracts.extensions import CaseExtend, CaseRefuseExtension, PartExtensionAsked
from shared.runtime import timestamps


def ask_extension(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record the request; the due time stays until it is granted. Also accepts a part that is still offered."""
    part, request = the_part(case, given), payload_of(given, PartExtensionAsked)
    if part.parent is not None:
        raise DELEGATED_PART.of(case, given)
    _check_running(part)
    if part.extension is not None:
        raise Refused(
            "extension-open",
            f"The part {part.id!r} has asked for more time until {part.extension.until}, and the city has not decided.",
            "Wait for part.extended or part.extension-refused.",
        )
    if given.recorded_at > part.due["resolve"]:
        raise Refused(
            "extension-too-late",
            f"The part {part.id!r} was due at {part.due['resolve']}; this request came at {given.recorded_at}.",
            "Ask for more time before the due time. Send the contribution as soon as possible.",
        )
    until = timestamps.to_text(request.until)
    _check_later(part, until)
    asked = facts.ExtensionAsked(part.id, part.department, until)
    return [*acceptance(part, given), NewFact(asked, texts={"reason": request.reason}, private=by(given))]


def extend(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Grant the extension: the resolve clock runs out at the new time, even if it has run out in the meantime."""
    part, command = the_part(case, given), payload_of(given, CaseExtend)
    request = _request_of(part)
    _check_running(part)
    until = timestamps.to_text(command.until) if command.until is not None else request.until
    if until <= given.recorded_at:
        raise Refused(
            "extension-in-the-past", f"The new due time {until} has passed already.", "Give a later time in `until`."
        )
    _check_later(part, until)
    return [NewFact(facts.Extended(part.id, part.department, until), private=by(given))]


def refuse_extension(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Refuse the extension: the due times stay."""
    part, command = the_part(case, given), payload_of(given, CaseRefuseExtension)
    _request_of(part)
    refused = facts.ExtensionRefused(part.id, part.department)
    return [NewFact(refused, texts={"reason": command.reason}, private=by(given))]


def _request_of(part: Part) -> ExtensionRequest:
    if part.extension is None:
        raise Refused(
            "no-extension-asked",
            f"The department {part.department!r} has not asked for more time for the part {part.id!r}.",
            "Look at the case again.",
        )
    return part.extension


def _check_running(part: Part) -> None:
    if part.pause is not None:
        raise Refused(
            "part-paused",
            f"The clocks of the part {part.id!r} pause since {part.pause.since}, because the resident was asked.",
            "Wait for the resident's answer; the due times move with it.",
        )


def _check_later(part: Part, until: str) -> None:
    if until <= part.due["resolve"]:
        raise Refused(
            "extension-not-later",
            f"The part {part.id!r} is due at {part.due['resolve']}; {until} is not later.",
            "Write a later time in `until`.",
        )
