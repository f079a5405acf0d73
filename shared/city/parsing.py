"""Decides whether a city, or a department, that somebody wrote can be used, and tells everything that is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from shared.city.city import City
from shared.city.consistency import CityParts, contradictions, only_while_written
from shared.city.entries import CityEntry, Department, Name, Policy, Rule
from shared.city.faults import Fault, Faulty, under

CITY_BYTES_MAX = 3_500_000
LISTS = ("departments", "rules", "policies")
Entry = TypeVar("Entry", bound=CityEntry)


class Outline(CityEntry):
    """A city with its entries unread."""

    revision: int = 0
    name: Name
    time_zone: str
    departments: list[Any]
    rules: Annotated[list[Any], Field(default_factory=list)]
    policies: list[Any]


def city_of(given: Any) -> City:
    """The city in a document of `City`'s form. Raises `Faulty`."""
    outline, parts, faults = _read(given)
    faults += [*contradictions(parts), *only_while_written(parts)]
    if outline.get("policies") == []:
        faults.append(Fault(("policies",), "there is no policy; write one, with its id and hours"))
    if faults:
        raise Faulty(sorted(faults, key=_order))
    city = City(
        revision=outline["revision"],
        name=outline["name"],
        time_zone=outline["time_zone"],
        departments=tuple(parts.departments.values()),
        rules=tuple(parts.rules.values()),
        policies=tuple(parts.policies.values()),
    )
    if (size := len(city.model_dump_json().encode())) > CITY_BYTES_MAX:
        raise Faulty([Fault((), f"The city has {size} bytes; at most {CITY_BYTES_MAX} fit into one revision")])
    return city


def wrong_fields(given: Any) -> list[Fault]:
    """What is wrong in itself with the fields of a document that is there in part only."""
    return sorted(_read(given)[2], key=_order)


def department_of(code: str, given: Any) -> Department:
    """The department of that code in a document of `Department`'s form, which may leave its code out. Raises `Faulty`."""
    if not isinstance(given, dict):
        raise Faulty([Fault((), "A department is written as an object with a name")])
    faults = []
    if given.get("code", code) != code:
        faults.append(Fault(("code",), f'another code, "{code}", stands in the address; leave this one out'))
    for name in ("retired", "retired_why"):
        if given.get(name) not in (None, False):
            faults.append(Fault((name,), "a department is not retired by writing it; leave this out"))
    try:
        department = Department.model_validate({**given, "code": code}, extra="forbid")
    except ValidationError as error:
        raise Faulty(faults + under((), error.errors(), Department)) from error
    faults += [
        Fault(fault.loc[2:], fault.says)
        for fault in only_while_written(CityParts(None, departments={0: department}, rules={}, policies={}))
    ]
    if faults:
        raise Faulty(faults)
    return department


def _read(given: Any) -> tuple[dict[str, Any], CityParts, list[Fault]]:
    """What has its form, and the faults of what has not."""
    outline, faults = _outline(given)
    departments = _entries(outline, "departments", Department, faults)
    rules = _entries(outline, "rules", Rule, faults)
    policies = _entries(outline, "policies", Policy, faults)
    unread = [one for at, one in enumerate(outline.get("departments", ())) if at not in departments]
    return outline, CityParts(outline.get("time_zone"), departments, rules, policies, frozenset(_named(unread))), faults


def _outline(given: Any) -> tuple[dict[str, Any], list[Fault]]:
    """Those fields of the outline that have their form, and the faults of the others."""
    if not isinstance(given, dict):
        return {}, [Fault((), "A city is written as an object with name, time_zone, departments, rules and policies")]
    try:
        read = Outline.model_validate(given, extra="forbid")
    except ValidationError as error:
        faults = under((), error.errors(), Outline)
        wrong = {fault.loc[0] for fault in faults}
        return {name: value for name, value in given.items() if name not in wrong}, faults
    return {name: getattr(read, name) for name in Outline.model_fields}, []


def _entries(outline: Mapping[str, Any], listed: str, kind: type[Entry], faults: list[Fault]) -> dict[int, Entry]:
    """Those entries of a list that have their form, by their number; the faults of the others are added."""
    read: dict[int, Entry] = {}
    for at, one in enumerate(outline.get(listed, ())):
        try:
            read[at] = kind.model_validate(one, extra="forbid")
        except ValidationError as error:
            faults += under((listed, at), error.errors(), kind)
    return read


def _named(departments: Iterable[Any]) -> Iterator[str]:
    """Codes and areas of departments with faults: whoever names them is not wrong."""
    for one in departments:
        if isinstance(one, dict):
            areas = one.get("areas")
            names = [one.get("code"), *(areas if isinstance(areas, list) else ())]
            yield from (name for name in names if isinstance(name, str))


def _order(fault: Fault) -> tuple[int, int]:
    """By list, then by entry; what stands in the city itself comes first."""
    listed = LISTS.index(str(fault.loc[0])) if fault.loc and fault.loc[0] in LISTS else -1
    return listed, int(fault.loc[1]) if listed >= 0 and len(fault.loc) > 1 else -1
