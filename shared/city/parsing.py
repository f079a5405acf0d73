"""Validates a city or a department that somebody submits, and reports every fault in it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from shared.city.calendars import CALENDARS_MAX, Calendar
from shared.city.city import City
from shared.city.consistency import CityParts, authoring_faults, contradictions
from shared.city.entries import CityEntry, Department, Name, Paragraphs, Phone, Rule
from shared.city.faults import Fault, Faulty, under
from shared.city.policies import POLICIES_MAX, Policy
from shared.city.policy_consistency import missing_clocks
from shared.city.text_modules import TextModule

CITY_BYTES_MAX = 3_500_000
LISTS = ("departments", "rules", "policies", "calendars", "texts")
DERIVED = ("public_holidays", "text_origins")
"""Lists that the desk makes; in a request they have no effect."""
Entry = TypeVar("Entry", bound=CityEntry)


class Outline(CityEntry):
    """A city whose entries are not validated yet."""

    revision: int = 0
    name: Name
    time_zone: str
    telephone: Phone | None = None
    emergency: Paragraphs | None = None
    scope: Paragraphs | None = None
    privacy: Paragraphs | None = None
    departments: list[Any]
    rules: Annotated[list[Any], Field(default_factory=list)]
    policies: Annotated[list[Any], Field(max_length=POLICIES_MAX)]
    calendars: Annotated[list[Any], Field(default_factory=list, max_length=CALENDARS_MAX)]
    public_holidays: Annotated[list[Any], Field(default_factory=list)]
    texts: Annotated[list[Any], Field(default_factory=list)]
    text_origins: Annotated[list[Any], Field(default_factory=list)]


def city_of(given: Any) -> City:
    """Parse a document with the fields of `City`. Raises `Faulty` with every fault."""
    outline, parts, faults = _read(given)
    faults += [*contradictions(parts), *authoring_faults(parts)]
    if outline.get("policies") == []:
        faults.append(Fault(("policies",), "the list is empty; write one policy, with its id and clocks"))
    if faults:
        raise Faulty(sorted(faults, key=_order))
    city = City(
        **{name: outline[name] for name in Outline.model_fields if name not in (*LISTS, *DERIVED)},
        departments=tuple(parts.departments.values()),
        rules=tuple(parts.rules.values()),
        policies=tuple(parts.policies.values()),
        calendars=tuple(parts.calendars.values()),
        texts=tuple(parts.texts.values()),
    )
    if (size := len(city.model_dump_json().encode())) > CITY_BYTES_MAX:
        raise Faulty([Fault((), f"The city has {size} bytes; a revision can have at most {CITY_BYTES_MAX}")])
    return city


def field_faults(given: Any) -> list[Fault]:
    """The faults within single fields. Skips consistency checks, which would report false faults in a partial document."""
    return sorted(_read(given)[2], key=_order)


def department_of(code: str, given: Any) -> Department:
    """Parse a document with the fields of `Department`; `code` comes from the URL. Raises `Faulty` with every fault."""
    if not isinstance(given, dict):
        raise Faulty([Fault((), "A department must be a JSON object with a name")])
    faults = []
    if given.get("code", code) != code:
        faults.append(Fault(("code",), f'the code in the URL is "{code}"; write the same code or leave the field out'))
    for name in ("retired", "retired_why"):
        if given.get(name) not in (None, False):
            faults.append(Fault((name,), "this request cannot retire a department; leave the field out"))
    try:
        department = Department.model_validate({**given, "code": code}, extra="forbid")
    except ValidationError as error:
        raise Faulty(faults + under((), error.errors(), Department)) from error
    faults += [
        Fault(fault.loc[2:], fault.says)
        for fault in authoring_faults(CityParts(None, departments={0: department}, rules={}, policies={}))
    ]
    if faults:
        raise Faulty(faults)
    return department


def text_of(department: str, id_: str, given: Any) -> TextModule:
    """Parse a text module; `department` and `id_` come from the URL. Raises `Faulty` with every fault of its fields."""
    if not isinstance(given, dict):
        raise Faulty([Fault((), "A text module must be a JSON object with a title and a text")])
    named = {"department": department, "id": id_}
    faults = [
        Fault((name,), f'the {name} in the URL is "{value}"; write the same or leave the field out')
        for name, value in named.items()
        if given.get(name, value) != value
    ]
    try:
        module = TextModule.model_validate({**given, **named}, extra="forbid")
    except ValidationError as error:
        raise Faulty(faults + under((), error.errors(), TextModule)) from error
    if faults:
        raise Faulty(faults)
    return module


def _read(given: Any) -> tuple[dict[str, Any], CityParts, list[Fault]]:
    """The valid fields, the valid entries, and the faults of the others."""
    outline, faults = _outline(given)
    departments = _entries(outline, "departments", Department, faults)
    rules = _entries(outline, "rules", Rule, faults)
    policies = _entries(outline, "policies", Policy, faults)
    calendars = _entries(outline, "calendars", Calendar, faults)
    texts = _entries(outline, "texts", TextModule, faults)
    for at, one in enumerate(outline.get("policies", ())):
        if at not in policies and isinstance(one, dict):
            faults += missing_clocks(("policies", at), one)
    read: Mapping[str, Mapping[int, Any]] = {"departments": departments, "rules": rules, "calendars": calendars}
    unread = [one for name, valid in read.items() for at, one in enumerate(outline.get(name, ())) if at not in valid]
    parts = CityParts(
        time_zone=outline.get("time_zone"),
        departments=departments,
        rules=rules,
        policies=policies,
        calendars=calendars,
        unread=frozenset(_named(unread)),
        all_policies=len(policies) == len(outline.get("policies", ())),
        texts=texts,
    )
    return outline, parts, faults


def _outline(given: Any) -> tuple[dict[str, Any], list[Fault]]:
    """The valid fields, and the faults of the others."""
    if not isinstance(given, dict):
        return {}, [Fault((), "A city must be an object with name, time_zone, departments, rules and policies")]
    try:
        read = Outline.model_validate(given, extra="forbid")
    except ValidationError as error:
        faults = under((), error.errors(), Outline)
        wrong = {fault.loc[0] for fault in faults}
        return {name: value for name, value in given.items() if name not in wrong}, faults
    return {name: getattr(read, name) for name in Outline.model_fields}, []


def _entries(outline: Mapping[str, Any], listed: str, kind: type[Entry], faults: list[Fault]) -> dict[int, Entry]:
    """The valid entries of a list, by index; appends the faults of the others to `faults`."""
    read: dict[int, Entry] = {}
    for at, one in enumerate(outline.get(listed, ())):
        try:
            read[at] = kind.model_validate(one, extra="forbid")
        except ValidationError as error:
            faults += under((listed, at), error.errors(), kind)
    return read


def _named(entries: Iterable[Any]) -> Iterator[str]:
    """The names in invalid entries: a reference to one of them is not a fault of its own."""
    for one in entries:
        if isinstance(one, dict):
            areas = one.get("areas")
            own = [one.get(name) for name in ("code", "id", "category", "priority")]
            names = [*own, *(areas if isinstance(areas, list) else ())]
            yield from (name for name in names if isinstance(name, str))


def _order(fault: Fault) -> tuple[int, int]:
    """Sort key: faults of the city's own fields first, then by list and entry."""
    listed = LISTS.index(str(fault.loc[0])) if fault.loc and fault.loc[0] in LISTS else -1
    return listed, int(fault.loc[1]) if listed >= 0 and len(fault.loc) > 1 else -1
