"""Facts of questions to the resident: asked, clocks paused, words added, clocks resumed."""

from typing import NamedTuple, TypedDict

from services.router.domain.facts.fields import DepartmentCode, DueTexts, PartId, Time
from shared.contracts.commitments import Commitment


class TimeLeft(TypedDict):
    """The working time that each clock of a part has left, in milliseconds; None for a clock that does not run."""

    accept: int | None
    first_reply: int | None
    resolve: int | None


class PausedPart(TypedDict):
    """A part whose clocks pause. `return_left` is the time left for a return, None without such a time."""

    part_id: PartId
    department: DepartmentCode
    left: TimeLeft
    return_left: int | None


class ResumedPart(TypedDict):
    """A part whose clocks run again: its due times from now on, and until when its department may return it."""

    part_id: PartId
    department: DepartmentCode
    due: DueTexts
    return_until: Time | None


class Asked(NamedTuple):
    """A department asked the resident; without `part_id`, the desk asked for the whole inquiry.

    The resident is reminded at `remind_at`; the inquiry is closed at `close_at` if there is no answer.
    """

    part_id: PartId | None
    department: DepartmentCode | None
    remind_at: Time
    close_at: Time
    text: Commitment | None = None


class Paused(NamedTuple):
    """The clocks of these parts pause from now on."""

    parts: tuple[PausedPart, ...]


class Resumed(NamedTuple):
    """The clocks of these parts run again, with the working time that they had left."""

    parts: tuple[ResumedPart, ...]


class Added(NamedTuple):
    """The resident added words to the inquiry."""

    text: Commitment | None = None


class Reminded(NamedTuple):
    """The resident was reminded of a question."""

    part_id: PartId | None
    department: DepartmentCode | None
