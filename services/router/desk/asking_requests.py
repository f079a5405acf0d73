"""The bodies of the commands that ask the resident, and that ask for, grant and refuse more time."""

from typing import Annotated, Literal

from pydantic import Field

from services.router.desk.requests import REASON_MAX
from shared.contracts.case_commands import Person
from shared.contracts.documented import Documented
from shared.contracts.fields import Moment
from shared.contracts.limits import QUESTION_MAX


class AskBody(Documented):
    """The command `ask`: your department asks the resident; as a coordinator or operator, you ask for the whole inquiry."""

    type: Literal["ask"]
    """The command, `ask`."""
    text: Annotated[str, Field(min_length=1, max_length=QUESTION_MAX)]
    """The question, 1 to 2,000 characters, sent to the resident unchanged."""
    part_id: str | None = None
    """The id of your department's part; null for a user without a department."""
    by: Person = "operator"
    """Who asks, 1 to 100 characters."""


class AskExtensionBody(Documented):
    """The command `ask-extension`: your department asks for more time to resolve its part."""

    type: Literal["ask-extension"]
    """The command, `ask-extension`."""
    part_id: str
    """The id of your department's part."""
    until: Moment
    """The due time that you ask for: RFC 3339, with a time zone, later than the resolve clock."""
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    """Why more time is needed, 1 to 2,000 characters."""


class ExtendBody(Documented):
    """The command `extend`: grants the extension that a department has asked for."""

    type: Literal["extend"]
    """The command, `extend`."""
    part_id: str
    """The id of the part."""
    until: Moment | None = None
    """The new due time: RFC 3339, with a time zone; null for the one that the department asked for."""
    by: Person = "operator"
    """Who grants it, 1 to 100 characters."""


class RefuseExtensionBody(Documented):
    """The command `refuse-extension`: refuses the extension that a department has asked for."""

    type: Literal["refuse-extension"]
    """The command, `refuse-extension`."""
    part_id: str
    """The id of the part."""
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    """Why, 1 to 2,000 characters; the department receives it."""
    by: Person = "operator"
    """Who refuses it, 1 to 100 characters."""
