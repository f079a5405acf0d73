"""Finds the department codes that a wrong code may stand for."""

import difflib

from services.router.domain.city_index import CityIndex

NEAR_MAX = 3
SIMILAR = 0.5


def near_codes(given: str, directory: CityIndex) -> list[str]:
    """Up to NEAR_MAX codes of active departments whose code or name resembles the given one, the nearest first."""
    wanted = given.strip().casefold()
    names: dict[str, str] = {}
    for department in directory.city.active:
        for name in (department.code, department.name.zh, department.name.en):
            names.setdefault(name.casefold(), department.code)
    inside = [code for name, code in names.items() if wanted and (wanted in name or name in wanted)]
    alike = [names[one] for one in difflib.get_close_matches(wanted, names, n=NEAR_MAX, cutoff=SIMILAR)]
    return list(dict.fromkeys([*alike, *inside]))[:NEAR_MAX]
