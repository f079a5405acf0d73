"""The bodies of the commands that correct and retract a released reply."""

from typing import Annotated, Literal

from pydantic import Field

from services.router.desk.requests import REASON_MAX
from shared.contracts.documented import Documented
from shared.contracts.limits import TEXT_MAX


class CorrectBody(Documented):
    """The command `correct`: a new text for one department's share of a released reply."""

    type: Literal["correct"]
    """The command, `correct`."""
    part_id: str
    """The id of the part whose text is wrong."""
    text: Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]
    """The whole corrected paragraph, 1 to 20,000 characters; the former one stays visible."""


class RetractBody(Documented):
    """The command `retract`: marks a released reply, or one part of it, as no longer valid."""

    type: Literal["retract"]
    """The command, `retract`."""
    words: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    """The reason, 1 to 2,000 characters; the resident and the departments receive it."""
    part_id: str | None = None
    """The id of the part that no longer holds; null for all parts of the reply."""
