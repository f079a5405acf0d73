"""The commands of staff for a case."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, field_validator

from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import FileId, blank_is_none, has_words, no_nul
from shared.contracts.limits import DEPARTMENTS_MAX, FILES_PER_MESSAGE_MAX, PERSON_MAX

Person = Annotated[str, Field(min_length=1, max_length=PERSON_MAX), AfterValidator(has_words("write a name"))]
"""The name of a person who acts at the desk: words, which an erasure deletes."""


class CaseAssign(Payload):
    """Assign an inquiry, or its returned parts, to departments."""

    type: ClassVar[str] = PREFIX + "case.assign"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    lead: str
    """The code of the department that leads."""
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    """The codes of the other departments that have a part."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class CaseWithdrawPart(Payload):
    """Withdraw a part: its department has nothing more to do."""

    type: ClassVar[str] = PREFIX + "case.withdraw-part"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    why: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters; the department receives it."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)
    _words = field_validator("why")(has_words("write the reason"))


class CaseRecallPart(Payload):
    """Move a part back into triage because its department can no longer answer, for example because it is retired."""

    type: ClassVar[str] = PREFIX + "case.recall-part"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    reason: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=64)
    """A reason code, such as `department-retired`."""
    why: str = Field(min_length=1, max_length=3_000)
    """The reason, 1 to 3,000 characters; the department receives it."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)
    _words = field_validator("why")(has_words("write the reason"))


class CaseReassign(Payload):
    """Move an open part to another department, which gets clocks of its own."""

    type: ClassVar[str] = PREFIX + "case.reassign"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    part_id: str
    """The id of the part that moves, such as `20261122-E94NXPQX-p1`."""
    to: str
    """The code of the department that gets the part."""
    words: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters; both departments receive it."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id", "to")(no_nul)
    _words = field_validator("words")(has_words("write the reason"))


class CaseArbitrate(Payload):
    """Decide a dispute about returned parts: the named departments cannot return their part."""

    type: ClassVar[str] = PREFIX + "case.arbitrate"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    lead: str
    """The code of the department that leads."""
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    """The codes of the other departments that have a part."""
    words: str | None = Field(None, max_length=2_000)
    """The reason, at most 2,000 characters; the departments receive it. Null when not given."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("words")(no_nul)
    _blank_words = field_validator("words", mode="before")(blank_is_none)


class CaseAssignFirstReceiver(Payload):
    """Give an inquiry that nobody arbitrated in time to the department that was assigned first (首接负责)."""

    type: ClassVar[str] = PREFIX + "case.assign-first-receiver"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class CaseReplay(Payload):
    """Handle the parked inputs of an inquiry in the order of the log, and accept later inputs again."""

    type: ClassVar[str] = PREFIX + "case.replay"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class CaseApprove(Payload):
    """Approve one exact version of a joint reply for its release."""

    type: ClassVar[str] = PREFIX + "case.approve"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    text_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    """The SHA-256 of the UTF-8 text of the reply, 64 hexadecimal digits in lower case."""
    files: Annotated[tuple[FileId, ...], Field(max_length=DEPARTMENTS_MAX * FILES_PER_MESSAGE_MAX)] = Field(
        (), exclude_if=lambda files: not files
    )
    """The ids of all files of the reply, in any order; absent when it has none."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class CaseRefuseRelease(Payload):
    """Return a joint reply, or one part of it, to the departments instead of releasing it."""

    type: ClassVar[str] = PREFIX + "case.refuse-release"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    words: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters; the departments receive it."""
    part_id: str | None = None
    """The id of the part that must be written again, such as `20261122-E94NXPQX-p1`; null for all parts of the reply."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)
    _words = field_validator("words")(has_words("write what must change"))
