"""One revision of the city, prepared for decisions: compiled rules, departments by code, durations of the clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from services.router.domain.assignment_rules import Rules, compile_rules
from shared.clocks import deadlines

if TYPE_CHECKING:
    from shared.city import City, Department, Policy


@dataclass(frozen=True)
class CityIndex:
    city: City
    rules: Rules
    zone: ZoneInfo
    departments: Mapping[str, Department]
    areas: frozenset[str]

    @property
    def revision(self) -> int:
        """The number of the revision, which every decision stores."""
        return self.city.revision

    @property
    def policy(self) -> Policy:
        """The first policy of the city; the others are not used yet."""
        return self.city.policies[0]

    @cached_property
    def limits(self) -> Mapping[str, timedelta]:
        """The duration of each clock by the policy in force."""
        hours = (self.policy.accept_h, self.policy.first_reply_h, self.policy.resolve_h)
        return {clock: timedelta(hours=limit) for clock, limit in zip(deadlines.CLOCKS, hours, strict=True)}

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
    return CityIndex(
        city=city,
        rules=compile_rules(city),
        zone=zone or ZoneInfo(city.time_zone),
        departments={department.code: department for department in city.departments},
        areas=frozenset(area for department in city.departments for area in department.areas),
    )
