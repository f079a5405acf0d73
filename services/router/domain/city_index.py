"""The city as the core asks it: one revision, its rules compiled, its names in the reader's language."""

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
    """One revision of the city, ready to be asked by the core."""

    city: City
    rules: Rules
    zone: ZoneInfo
    departments: Mapping[str, Department]
    areas: frozenset[str]

    @property
    def revision(self) -> int:
        """The revision that decisions stamp."""
        return self.city.revision

    @property
    def policy(self) -> Policy:
        """The policy in force: the first one of the city."""
        return self.city.policies[0]

    @cached_property
    def limits(self) -> Mapping[str, timedelta]:
        """How long each clock of the policy in force runs."""
        hours = (self.policy.accept_h, self.policy.first_reply_h, self.policy.resolve_h)
        return {clock: timedelta(hours=limit) for clock, limit in zip(deadlines.CLOCKS, hours, strict=True)}

    def name(self, code: str, language: str) -> str:
        """A department's name; its code when the directory does not know it."""
        department = self.departments.get(code)
        if department is None:
            return code
        return department.name.en if language == "en" else department.name.zh

    def unknown(self, codes: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the codes that name no active department."""
        return tuple(code for code in codes if code not in self.rules.active)

    def area(self, given: str | None) -> str | None:
        """The area as the directory writes it; None for anything else, so that a resident's own words stay out."""
        return given if given in self.areas else None


def city_index(city: City, zone: ZoneInfo | None = None) -> CityIndex:
    """Compile a revision, once; `zone` overrides the city's own."""
    return CityIndex(
        city=city,
        rules=compile_rules(city),
        zone=zone or ZoneInfo(city.time_zone),
        departments={department.code: department for department in city.departments},
        areas=frozenset(area for department in city.departments for area in department.areas),
    )
