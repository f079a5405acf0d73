"""The filters and the order of the desk's list of cases."""

from datetime import timedelta
from typing import Any

import pytest

from shared.runtime import timestamps
from tests.builders import (
    MONDAY_NOON,
    Story,
    accepted,
    assigned,
    contributed,
    later,
    rang,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.component.searching import ask, listed, page
from tests.component.staff import LIGHTING, OPERATOR, ROADS
from tests.component.test_desk import Office, office, problem

__all__ = ["office"]


def number(n: int) -> str:
    return f"20260316-{n:08}"


def a_case(n: int, subject: str, *steps: Any, hours: float = 0.0) -> Story:
    """A case received so many hours after noon."""
    at = MONDAY_NOON + timedelta(hours=hours)
    return told(later(received(subject, received_at=at), at), *steps, inquiry_id=number(n))


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the desk's clock to so many hours after noon."""

    def set_clock(hours: float) -> None:
        monkeypatch.setattr(timestamps, "now", lambda: MONDAY_NOON + timedelta(hours=hours))

    return set_clock


async def test_the_message_received_last_is_first_whatever_its_number(office: Office) -> None:
    await office.decide(a_case(3, "路灯", hours=1), a_case(1, "路灯", hours=3), a_case(2, "路灯", hours=2))
    assert await listed(office) == [number(1), number(2), number(3)]
    assert await listed(office, limit=1) == [number(1), number(2), number(3)]


async def test_cases_received_at_the_same_moment_are_each_listed_once(office: Office) -> None:
    await office.decide(*(a_case(n, "路灯") for n in range(5)))
    assert await listed(office, limit=2) == [number(n) for n in (4, 3, 2, 1, 0)]


async def test_pages_neither_repeat_nor_skip_while_cases_come_in_and_change(office: Office) -> None:
    stories = [a_case(n, "路灯", hours=n) for n in range(6)]
    await office.decide(*stories)
    first, after = await page(office, limit=2)
    await office.decide(a_case(7, "路灯", hours=7), told(accepted("lighting"), after_this=stories[3]))
    assert [*first, *await listed(office, limit=2, after=after)] == [number(n) for n in (5, 4, 3, 2, 1, 0)]


async def test_cases_in_one_of_several_states(office: Office) -> None:
    await office.decide(a_case(1, "别的"), a_case(2, "路灯"), a_case(3, "路灯", contributed("lighting", "亮")))
    assert await listed(office, state=["triage", "answered"]) == [number(3), number(1)]
    assert await listed(office, state=["triage", "triage"]) == [number(1)]
    [wrong] = problem(await ask(office, "/cases", state=["triage", "lost"]), 422)["errors"]
    assert (wrong["pointer"], wrong["detail"][:6]) == ("/state", "'lost'")


async def test_cases_by_their_lead(office: Office) -> None:
    both = a_case(1, "路灯和路面")
    await office.decide(both, a_case(2, "路灯"))
    assert await listed(office, lead="lighting") == [number(2), number(1)]
    assert await listed(office, lead="roads") == []
    assert await listed(office, lead="lighting", department="roads") == [number(1)]
    await office.decide(told(withdrawn("lighting"), after_this=both))
    assert await listed(office, lead="roads") == [number(1)]
    assert (await ask(office, "/cases", lead="roads")).json()["cases"][0]["lead"] == "roads"


async def test_cases_by_the_state_of_a_part(office: Office) -> None:
    await office.decide(
        a_case(1, "路灯和路面", accepted("roads")),
        a_case(2, "路灯", accepted("lighting")),
        a_case(3, "路灯", returned("lighting"), assigned("parks")),
    )
    assert await listed(office, part_state="accepted") == [number(2), number(1)]
    assert await listed(office, part_state="accepted", department="roads") == [number(1)]
    assert await listed(office, part_state="accepted", department="lighting") == [number(2)]
    assert await listed(office, LIGHTING, part_state="accepted") == [number(2)]
    assert await listed(office, part_state="returned") == [number(3)]
    assert await listed(office, LIGHTING, part_state="returned") == []
    problem(await ask(office, "/cases", part_state="open"), 422)


async def test_overdue_cases_are_those_with_a_clock_that_runs_past_its_due_time(office: Office, at: Any) -> None:
    """Accept within 24 hours, first reply within 72."""
    await office.decide(
        a_case(1, "路灯"), a_case(2, "路灯", accepted("lighting")), a_case(3, "路灯", contributed("lighting", "亮"))
    )
    at(23.9)
    assert await listed(office, due="overdue") == []
    at(24)
    assert await listed(office, due="overdue") == [number(1)]
    at(73)
    assert await listed(office, due="overdue") == [number(2), number(1)]
    assert await listed(office, due="overdue", state="answered") == []


async def test_soon_is_within_a_day_or_reminded(office: Office, at: Any) -> None:
    reminded = a_case(3, "路灯", accepted("lighting"), rang("lighting", "first_reply", "due-soon"))
    await office.decide(a_case(1, "路灯", hours=1), a_case(2, "路灯", accepted("lighting")), reminded)
    at(0.5)
    assert await listed(office, due="soon") == [number(3)]
    at(1)
    assert await listed(office, due="soon") == [number(1), number(3)]
    at(48)
    assert await listed(office, due="soon") == [number(3), number(2)]
    assert await listed(office, due="overdue") == [number(1)]
    problem(await ask(office, "/cases", due="tomorrow"), 422)


async def test_a_due_time_concerns_the_part_of_the_department(office: Office, at: Any) -> None:
    story = a_case(1, "路灯和路面", accepted("lighting"), replied("lighting", "在查"))
    await office.decide(story)
    at(30)
    assert await listed(office, due="overdue") == [number(1)]
    assert await listed(office, due="overdue", department="roads") == [number(1)]
    assert await listed(office, due="overdue", department="lighting") == []
    assert (await listed(office, LIGHTING, due="overdue"), await listed(office, ROADS, due="overdue")) == (
        [],
        [number(1)],
    )
    due = {who.role: (await ask(office, "/cases", who)).json()["cases"][0]["due_at"] for who in (OPERATOR, LIGHTING)}
    assert due == {"operator": "2026-03-17T04:00:00.000Z", "clerk": "2026-03-31T04:00:00.000Z"}


async def test_cases_by_receipt(office: Office) -> None:
    """Noon is 04:00 in UTC; the day in the city ends at 16:00 in UTC."""
    await office.decide(*(a_case(n, "路灯", hours=hours) for n, hours in enumerate((-12.001, -12, 0, 11.999, 12))))
    assert await listed(office, since="2026-03-16") == [number(n) for n in (4, 3, 2, 1)]
    assert await listed(office, until="2026-03-15") == [number(0)]
    assert await listed(office, since="2026-03-16", until="2026-03-16") == [number(n) for n in (3, 2, 1)]
    assert await listed(office, since="2026-03-16T04:00:00Z") == [number(n) for n in (4, 3, 2)]
    assert await listed(office, since="2026-03-16T12:00:00+08:00", until="2026-03-16T04:00:00.001Z") == [number(2)]
    assert await listed(office, since="2026-03-17", until="2026-03-16") == []
    for name, value in (("state", "assigned"), ("lead", "lighting"), ("department", "lighting")):
        assert await listed(office, OPERATOR, since="2026-03-16T04:00:00Z", **{name: value}) == [
            number(n) for n in (4, 3, 2)
        ]
    for wrong in ("gestern", "2026-02-30", "2026-03-16T04:00:00", "99999-01-01", "0001-01-01T00:00:00+14:00", "", "\0"):
        [one] = problem(await ask(office, "/cases", since=wrong), 422)["errors"]
        assert one["pointer"] == "/since"


async def test_an_unknown_field_names_the_known_ones(office: Office) -> None:
    [one] = problem(await ask(office, "/cases", overdue="1"), 422)["errors"]
    for name in ("state", "department", "lead", "part_state", "due", "since", "until", "query", "after", "limit"):
        assert name in one["detail"]


async def test_the_list_shows_nothing_else_of_its_rows(office: Office) -> None:
    await office.decide(a_case(1, "路灯"))
    [row] = (await ask(office, "/cases", LIGHTING)).json()["cases"]
    assert set(row) == {
        *("inquiry_id", "sequence", "updated_at", "subject", "state", "lead", "departments", "due_at"),
        *("part_states", "channel", "received_at", "area"),
    }
    assert timestamps.from_text(row["due_at"]) == MONDAY_NOON + timedelta(hours=24)
