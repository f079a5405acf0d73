"""Facts: one class for each change of a case. `TYPES` maps the classes to event types.

A fact contains no free text, only ids, codes, times, numbers, booleans and commitments to texts in the decision's words.
A new fact needs a class, a line in `TYPES`, a function in `fold` and its outputs; a test names what is missing.
Facts are named tuples with dictionaries inside, because a process makes, serialises and folds thousands in a second.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.router.domain.facts.clocks import Broken, DueSoon
from services.router.domain.facts.closing import Closed, RatingReminded, Reopened
from services.router.domain.facts.corrections import Corrected, CorrectionSent, Retracted
from services.router.domain.facts.delegation import Delegated
from services.router.domain.facts.extensions import Extended, ExtensionAsked, ExtensionRefused
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
    CloseReason,
    DepartmentCode,
    DueTexts,
    FramePart,
    InquiryId,
    Language,
    ParagraphOf,
    PartId,
    Publication,
    RefusalReason,
    ReopeningClock,
    ReplyId,
    ReturnReason,
    Role,
    Satisfied,
    Time,
    TriageReason,
)
from services.router.domain.facts.hall import HallHidden, HallPublished, HallRedacted, Reported
from services.router.domain.facts.inquiry import Assigned, LinkRequested, Rated, Registered, Triaged
from services.router.domain.facts.joint import Omitted, Supplemented
from services.router.domain.facts.operation import Released
from services.router.domain.facts.parts import Accepted, Changed, Contributed, Offered, Replied, Returned, Withdrawn
from services.router.domain.facts.privacy import CaseErased, CaseLinked, CaseRefused, CaseWithdrawn
from services.router.domain.facts.questions import (
    Added,
    Asked,
    Paused,
    PausedPart,
    Reminded,
    Resumed,
    ResumedPart,
    TimeLeft,
)
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
    "Added",
    "Answered",
    "Approved",
    "Area",
    "Asked",
    "Assigned",
    "AwaitingRelease",
    "Broken",
    "CaseErased",
    "CaseLinked",
    "CaseRefused",
    "CaseWithdrawn",
    "Changed",
    "Channel",
    "CityId",
    "Clock",
    "CloseReason",
    "Closed",
    "Composed",
    "Contributed",
    "Corrected",
    "CorrectionSent",
    "Delegated",
    "DepartmentCode",
    "DueSoon",
    "DueTexts",
    "Extended",
    "ExtensionAsked",
    "ExtensionRefused",
    "Fact",
    "FramePart",
    "HallHidden",
    "HallPublished",
    "HallRedacted",
    "InquiryId",
    "Language",
    "LinkRequested",
    "Offered",
    "Omitted",
    "ParagraphOf",
    "PartId",
    "Paused",
    "PausedPart",
    "Publication",
    "Rated",
    "RatingReminded",
    "RefusalReason",
    "Registered",
    "ReleaseRefused",
    "Released",
    "Reminded",
    "Reopened",
    "ReopeningClock",
    "Replied",
    "ReplyEdited",
    "ReplyId",
    "ReplyReleased",
    "Reported",
    "Resumed",
    "ResumedPart",
    "Retracted",
    "ReturnReason",
    "Returned",
    "Role",
    "Satisfied",
    "Supplemented",
    "Time",
    "TimeLeft",
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
    | Omitted
    | Supplemented
    | Delegated
    | CorrectionSent
    | Corrected
    | Retracted
    | HallPublished
    | HallHidden
    | HallRedacted
    | Reported
    | Asked
    | Paused
    | Resumed
    | Added
    | Reminded
    | Closed
    | Reopened
    | ExtensionAsked
    | Extended
    | ExtensionRefused
    | RatingReminded
    | CaseRefused
    | CaseWithdrawn
    | CaseErased
    | CaseLinked
    | UnknownFact
)
OMITTED_WHEN_EMPTY: Mapping[type[Fact], tuple[str, ...]] = {
    Composed: ("addendum",),
    Offered: ("policy_id", "provisional", "return_until", "binding", "parent"),
    Changed: ("binding",),
    Triaged: ("until",),
    Broken: ("gate_behind",),
    Answered: ("publication",),
    HallPublished: ("automatic", "why"),
    HallRedacted: ("why",),
    CorrectionSent: ("by_city",),
    Reopened: ("policy_id", "clock"),
    Closed: ("why",),
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
    Omitted: "part.omitted",
    Supplemented: "inquiry.supplemented",
    Delegated: "part.delegated",
    CorrectionSent: "part.corrected",
    Corrected: "reply.corrected",
    Retracted: "reply.retracted",
    HallPublished: "hall.published",
    HallHidden: "hall.hidden",
    HallRedacted: "hall.redacted",
    Reported: "hall.reported",
    Asked: "part.asked",
    Paused: "inquiry.paused",
    Resumed: "inquiry.resumed",
    Added: "inquiry.added",
    Reminded: "inquiry.reminded",
    Closed: "inquiry.closed",
    Reopened: "inquiry.reopened",
    ExtensionAsked: "part.extension-asked",
    Extended: "part.extended",
    ExtensionRefused: "part.extension-refused",
    RatingReminded: "inquiry.rating-reminded",
    CaseRefused: "inquiry.refused",
    CaseWithdrawn: "inquiry.withdrawn",
    CaseErased: "inquiry.erased",
    CaseLinked: "inquiry.linked",
}
