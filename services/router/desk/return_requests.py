"""The bodies of the commands that move a part, and that end a dispute about returned parts."""

from typing import Annotated, Literal

from pydantic import Field

from services.router.desk.requests import REASON_MAX
from shared.contracts.case_commands import Person
from shared.contracts.documented import Documented
from shared.contracts.limits import DEPARTMENTS_MAX


class ReassignBody(Documented):
    """The command `reassign`: moves an open part to another department."""

    type: Literal["reassign"]
    """The command, `reassign`."""
    part_id: str
    """The id of the part."""
    to: str
    """The code of the department that gets the part."""
    words: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]
    """The reason, 1 to 2,000 characters; both departments receive it."""
    by: Person = "operator"
    """Who reassigns the part, 1 to 100 characters; the new department reads the name."""


class ArbitrateBody(Documented):
    """The command `arbitrate`: assigns a case that awaits arbitration. The named departments cannot return their part."""

    type: Literal["arbitrate"]
    """The command, `arbitrate`."""
    lead: str
    """The code of the department that leads."""
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    """The codes of the other departments that get a part, at most 19."""
    words: Annotated[str | None, Field(max_length=REASON_MAX)] = None
    """The reason, at most 2,000 characters; the departments receive it. Null when not given."""
    by: Person = "operator"
    """Who arbitrates, 1 to 100 characters; the departments read the name."""


class AssignFirstReceiverBody(Documented):
    """The command `assign-first-receiver`: the first assigned department answers, because nobody arbitrated in time."""

    type: Literal["assign-first-receiver"]
    """The command, `assign-first-receiver`."""
    by: Person = "operator"
    """Who gave the command, 1 to 100 characters."""
