"""Questions to the resident that are open, what the resident has added, and the pause of a part's clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from services.router.domain import facts
from services.router.domain.words import Text

if TYPE_CHECKING:
    from services.router.domain.case import Case


class Question(NamedTuple):
    """A question that waits for the resident. Without `part_id`, the desk asks for the whole inquiry."""

    part_id: str | None
    department: str | None
    asked_at: str
    remind_at: str
    close_at: str
    text: Text
    reminded: bool = False


class Addition(NamedTuple):
    """What the resident added, and when. The text is empty when it is erased."""

    at: str
    text: Text


class Pause(NamedTuple):
    """The clocks of a part stand still since this time, with this much working time left."""

    since: str
    left: facts.TimeLeft
    return_left: int | None


class ExtensionRequest(NamedTuple):
    """A department asked for more time, and the desk has not decided."""

    until: str
    reason: Text


ENDED = ("withdrawn", "refused", "erased")
"""The case has ended: nobody waits for the resident any more."""


def open_questions(case: Case) -> tuple[Question, ...]:
    """The questions that the resident is asked now."""
    return () if case.status in ENDED else case.questions


def answered_by(case: Case, at: str) -> tuple[Question, ...]:
    """The open questions that words of the resident answer: those asked before the words were recorded."""
    return tuple(one for one in case.questions if one.asked_at <= at)


def closes_at(case: Case) -> str | None:
    """When the inquiry is closed because its questions have no answer; None while somebody else has something to do.

    That is a department with an open part whose clocks run, or triage, unless the desk itself asks. A department that
    finishes later than the time for the answer moves this time, so that the timer is another one.
    """
    if not open_questions(case) or case.closed is not None or case.pending is not None:
        return None
    if case.is_answered or case.status == "answered":
        return None
    if case.unsettled and all(one.part_id is not None for one in case.questions):
        return None
    if any(part.state != "contributed" and part.pause is None for part in case.active_parts):
        return None
    return max((*(one.close_at for one in case.questions), *case.stopped.values()))
