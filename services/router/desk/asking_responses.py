"""Questions to the resident, additions and requests for more time, as the desk shows them."""

from collections.abc import Mapping
from typing import Any

from services.router.domain.case import Case
from services.router.domain.part import Part
from shared.contracts.documented import Documented


class QuestionShown(Documented):
    """A question that waits for the resident."""

    part_id: str | None
    """The id of the part whose department asks; null when the desk asks for the whole inquiry."""
    department: str | None
    """The code of this department; null when the desk asks."""
    text: str
    """The question; empty when it is erased."""
    asked_at: str
    """When the question was recorded (RFC 3339, UTC, milliseconds)."""
    remind_at: str
    """When the resident is reminded of it (RFC 3339, UTC, milliseconds)."""
    close_at: str
    """When the inquiry is closed without an answer (RFC 3339, UTC, milliseconds)."""


class CaseAdditionShown(Documented):
    """What the resident added at one time."""

    at: str
    """When it was recorded (RFC 3339, UTC, milliseconds)."""
    text: str
    """The resident's words; empty when they are erased."""


class ExtensionShown(Documented):
    """A department's request for more time."""

    until: str
    """The due time that the department asks for (RFC 3339, UTC, milliseconds)."""
    reason: str
    """Why it needs more time; empty when it is erased."""


def questions_shown(case: Case) -> list[Mapping[str, Any]]:
    """The fields of `QuestionShown` for each open question."""
    names = ("part_id", "department", "asked_at", "remind_at", "close_at")
    return [{name: getattr(one, name) for name in names} | {"text": one.text.text} for one in case.questions]


def additions_shown(case: Case) -> list[Mapping[str, Any]]:
    """The fields of `CaseAdditionShown` for each addition."""
    return [{"at": one.at, "text": one.text.text} for one in case.additions]


def part_waits(part: Part) -> Mapping[str, Any]:
    """The fields of `PartShown` about pauses and extensions, as far as they say something."""
    shown: dict[str, Any] = {}
    if part.pause is not None:
        shown["paused_since"] = part.pause.since
    if part.extension is not None:
        shown["extension"] = {"until": part.extension.until, "reason": part.extension.reason.text}
    return shown
