"""The bodies of the commands by which a joint reply is edited, approved and refused before its release."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.router.desk.requests import REASON_MAX
from shared.contracts.documented import Documented
from shared.contracts.limits import DEPARTMENTS_MAX, FRAME_MAX

Frame = Annotated[str | None, Field(max_length=FRAME_MAX)]


class EditReplyBody(Documented):
    """The command `edit-reply`: changes the opening, the closing or the order of a joint reply that is not released."""

    type: Literal["edit-reply"]
    """The command, `edit-reply`."""
    opening: Frame = None
    """The text before the first paragraph, at most 1,000 characters. Empty for none; null to keep it as it is."""
    closing: Frame = None
    """The text after the last paragraph, at most 1,000 characters. Empty for none; null to keep it as it is."""
    order: Annotated[tuple[str, ...] | None, Field(max_length=DEPARTMENTS_MAX)] = None
    """The codes of all departments of the reply, in the order of their paragraphs; null to keep the order."""


class GoAheadBody(Documented):
    """The command `go-ahead`: composes the joint reply without the parts that are late, if their policy allows it."""

    type: Literal["go-ahead"]
    """The command, `go-ahead`."""


class ApproveBody(Documented):
    """The command `approve`: approves one exact version of the joint reply for its release."""

    type: Literal["approve"]
    """The command, `approve`."""
    text_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """The SHA-256 of the UTF-8 text of the reply, as `reply.sha256` of the case shows it."""


class RefuseReleaseBody(Documented):
    """The command `refuse-release`: returns the joint reply, or one part of it, to the departments."""

    type: Literal["refuse-release"]
    """The command, `refuse-release`."""
    words: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    """What must change, 1 to 2,000 characters; the departments receive it."""
    part_id: str | None = None
    """The id of the part that must be written again; null for all parts of the reply."""
