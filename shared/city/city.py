"""The city in force: its directory, rules, policies and calendars, and how applying, adding and retiring change it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.city.calendars import CALENDARS_MAX, Calendar, PublicHolidays
from shared.city.consistency import CityParts, contradictions
from shared.city.entries import CityEntry, Department, Name, Paragraphs, Phone, Rule
from shared.city.faults import CityError, Fault, nearest, quoted
from shared.city.policies import POLICIES_MAX, Policy


class City(CityEntry):
    """One revision of the city: its directory, rules, policies and calendars."""

    revision: int = 0
    """The number of this version, counted from 1. The desk sets it; in a request it has no effect."""
    name: Name
    """The city's name in both languages."""
    time_zone: str
    """The IANA time zone of ticket numbers and scoreboard periods, such as `Asia/Shanghai`."""
    telephone: Phone | None = None
    """The telephone number of the city's service desk, on every page and mail; null for none."""
    emergency: Paragraphs | None = None
    """What to do in an emergency and whom to call, on every page; null for no notice."""
    scope: Paragraphs | None = None
    """What residents can write about here, on the form; null for no notice."""
    privacy: Paragraphs | None = None
    """What happens to a resident's words and contact, on the form; null for no notice."""
    departments: tuple[Department, ...]
    """Every department, retired ones included."""
    rules: tuple[Rule, ...] = ()
    """The rules that assign messages; the first rule that matches the subject line decides."""
    policies: Annotated[tuple[Policy, ...], Field(min_length=1, max_length=POLICIES_MAX)]
    """The policies; the first one that matches a part and is in force counts."""
    calendars: Annotated[tuple[Calendar, ...], Field(max_length=CALENDARS_MAX)] = ()
    """The calendars that policies name, besides `natural` and the ready-made `working`."""
    public_holidays: tuple[PublicHolidays, ...] = ()
    """The public holidays of the calendars' countries. The desk sets them; in a request they have no effect."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if faults := _faults(self):
            raise CityError([fault.sentence(self.model_dump()) for fault in faults], faults)
        return self

    def department(self, code: str) -> Department | None:
        return next((one for one in self.departments if one.code == code), None)

    @property
    def active(self) -> tuple[Department, ...]:
        return tuple(one for one in self.departments if not one.retired)

    @property
    def published(self) -> tuple[str, ...]:
        """The city's telephone, and the departments' own numbers and addresses: anybody may read them."""
        own = [contact for one in self.departments for contact in (one.email, *one.phones)]
        return tuple(contact for contact in (self.telephone, *own) if contact)


def merge(current: City | None, applied: City) -> City:
    """The city after `applied` was applied to `current`; the caller sets the revision.

    All but the departments come from `applied`. Departments are added or updated, never removed,
    and are in the order of `applied`; the others follow.
    Applying does not change whether a department is retired: only `retire` and `put_department` do.
    """
    if current is None:
        return applied
    given = {one.code: one for one in applied.departments}
    kept = tuple(
        given.pop(one.code, one).model_copy(update={"retired": one.retired, "retired_why": one.retired_why})
        for one in current.departments
    )
    # The present order is the one in which contradictions are found: at the department that was applied, not at its twin.
    merged = _changed(applied, revision=current.revision, departments=kept + tuple(given.values()))
    place = {one.code: at for at, one in enumerate(applied.departments)}
    in_order = sorted(merged.departments, key=lambda one: place.get(one.code, len(place)))
    return merged.model_copy(update={"departments": tuple(in_order)})


def put_department(city: City, department: Department) -> City:
    """Add the department, or replace the one with the same code; `retired: false` reactivates a retired one."""
    others = tuple(department if one.code == department.code else one for one in city.departments)
    return _changed(city, departments=others if city.department(department.code) else (*others, department))


def retire(city: City, code: str, why: str | None = None) -> City:
    """Retire a department. Rules that name it stay unchanged: matching skips it, and skips a rule with no other department.

    Retiring a retired department changes nothing, not even its reason. Raises `CityError` for an unknown code.
    """
    department = city.department(code)
    if department is None:
        known = [one.code for one in city.departments]
        raise CityError([f"{quoted(code)} is not a department; {nearest(code, known, 'name an existing one')}."])
    if department.retired:
        return city
    return put_department(city, department.model_copy(update={"retired": True, "retired_why": why}))


def _changed(city: City, **fields: object) -> City:
    changed = city.model_copy(update=fields)
    if faults := _faults(changed):
        raise CityError([fault.sentence(changed.model_dump()) for fault in faults], faults)
    return changed


def _faults(city: City) -> list[Fault]:
    parts = CityParts(
        city.time_zone,
        dict(enumerate(city.departments)),
        dict(enumerate(city.rules)),
        dict(enumerate(city.policies)),
        dict(enumerate(city.calendars)),
    )
    return list(contradictions(parts))
