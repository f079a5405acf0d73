"""The bodies of requests to the desk."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from shared.city import Name
from shared.contracts.case_commands import Person
from shared.contracts.documented import Documented
from shared.contracts.fields import has_words
from shared.contracts.limits import DEPARTMENTS_MAX

REASON_MAX = 2_000


class DepartmentBody(Documented):
    """The body of `PUT /departments/{code}`."""

    name: Name
    """The department's name in both languages."""
    kind: str = "bureau"
    """What the department is: `bureau`, `district`, `utility` or `imported`."""
    parent: str | None = None
    """The code of the department above it."""
    email: str | None = None
    """The e-mail address to which the department's notices of new parts are sent."""
    phones: tuple[str, ...] = ()
    """The telephone numbers that the department publishes; the hall does not mask them."""
    areas: tuple[str, ...] = ()
    """The areas of which this department is the district office, as residents write them."""


class RetirementBody(Documented):
    """The body of `POST /departments/{code}/retirement`."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_MAX)]
    """The reason, 1 to 2,000 characters. The department receives it with each part that goes back to triage."""
    by: Person = "operator"
    """Who retires the department, 1 to 100 characters; kept with each part that goes back to triage."""

    _words = field_validator("reason")(has_words("write the reason"))


class AssignBody(Documented):
    """The command `assign`: gives an inquiry in triage, or its returned parts, to departments."""

    type: Literal["assign"]
    """The command, `assign`."""
    lead: str
    """The code of the department that leads."""
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    """The codes of the other departments that get a part, at most 19."""
    by: Person = "operator"
    """Who assigns, 1 to 100 characters; the departments read the name."""


class CaseReplayBody(Documented):
    """The command `replay`: takes the parked inputs of an inquiry, in the order of the log."""

    type: Literal["replay"]
    """The command, `replay`."""
    by: Person = "operator"
    """Who replays, 1 to 100 characters."""


class WithdrawPartBody(Documented):
    """The command `withdraw-part`: withdraws a part from its department."""

    type: Literal["withdraw-part"]
    """The command, `withdraw-part`."""
    part_id: str
    """The id of the part."""
    why: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    """The reason, 1 to 2,000 characters; the department receives it."""
    by: Person = "operator"
    """Who withdraws the part, 1 to 100 characters."""
