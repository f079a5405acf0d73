"""A city whose quality bureau has district bureaus, and the steps of a delegation."""

from services.router.domain.case import Case
from services.router.domain.city_index import city_index
from shared.city import City
from shared.contracts.department_outbox import PartDelegated
from shared.contracts.envelope import Payload
from tests.builders import CITY, Step, a_department, a_rule, part_of, received

OFFICES = {"quality-east": "东区质监局", "quality-west": "西区质监局", "quality-north": "北区质监局"}
"""The district bureaus below the quality bureau."""
POLICY = {
    "id": "standard",
    "calendar": "office",
    "clocks": {"accept": "2h", "first_reply": "1d", "resolve": "2d"},
}
OFFICE_HOURS = {
    "id": "office",
    "hours": ["09:00-12:00", "13:30-18:00"],
    "weekdays": ["mon", "tue", "wed", "thu", "fri"],
}


def bureaus(**more: object) -> City:
    """CITY with the quality bureau and its offices, in working hours; `retired`: the codes of retired departments."""
    departments = (
        *CITY.departments,
        a_department("quality", "质监局", "Quality Bureau"),
        *(a_department(code, name, "District Quality Bureau", parent="quality") for code, name in OFFICES.items()),
        a_department("quality-east-lifts", "东区电梯科", "Lift Section", parent="quality-east"),
    )
    rules = (
        a_rule("lifts-and-lamps", "电梯和路灯", "quality", "lighting"),
        a_rule("lifts", "电梯", "quality"),
        *CITY.rules,
    )
    changed = {"departments": departments, "rules": rules, "policies": [POLICY], "calendars": [OFFICE_HOURS]}
    return City.model_validate(CITY.model_dump() | changed | more)


BUREAUS = city_index(bureaus())
LIFTS = received("电梯年检过期", "多个小区的电梯困人。", public=True)


def delegated(department: str, *to: str, text: str | None = None, user: int | None = None) -> Step:
    """A department delegates its part through its outbox; with `user`, a coordinator does."""

    def payload(case: Case) -> Payload:
        return PartDelegated(part_id=part_of(case, department), to=to, text=text, by="赵工")

    return Step(payload, department if user is None else None, user=user, role=None if user is None else "coordinator")
