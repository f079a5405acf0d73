"""What a city's files hold: departments, rules and policies, each field with its form."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.ids import DEPARTMENT_CODE_FORM

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
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_no_nul)]
Terms = tuple[Text, ...]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Hours = Annotated[float, Field(gt=0, le=HOURS_MAX, strict=True)]


class CityEntry(BaseModel):
    """Frozen; fields it does not know are skipped, so that an older reader survives a newer revision."""

    model_config = ConfigDict(frozen=True)


class Name(CityEntry):
    zh: Text
    en: Text


class Department(CityEntry):
    code: Code
    name: Name
    kind: str = "bureau"
    parent: Code | None = None
    email: Email | None = None
    areas: Terms = ()
    retired: bool = False
    retired_why: Text | None = None


class Rule(CityEntry):
    """Holds when one of `any`, one of each group of `all` and none of `none` are found, in its areas and
    channels.

    Whatever is left empty asks for nothing. `examples` are messages this very rule must assign.
    """

    id: Code
    lead: HandlerCode
    co_handlers: tuple[HandlerCode, ...] = ()
    any: Terms = ()
    all: tuple[Terms, ...] = ()
    none: Terms = ()
    areas: Terms = ()
    channels: tuple[Channel, ...] = ()
    why: Name
    examples: Terms = ()

    @property
    def departments(self) -> tuple[str, ...]:
        """The lead first."""
        return (self.lead, *self.co_handlers)


class Policy(CityEntry):
    """Natural hours from the assignment within which each clock must stop."""

    id: Code
    accept_h: Hours
    first_reply_h: Hours
    resolve_h: Hours
