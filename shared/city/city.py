"""The city in force: its directory, rules, policies, calendars and texts, and how applying and the desk change it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.city.calendars import CALENDARS_MAX, Calendar, PublicHolidays
from shared.city.consistency import CityParts, contradictions
from shared.city.entries import CityEntry, Department, Name, Paragraphs, Phone, Rule
from shared.city.faults import CityError, Fault, nearest, quoted
from shared.city.policies import POLICIES_MAX, Policy
from shared.city.text_modules import (
    Key,
    TextModule,
    TextOrigin,
    merged_texts,
    text_faults,
    text_limits,
    with_text,
    without_text,
)


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
    texts: tuple[TextModule, ...] = ()
    """The text modules of the departments."""
    text_origins: tuple[TextOrigin, ...] = ()
    """Which text modules the desk wrote or removed. The desk sets them; in a request they have no effect."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if faults := _faults(self):
            raise CityError([fault.sentence(self.model_dump()) for fault in faults], faults)
        return self

    def department(self, code: str) -> Department | None:
        return next((one for one in self.departments if one.code == code), None)

    def text(self, key: Key) -> TextModule | None:
        return next((one for one in self.texts if one.key == key), None)

    @property
    def active(self) -> tuple[Department, ...]:
        return tuple(one for one in self.departments if not one.retired)

    @property
    def published(self) -> tuple[str, ...]:
        """The city's telephone, and the departments' own numbers and addresses: anybody may read them."""
        own = [contact for one in self.departments for contact in (one.email, *one.phones)]
        return tuple(contact for contact in (self.telephone, *own) if contact)


def merge(current: City | None, applied: City, *, texts_of_folder: bool = False) -> City:
    """The city after `applied` was applied to `current`; the caller sets the revision.

    All but the departments and the text modules that the desk wrote come from `applied`. Departments are added or
    updated, never removed, and are in the order of `applied`; the others follow.
    Applying does not change whether a department is retired: only `retire` and `put_department` do.
    `texts_of_folder`: the text modules of `applied` replace those that the desk changed or removed.
    """
    if current is None:
        return applied.model_copy(update={"texts": merged_texts((), (), applied.texts).modules, "text_origins": ()})
    given = {one.code: one for one in applied.departments}
    kept = tuple(
        given.pop(one.code, one).model_copy(update={"retired": one.retired, "retired_why": one.retired_why})
        for one in current.departments
    )
    # The present order is the one in which contradictions are found: at the department that was applied, not at its twin.
    texts = merged_texts(current.texts, current.text_origins, applied.texts, folder_wins=texts_of_folder)
    merged = _changed(
        applied,
        revision=current.revision,
        departments=kept + tuple(given.values()),
        texts=texts.modules,
        text_origins=texts.origins,
    )
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


def put_text(city: City, module: TextModule) -> City:
    """Add or replace a text module, at the desk. Raises `CityError`."""
    texts, origins = with_text(city.texts, city.text_origins, module)
    changed = city.model_copy(update={"texts": texts, "text_origins": origins})
    at = texts.index(module)
    categories = [one.category for one in city.rules if one.category]
    retired = [one.code for one in city.departments if one.retired]
    if faults := list(text_faults(("texts", at), module, categories, retired)):
        raise CityError([fault.sentence(changed.model_dump()) for fault in faults], faults)
    return _changed(changed)


def remove_text(city: City, key: Key) -> City:
    """Remove a text module, at the desk; nothing changes if there is none."""
    if city.text(key) is None:
        return city
    texts, origins = without_text(city.texts, city.text_origins, key)
    return _changed(city, texts=texts, text_origins=origins)


def _changed(city: City, **fields: object) -> City:
    changed = city.model_copy(update=fields)
    if faults := [*_faults(changed), *text_limits(dict(enumerate(changed.texts)))]:
        raise CityError([fault.sentence(changed.model_dump()) for fault in faults], faults)
    return changed


def _faults(city: City) -> list[Fault]:
    parts = CityParts(
        city.time_zone,
        dict(enumerate(city.departments)),
        dict(enumerate(city.rules)),
        dict(enumerate(city.policies)),
        dict(enumerate(city.calendars)),
        texts=dict(enumerate(city.texts)),
    )
    return list(contradictions(parts))
