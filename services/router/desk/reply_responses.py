"""The bodies of the desk's answers about joint replies."""

from typing import Literal

from shared.contracts.documented import Documented


class ReplyParagraphShown(Documented):
    """One department's paragraph of a joint reply."""

    part_id: str
    """The id of the part."""
    department: str
    """The department's code."""
    name: str
    """The department's name when the reply was composed, in the language of the inquiry."""
    text: str
    """The department's contribution, unchanged."""


class ReplyChangeShown(Documented):
    """A correction or a retraction of a released reply."""

    what: str
    """`corrected` or `retracted`."""
    at: str
    """When it was recorded (RFC 3339, UTC, milliseconds)."""
    part_id: str
    """The id of the part."""
    department: str
    """The code of the department whose part it is."""
    name: str
    """The department's name when the reply was composed, in the language of the inquiry."""
    text: str
    """The former text of a corrected part, or the reason of a retraction."""
    by_city: bool = False
    """Whether a coordinator corrected it, and not the department."""


class JointReplyShown(Documented):
    """The newest version of the joint reply, or of an addendum to it."""

    reply_id: str
    """The id of the reply, such as `20261122-E94NXPQX-r1`; of an addendum, such as `20261122-E94NXPQX-r1-a1`."""
    version: int
    """The version of the text with this id, counted from 1."""
    sha256: str
    """The SHA-256 of the UTF-8 text, 64 hexadecimal digits; the command `approve` names it."""
    text: str
    """The whole reply, exactly as the resident receives it."""
    paragraphs: list[ReplyParagraphShown]
    """One paragraph for each part, in the order of the reply."""
    opening: str | None
    """The lead's text before the first paragraph; null when there is none."""
    closing: str | None
    """The lead's text after the last paragraph; null when there is none."""
    state: Literal["awaiting-release", "refused", "released"]
    """`awaiting-release` until it is approved; `refused` while departments write their parts again; then `released`."""
    retracted: list[str]
    """The ids of the parts whose text no longer holds."""
    changes: list[ReplyChangeShown]
    """The corrections and retractions of this round since the release, oldest first."""
