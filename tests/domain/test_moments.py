"""Parsing and formatting of timestamps."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.department_outbox import Action
from shared.http.problems import field_problems
from shared.runtime import timestamps


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "0999-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+08:00",
        "9998-12-31T23:59:59-12:00",
    ],
)
def test_a_time_out_of_range_is_reported_with_the_valid_format(text: str) -> None:
    with pytest.raises(ValidationError) as told:
        Action.model_validate_json(f'{{"kind": "visit", "at": "{text}"}}')
    [one] = field_problems(told.value)
    assert one.pointer == "/at"
    assert one.detail.endswith("is out of range; write a time from 1970 to 9998")
    assert str(datetime.fromisoformat(text).year) in one.detail


@given(st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_every_valid_time_survives_a_round_trip(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)), microsecond=naive.microsecond // 1000 * 1000)
    action = Action(kind="visit", at=moment)
    assert Action.model_validate_json(action.model_dump_json()).at == moment
    assert timestamps.from_text(timestamps.to_text(moment)) == moment


def test_a_year_is_written_with_four_digits() -> None:
    assert timestamps.to_text(datetime(999, 1, 2, 3, 4, 5, 6_789, UTC)) == "0999-01-02T03:04:05.006Z"
    assert (
        timestamps.to_text(datetime(2026, 3, 16, 12, tzinfo=timezone(timedelta(hours=8)))) == "2026-03-16T04:00:00.000Z"
    )
