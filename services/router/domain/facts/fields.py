"""The types of the fields of facts. A string type has the pattern that its values match."""

from typing import Annotated, Literal, TypedDict, get_args

from shared.contracts.case_commands import RefusalReason as RefusalReason
from shared.contracts.commitments import Commitment

InquiryId = Annotated[str, r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}"]
PartId = Annotated[str, r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}-p[1-9]\d*"]
ReplyId = Annotated[str, r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}-r[1-9]\d*(-a[1-9]\d*)?"]
"""The joint reply of a round, such as `20261122-E94NXPQX-r1`, or an addendum to it, such as `…-r1-a1`."""
DepartmentCode = Annotated[str, r"[a-z][a-z0-9-]{1,30}"]
CityId = Annotated[str, r"\S+"]
"""The id of a rule or a policy in the city's files."""
Area = Annotated[str, r".+"]
"""The name of an area in the directory. What a resident writes instead is words."""
Time = Annotated[str, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"]
Role = Literal["lead", "co-handler"]
Satisfied = Literal["yes", "mostly", "no"]
Language = Literal["zh", "en"]
Channel = Literal["web", "hotline", "window", "microblog", "app", "email", "wechat", "import", "other"]
TriageReason = Literal[
    "no-rule",
    "unknown-department",
    "returned",
    "no-department",
    "department-retired",
    "arbitration",
    "reopened",
    "other",
]
ReturnReason = Literal["not-ours", "wrong-area", "incomplete", "lacks-facts", "duplicate", "other"]
Clock = Literal["accept", "first_reply", "resolve"]
ActionKind = Literal["visit", "call", "evidence", "other"]
FramePart = Literal["opening", "closing"]
Publication = Literal["automatic"]
ReopeningClock = Literal["new", "continue", "restart"]
CloseReason = Literal["unanswered", "final-answer"]
CHANNELS: tuple[str, ...] = get_args(Channel)
TRIAGE_REASONS: tuple[str, ...] = get_args(TriageReason)
RETURN_REASONS: tuple[str, ...] = get_args(ReturnReason)
ACTION_KINDS: tuple[str, ...] = get_args(ActionKind)
FRAME_PARTS: tuple[FramePart, ...] = get_args(FramePart)


class DueTexts(TypedDict):
    """When each clock of a part runs out."""

    accept: Time
    first_reply: Time
    resolve: Time


class ActionTaken(TypedDict):
    """An action that a department took for its contribution, such as a visit."""

    kind: ActionKind
    at: Time
    note: Commitment | None


class ParagraphOf(TypedDict):
    """One paragraph of a joint reply."""

    part_id: PartId
    department: DepartmentCode
    text: Commitment | None
