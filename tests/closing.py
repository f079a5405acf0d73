"""Steps that close a case and ring the reminder to rate."""

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.rules.rating_reminders import reminds_at
from shared.contracts.case_commands import CaseClose
from shared.contracts.inputs import TimerRang
from shared.runtime import timestamps
from tests.builders import DIRECTORY, MONDAY_NOON, Step


def closed(why: str = "已两次答复，处理符合规定。") -> Step:
    """A coordinator closes the case with a final answer."""
    return Step(lambda case: CaseClose(inquiry_id=case.inquiry_id, why=why), role="coordinator")


def rating_reminder(city: CityIndex = DIRECTORY, due_at: str | None = None) -> Step:
    """The reminder to rate rings, for the time at which it is due now, or for `due_at`."""

    def payload(case: Case) -> TimerRang:
        at = reminds_at(case, city)
        when = due_at or timestamps.to_text(MONDAY_NOON if at is None else timestamps.from_ms(at))
        return TimerRang(inquiry_id=case.inquiry_id, kind="rating-reminder", due_at=timestamps.from_text(when))

    return Step(payload)
