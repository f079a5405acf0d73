"""The commands of staff for a case."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator

from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import blank_is_none, has_words, no_nul
from shared.contracts.ids import INQUIRY_ID
from shared.contracts.limits import DEPARTMENTS_MAX, PERSON_MAX, REDACTED_MAX, WHY_MAX

Person = Annotated[str, Field(min_length=1, max_length=PERSON_MAX), AfterValidator(has_words("write a name"))]
"""The name of a person who acts at the desk: words, which an erasure deletes."""
TextHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256, 64 hexadecimal digits in lower case."""
RefusalReason = Literal[
    "not-a-government-matter", "legal-proceedings", "another-authority", "no-clear-request", "answered-before"
]
"""Why the city does not take up an inquiry. Events have the code."""


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


class CaseRetract(Payload):
    """Mark a released reply, or one part of it, as no longer valid. Its text stays visible."""

    type: ClassVar[str] = PREFIX + "case.retract"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    words: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters; the resident and the departments receive it."""
    part_id: str | None = None
    """The id of the part that no longer holds, such as `20261122-E94NXPQX-p1`; null for all parts of the reply."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)
    _words = field_validator("words")(has_words("write the reason"))


class CaseClose(Payload):
    """Close an answered inquiry with a final answer: nothing reopens it."""

    type: ClassVar[str] = PREFIX + "case.close"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    why: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters; the resident receives it."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _words = field_validator("why")(has_words("write the reason"))


class CasePublish(Payload):
    """Show one exact masked version of an inquiry and its reply in the hall."""

    type: ClassVar[str] = PREFIX + "case.publish"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    text_hash: TextHash
    """The SHA-256 of the masked version, 64 hexadecimal digits in lower case."""
    why: str | None = Field(None, max_length=2_000)
    """The reason, at most 2,000 characters; required to publish a version that was hidden. Null when not given."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("why")(no_nul)
    _blank_why = field_validator("why", mode="before")(blank_is_none)


class CaseHide(Payload):
    """Take an inquiry and its reply out of the hall, or keep it out."""

    type: ClassVar[str] = PREFIX + "case.hide"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    why: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters."""
    text_hash: TextHash | None = None
    """The SHA-256 of the masked version that was read; null when none was. The hall shows no version either way."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _words = field_validator("why")(has_words("write the reason"))


class CaseRedact(Payload):
    """Hide more words of a masked version, shown or not."""

    type: ClassVar[str] = PREFIX + "case.redact"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    text_hash: TextHash
    """The SHA-256 of the masked version, 64 hexadecimal digits in lower case."""
    find: str = Field(min_length=1, max_length=REDACTED_MAX)
    """The words to hide wherever they occur, 1 to 200 characters, exactly as the version has them."""
    why: str | None = Field(None, max_length=2_000)
    """The reason, at most 2,000 characters; null when not given."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("why")(no_nul)
    _words = field_validator("find")(has_words("write the words to hide"))
    _blank_why = field_validator("why", mode="before")(blank_is_none)


class CaseRefuse(Payload):
    """Refuse an inquiry that the city does not take up: the resident is told why, and where to turn instead."""

    type: ClassVar[str] = PREFIX + "case.refuse"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    reason: RefusalReason
    """The reason as a code: `not-a-government-matter`, `legal-proceedings`, `another-authority`, `no-clear-request` or
    `answered-before`."""
    words: str = Field(min_length=1, max_length=WHY_MAX)
    """The reason in words, 1 to 2,000 characters; the resident and the departments receive it."""
    instead: str | None = Field(None, max_length=WHY_MAX)
    """Where the resident can turn instead, at most 2,000 characters; null when there is no such place."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("instead")(no_nul)
    _blank_instead = field_validator("instead", mode="before")(blank_is_none)
    _words = field_validator("words")(has_words("write the reason for the resident"))


class CaseLink(Payload):
    """Link an inquiry to an earlier one about the same matter. Each keeps its own ticket; no resident sees the link."""

    type: ClassVar[str] = PREFIX + "case.link"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    linked_to: Annotated[str, Field(pattern=rf"^{INQUIRY_ID.pattern}$")]
    """The ticket number of the other inquiry."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class CaseErase(Payload):
    """Erase the words and contacts of an inquiry in every service. It cannot be undone."""

    type: ClassVar[str] = PREFIX + "case.erase"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    why: str = Field(min_length=1, max_length=WHY_MAX)
    """The reason, 1 to 2,000 characters. It is erased too."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters. The name is erased too."""

    _words = field_validator("why")(has_words("write the reason"))
