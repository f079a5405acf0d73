"""A city whose policy limits returns, and the steps of stories about returns, arbitration and reassignment."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex, city_index
from shared.city import City
from shared.contracts.case_commands import CaseArbitrate, CaseAssignFirstReceiver, CaseReassign
from shared.contracts.envelope import Payload
from tests.builders import CITY, Step, at_the_desk, part_of

REASONS = ["not-ours", "wrong-area", "incomplete"]


def returning(within: str | None = "8h", limit: int = 2, **more: Any) -> CityIndex:
    """The city, Monday to Friday 9:00-12:00 and 13:30-18:00, with this policy for returns."""
    policy = {
        "id": "standard",
        "calendar": "office",
        "clocks": {"accept": "2h", "first_reply": "3d", "resolve": "15d"},
        "returns": {"within": within, "limit": limit, "reasons": REASONS},
    }
    office = {"id": "office", "hours": ["09:00-12:00", "13:30-18:00"], "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
    return city_index(City.model_validate(CITY.model_dump() | {"policies": [policy], "calendars": [office]} | more))


RETURNING = returning()
"""A part offered on Monday at noon can be returned until Tuesday, 14:00 in Asia/Shanghai."""


def on_day(step: Step, moment: datetime) -> Step:
    """The same step at this moment."""
    return replace(step, at=moment)


def reassigned(department: str, to: str, words: str = "应由贵单位办理", *, part: str | None = None) -> Step:
    """A coordinator moves a part to another department."""

    def payload(case: Case) -> Payload:
        part_id = part or part_of(case, department)
        return CaseReassign(inquiry_id=case.inquiry_id, part_id=part_id, to=to, words=words, by="赵协调")

    return at_the_desk(Step(payload), 567890123, "coordinator")


def arbitrated(lead: str, *co_handlers: str, words: str | None = None) -> Step:
    """A supervisor decides a dispute about returned parts."""
    fields = {"lead": lead, "co_handlers": co_handlers, "words": words, "by": "钱督办"}
    step = Step(lambda case: CaseArbitrate.model_validate(fields | {"inquiry_id": case.inquiry_id}))
    return at_the_desk(step, 678901234, "supervisor")


def first_receiver_assigned() -> Step:
    """Somebody finds that the time of the arbiter has passed."""
    step = Step(lambda case: CaseAssignFirstReceiver(inquiry_id=case.inquiry_id, by="赵协调"))
    return at_the_desk(step, 567890123, "coordinator")
