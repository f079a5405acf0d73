"""A city whose policy has office hours, and the steps of stories about questions to the resident and extensions."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.router.domain.case import Case, TimerKind
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.timers import due_timers
from shared.city import City
from shared.contracts.envelope import Payload
from shared.contracts.extensions import CaseExtend, CaseRefuseExtension, PartExtensionAsked
from shared.contracts.inputs import TimerRang
from shared.contracts.questions import CaseAsk, InquiryAdded, PartAsked
from shared.runtime import timestamps
from tests.builders import CITY, Step, Story, at_the_desk, later, part_of, told

OFFICE = {"id": "office", "hours": ["09:00-12:00", "13:30-18:00"], "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
POLICY = {
    "id": "standard",
    "calendar": "office",
    "clocks": {"accept": "2h", "first_reply": "3d", "resolve": "10d"},
    "asking": {"remind_after": "3d", "close_after": "7d"},
    "supervision": [{"at": "80%", "tell": "desk"}],
}


def asking(**more: Any) -> CityIndex:
    """The city, Monday to Friday 9:00-12:00 and 13:30-18:00, which asks residents for seven working days."""
    return city_index(City.model_validate(CITY.model_dump() | {"policies": [POLICY | more], "calendars": [OFFICE]}))


ASKING = asking()
"""A part that is offered on Monday, 16 March, at noon is due on Monday, 30 March, at noon."""


def asked(department: str, text: str = "请问是哪一栋楼？", *, by: str | None = None) -> Step:
    """A department asks the resident."""
    return Step(lambda case: PartAsked(part_id=part_of(case, department), text=text, by=by), department)


def asked_for_case(text: str = "请问具体位置在哪里？") -> Step:
    """A coordinator asks the resident for the whole inquiry."""
    return at_the_desk(
        Step(lambda case: CaseAsk(inquiry_id=case.inquiry_id, text=text, by="赵协调")), 567890123, "coordinator"
    )


def added(text: str = "三号楼东侧。") -> Step:
    """The resident adds words."""
    return Step(lambda case: InquiryAdded(inquiry_id=case.inquiry_id, text=text))


def extension_asked(department: str, until: datetime, reason: str = "需要更换电缆") -> Step:
    """A department asks for more time."""

    def payload(case: Case) -> Payload:
        return PartExtensionAsked(part_id=part_of(case, department), until=until, reason=reason)

    return Step(payload, department)


def extended(department: str, until: datetime | None = None) -> Step:
    """A coordinator grants more time."""

    def payload(case: Case) -> Payload:
        return CaseExtend(inquiry_id=case.inquiry_id, part_id=part_of(case, department), until=until, by="赵协调")

    return at_the_desk(Step(payload), 567890123, "coordinator")


def extension_refused(department: str, reason: str = "事项紧急，不予延期") -> Step:
    """A coordinator does not grant more time."""

    def payload(case: Case) -> Payload:
        about = {"inquiry_id": case.inquiry_id, "part_id": part_of(case, department)}
        return CaseRefuseExtension(**about, reason=reason, by="赵协调")

    return at_the_desk(Step(payload), 567890123, "coordinator")


def rang_at(kind: TimerKind, due_at: str, department: str | None = None) -> Step:
    """A timer of a question or of the inquiry rings at this time."""

    def payload(case: Case) -> Payload:
        part_id = part_of(case, department) if department else None
        about = {"inquiry_id": case.inquiry_id, "part_id": part_id, "kind": kind}
        return TimerRang.model_validate(about | {"due_at": due_at})

    return replace(Step(payload), at=timestamps.from_text(due_at))


def ringing(story: Story, until: datetime, city: CityIndex = ASKING) -> Story:
    """The story after every timer that rings until this time."""
    while due := due_timers(story.case, city, timestamps.to_ms(until)):
        timer, before = due[0], len(story.decisions)
        fields = {name: getattr(timer, name) for name in ("kind", "part_id", "clock", "due_at")}
        payload = TimerRang.model_validate(fields | {"inquiry_id": story.case.inquiry_id})
        step = replace(Step(lambda _, payload=payload: payload), id=timer.id_in(story.case.inquiry_id))  # type: ignore[misc]
        story = told(later(step, timestamps.from_ms(timer.rings_at)), city=city, after_this=story)
        # A timer that rings again under its id would ring forever.
        assert len(story.decisions) > before, timer
    return story
