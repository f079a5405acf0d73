"""Cities in which the lead may go ahead without late co-handlers, and the steps of stories about that."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex, city_index
from shared.city import City, Policy
from shared.city.policies import JointReplyPolicy, PolicyConditions, ReleasePolicy
from shared.contracts.department_outbox import ReplyGoAhead
from shared.contracts.envelope import Payload
from tests.builders import CITY, MONDAY_NOON, Step
from tests.releasing import HOURS

DUE = MONDAY_NOON + timedelta(days=15)
"""When the parts of a message that was received first are due, by the policies here."""


def going_ahead_city(approvers: int = 0, revision: int = 1) -> City:
    """CITY whose only policy lets the lead go ahead."""
    policy = Policy(
        id="standard",
        joint_reply=JointReplyPolicy(wait="lead-after-due"),
        release=ReleasePolicy(approvers=approvers),
        **HOURS,
    )
    return CITY.model_copy(update={"policies": (policy,), "revision": revision})


GOING_AHEAD, APPROVED_FIRST = (city_index(going_ahead_city(approvers)) for approvers in (0, 1))


def waiting_for(*departments: str) -> CityIndex:
    """A city whose replies wait for these departments, and go ahead without others."""
    waits = Policy(id="patient", when=PolicyConditions(departments=departments), **HOURS)
    city = going_ahead_city()
    return city_index(city.model_copy(update={"policies": (waits, *city.policies)}))


def went_ahead(department: str | None = "lighting", *, user: int | None = None) -> Step:
    """The lead goes ahead: through its outbox, as its clerk, or a coordinator does."""

    def payload(case: Case) -> Payload:
        return ReplyGoAhead(inquiry_id=case.inquiry_id, by="李工")

    return Step(payload, department, user=user, role=None if user is None else "clerk" if department else "coordinator")


def late(step: Step, hours: float = 1) -> Step:
    """The same step, so many hours after the parts were due."""
    return on(step, DUE + timedelta(hours=hours))


def on(step: Step, moment: datetime) -> Step:
    return replace(step, at=moment)
