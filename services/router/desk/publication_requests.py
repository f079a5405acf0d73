"""The bodies of the commands that decide what the hall shows."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.router.desk.requests import REASON_MAX
from shared.contracts.documented import Documented
from shared.contracts.limits import REDACTED_MAX

TextHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str | None, Field(max_length=REASON_MAX)]


class PublishBody(Documented):
    """The command `publish`: shows one exact masked version in the hall."""

    type: Literal["publish"]
    """The command, `publish`."""
    text_hash: TextHash
    """The SHA-256 of the masked version, as the notifier lists it."""
    why: Reason = None
    """The reason, at most 2,000 characters; required to publish a version that was hidden."""


class HideBody(Documented):
    """The command `hide`: takes the inquiry out of the hall, or keeps it out."""

    type: Literal["hide"]
    """The command, `hide`."""
    why: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    """The reason, 1 to 2,000 characters."""
    text_hash: TextHash | None = None
    """The SHA-256 of the masked version that you have read; null when you have read none."""


class RedactBody(Documented):
    """The command `redact`: hides more words of one masked version."""

    type: Literal["redact"]
    """The command, `redact`."""
    text_hash: TextHash
    """The SHA-256 of the masked version, as the notifier lists it."""
    find: Annotated[str, Field(min_length=1, max_length=REDACTED_MAX)]
    """The words to hide wherever they occur, 1 to 200 characters, exactly as the version has them."""
    why: Reason = None
    """The reason, at most 2,000 characters; null when not given."""
