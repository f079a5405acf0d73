"""What a city's files hold: departments, rules and policies, each field with its form."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from shared.contracts.documented import Documented
from shared.contracts.ids import DEPARTMENT_CODE_FORM
from shared.contracts.limits import NAME_MAX

AREA_OFFICE = "@area"
"""In a rule, instead of a code: the district office of the area that the message names."""

KINDS = ("bureau", "district", "utility", "imported")
HOURS_MAX = 24 * 366


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds the character U+0000; leave it out")
    return text


CODE_PATTERN = rf"^{DEPARTMENT_CODE_FORM}$"
Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
HandlerCode = Annotated[str, StringConstraints(pattern=rf"{CODE_PATTERN}|^{AREA_OFFICE}$")]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX), AfterValidator(_no_nul)
]
Terms = tuple[Text, ...]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Hours = Annotated[float, Field(gt=0, le=HOURS_MAX, strict=True)]


class CityEntry(Documented):
    """Frozen; fields it does not know are skipped, so that an older reader survives a newer revision."""

    model_config = ConfigDict(frozen=True)


class Name(CityEntry):
    """A name in both languages."""

    zh: Text
    """The Chinese name."""
    en: Text
    """The English name."""


class Department(CityEntry):
    """A department of the city, as the directory has it."""

    code: Code
    """The department's code, 2 to 31 characters of a-z, 0-9 and -. It never changes."""
    name: Name
    """The department's name in both languages."""
    kind: str = "bureau"
    """What the department is: `bureau`, `district`, `utility` or `imported`."""
    parent: Code | None = None
    """The code of the department above it; null when there is none."""
    email: Email | None = None
    """Where the department receives notices of new parts; null for no notices."""
    areas: Terms = ()
    """The areas of which this department is the district office, as residents write them."""
    retired: bool = False
    """Whether the department is retired and receives no new parts."""
    retired_why: Text | None = None
    """Why the department is retired; null while it is not, or when no reason was given."""


class Rule(CityEntry):
    """Holds when one of `any`, one of each group of `all` and none of `none` are found, in its areas and
    channels.

    Whatever is left empty asks for nothing. `examples` are messages this very rule must assign.
    """

    id: Code
    """The rule's id, unique in the city."""
    lead: HandlerCode
    """The code of the department that leads; `@area` is the district office of the message's area."""
    co_handlers: tuple[HandlerCode, ...] = ()
    """The codes of the departments that have a part beside the lead; `@area` as in `lead`."""
    any: Terms = ()
    """Terms of which at least one must be in the message; empty for no condition."""
    all: tuple[Terms, ...] = ()
    """Groups of terms; of each group at least one must be in the message. Empty for no condition."""
    none: Terms = ()
    """Terms of which none may be in the message."""
    areas: Terms = ()
    """Areas to which the rule applies; empty for every area."""
    channels: tuple[Channel, ...] = ()
    """Channels to which the rule applies; empty for every channel."""
    why: Name
    """What departments read as the reason of the assignment, in both languages."""
    examples: Terms = ()
    """Messages that this rule must assign; applying the city checks them."""

    @property
    def departments(self) -> tuple[str, ...]:
        """The lead first."""
        return (self.lead, *self.co_handlers)


class Policy(CityEntry):
    """Natural hours from the assignment within which each clock must stop."""

    id: Code
    """The policy's id, unique in the city."""
    accept_h: Hours
    """Hours from the assignment until the part must be accepted."""
    first_reply_h: Hours
    """Hours from the assignment until the resident must have a first reply."""
    resolve_h: Hours
    """Hours from the assignment until the final contribution must be there."""
