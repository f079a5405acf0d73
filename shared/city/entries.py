"""The entries of a city's files: departments and rules, with the allowed values of each field."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from shared.contracts.documented import Documented
from shared.contracts.fields import is_blank
from shared.contracts.ids import DEPARTMENT_CODE_FORM
from shared.contracts.limits import NAME_MAX

AREA_OFFICE = "@area"
"""In a rule, in place of a department's code: the district office of the message's area."""

KINDS = ("bureau", "district", "utility", "imported")
HOURS_MAX = 24 * 366
PARAGRAPH_MAX = 1_000


CONTROLS = frozenset(("Cc", "Zl", "Zp"))
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of the text after them, in a mail or a sentence also that of other words."""


def _on_one_line(text: str) -> str:
    for one in text:
        if unicodedata.category(one) in CONTROLS or one in DIRECTIONS:
            raise ValueError(f"contains the character U+{ord(one):04X}; remove it")
    if is_blank(text):
        raise ValueError("is blank; write some words")
    return text


def on_lines(text: str) -> str:
    """Several lines of text without other control characters. Raises ValueError."""
    _on_one_line(text.replace("\n", " "))
    return text


CODE_PATTERN = rf"^{DEPARTMENT_CODE_FORM}$"
Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
HandlerCode = Annotated[str, StringConstraints(pattern=rf"{CODE_PATTERN}|^{AREA_OFFICE}$")]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX), AfterValidator(_on_one_line)
]
Paragraph = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=PARAGRAPH_MAX), AfterValidator(on_lines)
]
Terms = tuple[Text, ...]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Phone = Annotated[str, StringConstraints(max_length=40, pattern=r"^\+?[0-9(][0-9() \-]{2,39}$")]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Hours = Annotated[float, Field(gt=0, le=HOURS_MAX, strict=True)]


class CityEntry(Documented):
    """Frozen. Unknown fields are ignored, so that an older release can read the revisions of a newer one."""

    model_config = ConfigDict(frozen=True)


class Name(CityEntry):
    """A name in both languages."""

    zh: Text
    """The Chinese name."""
    en: Text
    """The English name."""


class Paragraphs(CityEntry):
    """A short text in both languages, at most 1,000 characters each."""

    zh: Paragraph
    """The Chinese text."""
    en: Paragraph
    """The English text."""


class Department(CityEntry):
    """A department of the city, as the directory has it."""

    code: Code
    """The department's code, 2 to 31 characters of a-z, 0-9 and -. It never changes."""
    name: Name
    """The department's name in both languages."""
    kind: str = "bureau"
    """What the department is: `bureau`, `district`, `utility` or `imported`."""
    parent: Code | None = None
    """The code of the parent department; null for none."""
    email: Email | None = None
    """Where the department receives notices of new parts; null for no notices."""
    phones: tuple[Phone, ...] = ()
    """The telephone numbers that the department publishes; the hall does not mask them."""
    areas: Terms = ()
    """The areas of which this department is the district office, as residents write them."""
    retired: bool = False
    """Whether the department is retired and receives no new parts."""
    retired_why: Text | None = None
    """Why the department is retired; null when it is active or no reason was given."""


class Rule(CityEntry):
    """Matches a message that contains a term of `any`, a term of each group of `all` and no term of `none`.

    `areas` and `channels` limit the rule further. An empty field is no condition.
    """

    id: Code
    """The rule's id, unique in the city."""
    lead: HandlerCode
    """The code of the department that leads; `@area` is the district office of the message's area."""
    co_handlers: tuple[HandlerCode, ...] = ()
    """The codes of the co-handlers; `@area` as in `lead`."""
    any: Terms = ()
    """The message must contain at least one of these terms; empty for no condition."""
    all: tuple[Terms, ...] = ()
    """The message must contain at least one term of each group; empty for no condition."""
    none: Terms = ()
    """The message must contain none of these terms."""
    areas: Terms = ()
    """Areas to which the rule applies; empty for every area."""
    channels: tuple[Channel, ...] = ()
    """Channels to which the rule applies; empty for every channel."""
    category: Code | None = None
    """The category of the inquiries that the rule assigns, for policies; null for none."""
    priority: Code | None = None
    """The priority of the inquiries that the rule assigns, for policies; null for none."""
    why: Name
    """The reason for the assignment that departments read, in both languages."""
    examples: Terms = ()
    """Messages that this rule, and no other, must assign; `chorus apply` checks them."""

    @property
    def departments(self) -> tuple[str, ...]:
        """The lead first."""
        return (self.lead, *self.co_handlers)
