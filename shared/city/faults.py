"""The faults of a city as sentences: the place, the value as it was written, and what would be right."""

import datetime
import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic_core import ErrorDetails

from shared.city.entries import AREA_OFFICE, HOURS_MAX, CityEntry
from shared.contracts.field_errors import what_is_wrong

Loc = tuple[str | int, ...]
MOST_TOLD = 200
"""Of a city that has more faults: whoever wrote a file of another kind learns nothing from the rest."""
VALUE_SHOWN = 60
WORDS = {
    "departments": ("department", "code"),
    "rules": ("rule", "id"),
    "policies": ("policy", "id"),
    "calendars": ("calendar", "id"),
    "texts": ("text", "id"),
}
"""What an entry of each list is called, and the field that names it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`loc` is the place in the city as one document; `says` goes on after the place, without the full stop."""

    loc: Loc
    says: str

    def sentence(self, city: Any) -> str:
        """The fault with its place in words; `city` is the document in which it stands."""
        place = in_words(self.loc, city)
        return f"{place}: {self.says}." if place else f"{self.says}."


class CityError(ValueError):
    """Everything that is wrong with a city, one sentence each; `faults` where it is known in which field they stand."""

    def __init__(self, problems: Sequence[str], faults: Sequence[Fault] = ()) -> None:
        more = len(problems) - MOST_TOLD
        # The faults of a document that were left out are one sentence already, the last.
        self.problems = (*problems[:MOST_TOLD], f"And {more} more.") if more > 1 else tuple(problems)
        self.faults = tuple(faults)
        super().__init__("\n".join(self.problems))


class Faulty(ValueError):
    """What is wrong with a city that somebody wrote, for the door that knows where it was written."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        more = len(faults) - MOST_TOLD
        self.faults = (*faults[:MOST_TOLD], *([Fault((), f"And {more} more")] if more > 0 else ()))
        super().__init__(" ".join(f"{fault.says}." for fault in self.faults))


def in_words(loc: Loc, city: Any) -> str:
    """A place as people say it: `department "lamps", field name.en`."""
    if loc[:1] and loc[0] in WORDS and len(loc) > 1:
        entry = f"{WORDS[str(loc[0])][0]} {entry_name(loc, city)}"
        field = path(loc[2:])
        return f"{entry}, field {field}" if field else entry
    return f"field {path(loc)}" if loc else ""


def entry_name(loc: Loc, city: Any) -> str:
    """The code or id of an entry in quotes; its number where it has none."""
    listed, at = loc[0], loc[1]
    try:
        named = city[listed][at][WORDS[str(listed)][1]]
    except (KeyError, IndexError, TypeError):
        named = None
    return quoted(named) if isinstance(named, str) and named else str(int(at) + 1)


def path(loc: Loc) -> str:
    """The steps inside an entry: `name.en`, `all[0][1]`."""
    return writable("".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc).lstrip("."))


def quoted(value: Any) -> str:
    """A value as it was written, in quotes, cut short."""
    spoken = isinstance(value, (str, datetime.date))
    text = str(value) if spoken else json.dumps(value, ensure_ascii=False, default=str)
    return writable(f'"{text[:VALUE_SHOWN]}…"' if len(text) > VALUE_SHOWN else f'"{text}"')


def writable(text: str) -> str:
    """What no screen can show, and half a surrogate pair, as escapes."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def nearest(value: str, known: Sequence[str], otherwise: str) -> str:
    """The remedy for a name that is none of the known."""
    near = difflib.get_close_matches(value, known, n=1)
    return f'did you mean "{near[0]}"' if near else otherwise


# ── what the model of a record requires ────────────────────────────────────────

_CODE_FORM = "write 2 to 31 of a-z, 0-9 and -, beginning with a letter"
_FORMS = {
    "email": "write one address such as desk@roads.example",
    "phones": "write a telephone number such as 0731-88880000",
    "telephone": "write a telephone number such as 12345 or 0731-88880000",
    "lead": f"write a department's code ({_CODE_FORM[6:]}) or {AREA_OFFICE}",
    "co_handlers": f"write departments' codes ({_CODE_FORM[6:]}) or {AREA_OFFICE}",
    "channels": "write the name of a channel such as web or hotline",
    "holidays": "write a country such as CN, or a country and region such as DE-BE",
    "reasons": "write a code such as not-ours (a-z, 0-9 and -)",
    "at": "write a share of the time such as 80%, or due",
}


def told(error: ErrorDetails, kind: type[CityEntry]) -> str:
    """One of pydantic's errors in a record of this kind, as a sentence that follows the place."""
    value = quoted(error["input"])
    field = next((str(step) for step in reversed(error["loc"]) if isinstance(step, str)), "")
    match error["type"]:
        case "missing":
            return f"it {what_is_wrong(error)}"
        case "extra_forbidden":
            return f"there is no such field (its value is {value}); {_meant(kind, error['loc'])}"
        case "string_pattern_mismatch":
            return f"{value} is not allowed; {_FORMS.get(field, _CODE_FORM)}"
        case "float_type" | "greater_than" | "less_than_equal" | "finite_number" if field.endswith("_h"):
            return f"{value} is not a time; write hours as a number above 0, at most {HOURS_MAX}"
        case _:
            return f"{value} {what_is_wrong(error)}"


def _meant(kind: type[CityEntry], loc: Loc) -> str:
    """The field of the record at `loc` that was meant."""
    for step in loc[:-1]:
        if isinstance(step, str):
            kind = _record_in(kind.model_fields[step].annotation) or kind
    known = list(kind.model_fields)
    return nearest(str(loc[-1]), known, f"known are {', '.join(known)}")


def _record_in(annotation: Any) -> type[CityEntry] | None:
    """The class of the records in a field, in a list of them or optional."""
    if isinstance(annotation, type) and issubclass(annotation, CityEntry):
        return annotation
    return next((found for one in get_args(annotation) if (found := _record_in(one)) is not None), None)


def under(prefix: Loc, errors: Sequence[ErrorDetails], kind: type[CityEntry]) -> list[Fault]:
    """Pydantic's errors in the record that stands at `prefix`."""
    return [Fault((*prefix, *error["loc"]), told(error, kind)) for error in errors]
