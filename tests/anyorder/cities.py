"""The cities of the histories: their policies differ in approvals, returns, late parts, publication and reopening."""

from typing import Any

from services.router.domain.city_index import CityIndex, city_index
from shared.city import City
from tests.builders import CITY, a_department
from tests.returning import REASONS

OFFICES = ("lighting-east", "lighting-west")
"""The offices of the lighting department, to which it delegates."""
SECTION = "lighting-east-lamps"
"""A department below an office, which is a level too many."""
ASKING = {"remind_after": "2d", "close_after": "6d"}
PLAIN: dict[str, Any] = {"clocks": {"accept": "1d", "first_reply": "3d", "resolve": "15d"}, "asking": ASKING}
STRICT: dict[str, Any] = PLAIN | {
    "calendar": "office",
    "clocks": {"accept": "1d", "first_reply": "2d", "resolve": "3d"},
    "returns": {"within": "3d", "limit": 1, "reasons": REASONS},
    "joint_reply": {"wait": "lead-after-due"},
    "publication": "automatic",
    "reopening": {"when": ["not-solved", "not-satisfied"], "window_days": 15, "limit": 1, "clock": "continue"},
}
OFFICE = {"id": "office", "hours": ["09:00-12:00", "13:30-18:00"], "weekdays": ["mon", "tue", "wed", "thu", "fri"]}


def a_city(approvers: int, terms: dict[str, Any]) -> CityIndex:
    """CITY with offices of the lighting department and one policy."""
    offices = [a_department(code, parent="lighting") for code in OFFICES]
    section = a_department(SECTION, parent=OFFICES[0])
    departments = [one.model_dump() for one in (*CITY.departments, *offices, section)]
    policy = {"id": "standard", "release": {"approvers": approvers}} | terms
    more = {"departments": departments, "policies": [policy], "calendars": [OFFICE]}
    return city_index(City.model_validate(CITY.model_dump() | more))


CITIES = tuple(a_city(approvers, terms) for approvers in (0, 1, 2) for terms in (PLAIN, STRICT))
WITH_ONE_APPROVER, STRICT_WITH_ONE = CITIES[2], CITIES[3]
WITHOUT_APPROVERS, STRICT_WITHOUT = CITIES[0], CITIES[1]
