"""The body of the command by which a department delegates its part."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.department_outbox import OfficeCode
from shared.contracts.documented import Documented
from shared.contracts.limits import DEPARTMENTS_MAX, TEXT_MAX


class DelegateBody(Documented):
    """The command `delegate`: passes a part, or pieces of it, to offices of its department, which stays responsible."""

    type: Literal["delegate"]
    """The command, `delegate`."""
    part_id: str
    """The id of the part; that of your department, if you have one."""
    to: Annotated[tuple[OfficeCode, ...], Field(min_length=1, max_length=DEPARTMENTS_MAX)]
    """The codes of active departments whose `parent` in the directory is the department of the part, 1 to 20."""
    text: Annotated[str | None, Field(max_length=TEXT_MAX)] = None
    """What they are to do, at most 20,000 characters. Null when not given."""
