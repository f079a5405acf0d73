"""The body of the command that closes a case with a final answer."""

from typing import Annotated, Literal

from pydantic import Field

from services.router.desk.requests import REASON_MAX
from shared.contracts.case_commands import Person
from shared.contracts.documented import Documented


class CloseBody(Documented):
    """The command `close`: ends the dialogue with the resident. Nothing reopens the case after that."""

    type: Literal["close"]
    """The command, `close`."""
    why: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    """The reason, 1 to 2,000 characters; the resident receives it."""
    by: Person = "operator"
    """Who closes the case, 1 to 100 characters."""
