"""Facts of joint replies."""

from typing import NamedTuple

from services.router.domain.facts.fields import (
    DepartmentCode,
    FramePart,
    ParagraphOf,
    PartId,
    Publication,
    ReplyId,
)
from shared.contracts.commitments import Commitment


class Composed(NamedTuple):
    """The contributions are joined into one text, lead first. `version` counts the texts with this `reply_id`.

    `addendum` counts the addenda of the round; 0 for the reply itself.
    """

    reply_id: ReplyId
    version: int
    round: int
    text: Commitment | None
    paragraphs: tuple[ParagraphOf, ...]
    addendum: int = 0


class AwaitingRelease(NamedTuple):
    """The composed joint reply waits for this many approvals, each by another user."""

    reply_id: ReplyId
    version: int
    round: int
    approvers: int


class ReplyEdited(NamedTuple):
    """The opening, the closing or the order changed. `department` is None when a user of the whole city changed it.

    `order` is empty when it stays. `opening` and `closing` are None when they stay, or when `removed` names them.
    """

    reply_id: ReplyId
    version: int
    department: DepartmentCode | None = None
    order: tuple[DepartmentCode, ...] = ()
    removed: tuple[FramePart, ...] = ()
    opening: Commitment | None = None
    closing: Commitment | None = None


class Approved(NamedTuple):
    """A user approved this version of the joint reply."""

    reply_id: ReplyId
    version: int


class ReleaseRefused(NamedTuple):
    """A user refused the release of this version. `part_id` must be written again; None for all parts of the reply."""

    reply_id: ReplyId
    version: int
    part_id: PartId | None = None
    words: Commitment | None = None


class ReplyReleased(NamedTuple):
    """This version of the joint reply has its approvals and is released."""

    reply_id: ReplyId
    version: int


class Answered(NamedTuple):
    """The newest joint reply is released. `parts`: the ids of the parts in it.

    With `publication`, the hall shows it without a review; None when a person decides, or when it is not public.
    """

    round: int
    parts: tuple[PartId, ...]
    publication: Publication | None = None
