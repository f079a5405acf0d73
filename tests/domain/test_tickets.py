"""A ticket: the state of the newest update, one deadline, the timeline, and the ratings."""

import pytest

from services.intake import domain
from services.intake.domain import TicketUpdate
from services.intake.responses import DepartmentShown, Ticket
from shared.contracts.resident_inputs import InquiryRated, InquiryReceived
from tests.builders import INQUIRY, MONDAY_NOON

AT = "2026-03-16T04:00:00.000Z"
RECEIVED = InquiryReceived(
    inquiry_id=INQUIRY, subject="路灯", body="不亮", area="人民路", public=True, received_at=MONDAY_NOON
)
EARLY, LATE = "2026-03-20T04:00:00.000Z", "2026-03-31T04:00:00.000Z"


def handled_by(*due: str | None) -> tuple[DepartmentShown, ...]:
    return tuple(
        DepartmentShown(code=f"d{at}", name="某局", role="lead", state="accepted", due_at=one)
        for at, one in enumerate(due)
    )


def update(n: int, what: str, state: str, departments: tuple[DepartmentShown, ...] = ()) -> TicketUpdate:
    return TicketUpdate(n, n, AT, what, f"{what} {n}", state, 1, departments, None)


def ticket(*updates: TicketUpdate, ratings: tuple[InquiryRated, ...] = ()) -> Ticket:
    return domain.ticket(RECEIVED, AT, updates, ratings)


def test_before_the_first_update_the_ticket_shows_the_message_alone() -> None:
    seen = ticket()
    assert (seen.subject, seen.body, seen.area) == ("路灯", "不亮", "人民路")
    assert (seen.public, seen.confidential, seen.state, seen.answer_due_at) == (True, False, "registered", None)
    assert [one.text for one in seen.timeline] == ["您的诉求已收到，正在登记。"]
    assert (seen.rated, seen.ratings) == ([], [])


@pytest.mark.parametrize(
    ("state", "due", "expected"),
    [
        ("assigned", (EARLY, LATE), LATE),
        ("in-progress", (LATE, EARLY), LATE),
        ("in-progress", (None, EARLY), EARLY),
        ("awaiting-release", (EARLY,), EARLY),
        ("reopened", (EARLY,), EARLY),
        ("assigned", (None,), None),
        ("assigned", (), None),
        ("triage", (EARLY,), None),
        ("awaiting-resident", (EARLY,), None),
        ("answered", (EARLY,), None),
        ("closed", (EARLY,), None),
        ("a-later-state", (EARLY,), None),
    ],
)
def test_the_answer_is_due_when_its_last_department_is(
    state: str, due: tuple[str | None, ...], expected: str | None
) -> None:
    assert ticket(update(1, "assigned", state, handled_by(*due))).answer_due_at == expected


def test_the_timeline_leaves_out_links_and_the_state_does_not() -> None:
    seen = ticket(update(3, "link", "in-progress"), update(1, "registered", "registered"), update(2, "assigned", "x"))
    assert [one.text for one in seen.timeline] == ["registered 1", "assigned 2"]
    assert seen.state == "in-progress"
    assert [one.text for one in ticket(update(2, "link", "triage")).timeline] == ["您的诉求已收到，正在登记。"]


def test_ratings_are_shown_by_round_as_they_were_given() -> None:
    given = [
        InquiryRated(inquiry_id=INQUIRY, round=number, solved=number == 2, satisfied="mostly", words=words)
        for number, words in ((2, None), (1, "还没好"))
    ]
    seen = ticket(ratings=tuple(given))
    assert seen.rated == [1, 2]
    assert [(one.round, one.solved, one.words) for one in seen.ratings] == [(1, False, "还没好"), (2, True, None)]
