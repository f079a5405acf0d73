"""One revision of the city, prepared for decisions: compiled rules, departments by code, calendars and clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from services.router.domain.assignment_rules import Rules, compile_rules
from shared.city.calendars import working_calendars
from shared.city.policies import PartCircumstances, policy_for
from shared.clocks.deadlines import ClockTerms

if TYPE_CHECKING:
    from shared.city import City, Department, Policy, Rule
    from shared.city.policies import ReturnPolicy
    from shared.clocks.calendar import WorkingCalendar

RULES_KEPT_MAX = 50
"""Compiling the rules of the sample city again takes 8 ms; departments that return many parts share few sets."""


@dataclass(frozen=True)
class CityIndex:
    city: City
    rules: Rules
    zone: ZoneInfo
    departments: Mapping[str, Department]
    areas: frozenset[str]
    calendars: Mapping[str, WorkingCalendar]
    _rules_without: dict[frozenset[str], Rules] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def revision(self) -> int:
        """The number of the revision, which every decision stores."""
        return self.city.revision

    def policy_for(self, part: PartCircumstances) -> Policy:
        """The policy that counts for a part."""
        return policy_for(self.city.policies, part)

    @cached_property
    def terms(self) -> Mapping[str, ClockTerms]:
        """The calendar and the limits of each policy's clocks, by the policy's id."""
        calendars = {one.id: self.calendars[one.calendar] for one in self.city.policies}
        return {
            one.id: ClockTerms(calendars[one.id], one.limits(calendars[one.id].day_ms)) for one in self.city.policies
        }

    @cached_property
    def policies_by_id(self) -> Mapping[str, Policy]:
        return {one.id: one for one in self.city.policies}

    def returns(self, policy_id: str) -> ReturnPolicy | None:
        """When departments may return parts of this policy; None if it does not say or the city no longer has it."""
        known = self.policies_by_id.get(policy_id)
        return known.returns if known is not None else None

    def rules_without(self, departments: frozenset[str]) -> Rules:
        """The rules as if the city did not have these departments."""
        if (known := self._rules_without.get(departments)) is None:
            if len(self._rules_without) >= RULES_KEPT_MAX:
                self._rules_without.clear()
            known = self._rules_without[departments] = compile_rules(self.city, departments)
        return known

    @cached_property
    def rules_by_id(self) -> Mapping[str, Rule]:
        return {one.id: one for one in self.city.rules}

    @cached_property
    def reminders(self) -> Mapping[str, tuple[int | None, ...]]:
        """By policy, how long before its due time each clock reminds the department; see `Policy.reminders`."""
        return {one.id: one.reminders(self.calendars[one.calendar].day_ms) for one in self.city.policies}

    def name(self, code: str, language: str) -> str:
        """A department's name in this language; its code when it is not in the directory."""
        department = self.departments.get(code)
        if department is None:
            return code
        return department.name.en if language == "en" else department.name.zh

    def unknown(self, codes: tuple[str, ...]) -> tuple[str, ...]:
        """The codes that do not belong to an active department."""
        return tuple(code for code in codes if code not in self.rules.active)

    def area(self, given: str | None) -> str | None:
        """The area if it is in the directory, else None: a resident's own words must not become part of a fact."""
        return given if given in self.areas else None


def city_index(city: City, zone: ZoneInfo | None = None) -> CityIndex:
    """Prepare a revision; `zone` overrides the time zone of the city."""
    zone = zone or ZoneInfo(city.time_zone)
    return CityIndex(
        city=city,
        rules=compile_rules(city),
        zone=zone,
        departments={department.code: department for department in city.departments},
        areas=frozenset(area for department in city.departments for area in department.areas),
        calendars=working_calendars(city.calendars, city.time_zone, zone, city.public_holidays),
    )
