"""Facts: one class for each change of a case. `TYPES` maps the classes to event types.

A fact contains no free text, only ids, codes, times, numbers, booleans and commitments to texts in the decision's words.
A new fact needs a class, a line in `TYPES`, a function in `fold` and its outputs; a test names what is missing.
Facts are named tuples with dictionaries inside, because a process makes, serialises and folds thousands in a second.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.router.domain.facts.clocks import Broken, DueSoon
from services.router.domain.facts.fields import (
    ACTION_KINDS,
    CHANNELS,
    FRAME_PARTS,
    RETURN_REASONS,
    TRIAGE_REASONS,
    ActionKind,
    ActionTaken,
    Area,
    Channel,
    CityId,
    Clock,
    DepartmentCode,
    DueTexts,
    FileId,
    FramePart,
    Language,
    ParagraphOf,
    PartId,
    ReplyId,
    ReturnReason,
    Role,
    Satisfied,
    Time,
    TriageReason,
)
from services.router.domain.facts.inquiry import Assigned, LinkRequested, Rated, Registered, Triaged
from services.router.domain.facts.operation import Released
from services.router.domain.facts.parts import Accepted, Changed, Contributed, Offered, Replied, Returned, Withdrawn
from services.router.domain.facts.replies import (
    Answered,
    Approved,
    AwaitingRelease,
    Composed,
    ReleaseRefused,
    ReplyEdited,
    ReplyReleased,
)

__all__ = [
    "ACTION_KINDS",
    "CHANNELS",
    "FRAME_PARTS",
    "OMITTED_WHEN_EMPTY",
    "RETURN_REASONS",
    "TRIAGE_REASONS",
    "TYPES",
    "Accepted",
    "ActionKind",
    "ActionTaken",
    "Answered",
    "Approved",
    "Area",
    "Assigned",
    "AwaitingRelease",
    "Broken",
    "Changed",
    "Channel",
    "CityId",
    "Clock",
    "Composed",
    "Contributed",
    "DepartmentCode",
    "DueSoon",
    "DueTexts",
    "Fact",
    "FileId",
    "FramePart",
    "Language",
    "LinkRequested",
    "Offered",
    "ParagraphOf",
    "PartId",
    "Rated",
    "Registered",
    "ReleaseRefused",
    "Released",
    "Replied",
    "ReplyEdited",
    "ReplyId",
    "ReplyReleased",
    "ReturnReason",
    "Returned",
    "Role",
    "Satisfied",
    "Time",
    "TriageReason",
    "Triaged",
    "UnknownFact",
    "Withdrawn",
]


class UnknownFact(NamedTuple):
    """A fact of a type that only a later version knows. It changes nothing."""

    type: str
    data: Mapping[str, Any]


Fact = (
    Registered
    | Triaged
    | Assigned
    | Replied
    | Composed
    | Answered
    | Rated
    | LinkRequested
    | DueSoon
    | Broken
    | Offered
    | Changed
    | Accepted
    | Contributed
    | Returned
    | Withdrawn
    | Released
    | AwaitingRelease
    | ReplyEdited
    | Approved
    | ReleaseRefused
    | ReplyReleased
    | UnknownFact
)
OMITTED_WHEN_EMPTY: Mapping[type[Fact], tuple[str, ...]] = {
    Registered: ("files",),
    Offered: ("policy_id", "provisional", "return_until", "binding"),
    Changed: ("binding",),
    Contributed: ("files",),
    Triaged: ("until",),
    Broken: ("gate_behind",),
}
"""Fields that an event has only when they say something, so that most events do not grow."""
TYPES: Mapping[type[Fact], str] = {
    Registered: "inquiry.registered",
    Triaged: "inquiry.triaged",
    Assigned: "inquiry.assigned",
    Replied: "inquiry.replied",
    Composed: "reply.composed",
    Answered: "inquiry.answered",
    Rated: "inquiry.rated",
    LinkRequested: "inquiry.link-requested",
    DueSoon: "clock.due-soon",
    Broken: "clock.broken",
    Offered: "part.offered",
    Changed: "part.changed",
    Accepted: "part.accepted",
    Contributed: "part.contributed",
    Returned: "part.returned",
    Withdrawn: "part.withdrawn",
    Released: "case.released",
    AwaitingRelease: "inquiry.awaiting-release",
    ReplyEdited: "reply.edited",
    Approved: "reply.approved",
    ReleaseRefused: "reply.refused",
    ReplyReleased: "reply.released",
}
