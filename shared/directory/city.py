"""Owns the city as it runs: what it is made of, and how applying, adding and retiring change it."""

from collections.abc import Iterator, Sequence
from typing import Self

from pydantic import model_validator

from shared.directory.agreement import contradictions, nearest
from shared.directory.records import Department, Name, Policy, Record, Rule


class City(Record):
    revision: int = 0
    name: Name
    time_zone: str
    departments: tuple[Department, ...]
    rules: tuple[Rule, ...] = ()
    policies: tuple[Policy, ...]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if problems := tuple(_problems(self)):
            raise ValueError(" ".join(problems))
        return self

    def department(self, code: str) -> Department | None:
        return next((one for one in self.departments if one.code == code), None)

    @property
    def active(self) -> tuple[Department, ...]:
        return tuple(one for one in self.departments if not one.retired)


class CityError(ValueError):
    """Everything that is wrong with a city, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def merge(current: City | None, applied: City) -> City:
    """The city after `applied` was applied to `current`; the caller sets the revision.

    Name, time zone, rules and policies are the applied ones. Departments are added or updated, never removed,
    and one that is retired stays so whatever the folder says: only `retire` retires and only
    `put_department` revives.
    """
    if current is None:
        return applied
    given = {one.code: one for one in applied.departments}
    kept = tuple(
        given.pop(one.code, one).model_copy(update={"retired": one.retired, "retired_why": one.retired_why})
        for one in current.departments
    )
    return _changed(applied, revision=current.revision, departments=kept + tuple(given.values()))


def put_department(city: City, department: Department) -> City:
    """Add it, or replace the one of its code; a retired one comes back when it is put as not retired."""
    others = tuple(department if one.code == department.code else one for one in city.departments)
    return _changed(city, departments=others if city.department(department.code) else (*others, department))


def retire(city: City, code: str, why: str | None = None) -> City:
    """Rules that name it stay as they are: matching passes over it, and over a rule that has nobody else.

    One that is retired already changes nothing, whatever is said now. Raises `CityError` when the city has no such department.
    """
    department = city.department(code)
    if department is None:
        raise CityError([f'"{code}" is not a department; {nearest(code, [one.code for one in city.departments])}.'])
    if department.retired:
        return city
    return put_department(city, department.model_copy(update={"retired": True, "retired_why": why}))


def _changed(city: City, **fields: object) -> City:
    changed = city.model_copy(update=fields)
    if problems := tuple(_problems(changed)):
        raise CityError(problems)
    return changed


def _problems(city: City) -> Iterator[str]:
    return contradictions(city.time_zone, city.departments, city.rules, city.policies)
