"""Field types that several messages share: timestamps, text, contacts."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, PlainSerializer

from shared.contracts.documented import Documented
from shared.runtime import timestamps

YEARS = range(1970, 9999)


def in_range(moment: datetime) -> datetime:
    """Refuse a time whose year in UTC does not have four digits: MongoDB and RFC 3339 could not represent it."""
    try:
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = 0
    if year not in YEARS:
        raise ValueError(f"is out of range; write a time from {YEARS[0]} to {YEARS[-1]}")
    return moment


Moment = Annotated[
    AwareDatetime, AfterValidator(in_range), PlainSerializer(timestamps.to_text, return_type=str, when_used="json")
]
"""A timestamp; in JSON always RFC 3339 in UTC with milliseconds."""


def no_nul(text: str | None) -> str | None:
    """Refuse U+0000, which the store and HTML cannot represent."""
    if text is not None and "\0" in text:
        raise ValueError("contains U+0000, which cannot be stored; leave it out")
    return text


BLANK_CATEGORIES = {"Cc", "Cf", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"}
BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and a symbol without ink: the Hangul fillers, which Unicode lists as ignorable, and the empty Braille pattern."""


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen: spaces, controls, format characters, combining marks and fillers."""
    return all(unicodedata.category(one) in BLANK_CATEGORIES or one in BLANK_LETTERS for one in text)


def blank_is_none(text: Any) -> Any:
    """Read optional text of which nothing can be seen as absent; for a validator in mode `before`."""
    return None if isinstance(text, str) and is_blank(text) and "\0" not in text else text


def has_words(remedy: str) -> Callable[[str], str]:
    """A validator that refuses blank text; `remedy` completes its error message."""

    def check(text: str) -> str:
        no_nul(text)
        if is_blank(text):
            raise ValueError(f"is blank; {remedy}")
        return text

    return check


class Contact(Documented):
    """How to reach a resident. It never appears in `inquiries.events` or in a log."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: str | None = Field(None, max_length=100)
    """The resident's name, at most 100 characters; null when not given."""
    phone: str | None = Field(None, max_length=40)
    """The resident's telephone number, at most 40 characters; null when not given."""
    email: str | None = Field(None, max_length=254)
    """The resident's e-mail address, at most 254 characters; null when not given."""


class Due(Documented):
    """The due time of each clock of a part."""

    model_config = ConfigDict(frozen=True)
    accept: Moment
    """When the department must have accepted the part."""
    first_reply: Moment
    """When the resident must have received a first reply: an interim one or the answer."""
    resolve: Moment
    """When the department must have sent its final contribution."""
