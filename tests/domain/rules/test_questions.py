"""Questions to the resident: clocks pause until the answer; without an answer there is one reminder, then the end."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.router.domain.city_index import CityIndex
from services.router.domain.fold import copy_of
from services.router.domain.question import ENDED
from services.router.domain.timers import timers_of
from shared.clocks.working_time import add, elapsed
from shared.contracts.limits import ADDITIONS_MAX
from shared.kafka import topics
from shared.runtime import timestamps
from tests.asking import ASKING, added, asked, asked_for_case, asking, rang_at, ringing
from tests.builders import (
    MONDAY_NOON,
    Step,
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

ZONE = ZoneInfo("Asia/Shanghai")
DARK = received("路灯不亮")
BOTH = received("路灯和路面都坏了")
CALENDAR = ASKING.terms["standard"].calendar


def on(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in March 2026 in Asia/Shanghai; the 16th is the Monday of the message."""
    return datetime(2026, 3, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def story(*steps: Step, city: CityIndex = ASKING, after_this: Story | None = None) -> Story:
    return told(*steps, city=city, after_this=after_this)


def due(one: Story, department: str, clock: str = "resolve") -> str:
    [part] = [part for part in one.case.active_parts if part.department == department]
    local = datetime.fromisoformat(dict(part.due)[clock]).astimezone(ZONE)  # type: ignore[arg-type]
    return local.strftime("%a %d %H:%M")


def inbox(one: Story, department: str) -> list[str]:
    return [kind for kind, _ in one.on(topics.inbox(department))]


def told_of(one: Story) -> list[str]:
    return [value["what"] for _, value in one.on(topics.RESIDENTS)]


# ── the pause ────────────────────────────────────────────────────────────────


def test_a_question_pauses_the_clocks_and_the_answer_resumes_them() -> None:
    waiting = story(DARK, later(asked("lighting"), on(17, 10)))
    assert waiting.case.state == "awaiting-resident"
    assert waiting.events()[-3:] == ["part.accepted", "part.asked", "inquiry.paused"]
    back = story(later(added(), on(17, 15)), after_this=waiting)
    assert back.events()[-2:] == ["inquiry.added", "inquiry.resumed"]
    assert back.case.state == "in-progress"


def test_five_hours_left_and_three_days_of_waiting_leave_five_hours() -> None:
    """The resolve clock runs out on Monday the 30th at noon; on Friday at 14:30 it has 5 working hours left: 3.5 + 1.5."""
    asked_at, answered_at = on(27, 16), on(30, 16)
    waiting = story(DARK, later(asked("lighting"), asked_at))
    [fact] = [value for kind, value in waiting.on(topics.EVENTS) if kind == "inquiry.paused"]
    left = fact["parts"][0]["left"]
    assert left["resolve"] == 5 * 3_600_000
    back = story(later(added(), answered_at), after_this=waiting)
    moved = timestamps.from_text(back.case.active_parts[0].due["resolve"])
    assert elapsed(CALENDAR, timestamps.to_ms(answered_at), timestamps.to_ms(moved)) == 5 * 3_600_000
    assert due(back, "lighting") == "Tue 31 12:00"


def test_a_pause_over_a_weekend_costs_nothing_twice() -> None:
    """Paused from Friday 17:00 to Sunday: one working hour was saved, so one working hour is gained."""
    waiting = story(DARK, later(asked("lighting"), on(20, 17)))
    before = due(waiting, "lighting")
    back = story(later(added(), on(22, 12)), after_this=waiting)
    assert (before, due(back, "lighting")) == ("Mon 30 12:00", "Mon 30 14:30")


def test_a_pause_inside_a_weekend_moves_nothing() -> None:
    waiting = story(DARK, later(asked("lighting"), on(21, 9)))
    back = story(later(added(), on(22, 21)), after_this=waiting)
    assert due(back, "lighting") == "Mon 30 12:00"


def test_several_pauses_are_breaks_in_one_calendar() -> None:
    told_so_far = story(DARK)
    pauses = []
    for day in (17, 19, 23):
        pauses.append((timestamps.to_ms(on(day, 10)), timestamps.to_ms(on(day + 1, 11))))
        told_so_far = story(
            later(asked("lighting"), on(day, 10)), later(added(), on(day + 1, 11)), after_this=told_so_far
        )
    limit = ASKING.terms["standard"].limits.resolve
    wanted = add(CALENDAR, timestamps.to_ms(MONDAY_NOON), limit, pauses)
    assert told_so_far.case.active_parts[0].due["resolve"] == timestamps.to_text(timestamps.from_ms(wanted))


def test_the_clocks_of_other_parts_run_on() -> None:
    waiting = story(BOTH, later(asked("lighting"), on(17, 10)))
    ringing_for = {one.part_id for one in timers_of(waiting.case, ASKING) if one.clock == "resolve"}
    assert ringing_for == {part.id for part in waiting.case.active_parts if part.department == "roads"}
    back = story(later(added(), on(19, 10)), after_this=waiting)
    assert (due(back, "lighting"), due(back, "roads")) == ("Wed 01 12:00", "Mon 30 12:00")


def test_no_clock_breaks_while_its_part_waits() -> None:
    waiting = ringing(story(DARK, accepted("lighting"), later(asked("lighting"), on(17, 10))), on(25, 9))
    assert "clock.broken" not in waiting.events()


def test_a_timer_that_was_on_the_log_when_the_pause_was_decided_changes_nothing() -> None:
    waiting = story(DARK, later(asked("lighting"), on(17, 10)), later(rang("lighting", "resolve"), on(30, 12)))
    assert waiting.last.facts == ()


def test_a_clock_that_ran_out_before_the_question_stays_broken() -> None:
    waiting = story(DARK, later(asked("lighting"), on(20, 10)))
    back = story(later(added(), on(23, 10)), after_this=waiting)
    assert due(back, "lighting", "first_reply") == "Thu 19 12:00"
    assert due(back, "lighting", "resolve") == "Tue 31 12:00"


def test_what_a_department_does_in_the_pause_is_in_time() -> None:
    """It replies in the pause, after the time at which its clock would have run out."""
    waiting = story(DARK, later(asked("lighting"), on(19, 10)), later(replied("lighting", "在等您"), on(25, 10)))
    part = waiting.case.active_parts[0]
    assert waiting.case.stopped[part.id, "first_reply"] <= part.due["first_reply"]
    back = story(later(added(), on(26, 10)), after_this=waiting)
    assert due(back, "lighting", "first_reply") == "Thu 19 12:00"


def test_the_time_for_a_return_pauses_too() -> None:
    city = asking(returns={"within": "8h", "limit": 2, "reasons": ["not-ours"]})
    waiting = story(DARK, later(asked("lighting"), on(16, 14, 30)), city=city)
    back = story(later(added(), on(20, 9)), later(returned("lighting"), on(20, 15)), city=city, after_this=waiting)
    assert back.refusal is None


def test_a_contribution_ends_the_waiting_of_its_part() -> None:
    done = story(DARK, asked("lighting"), contributed("lighting", "已修好"))
    assert done.case.state == "answered"
    assert done.case.questions == ()


def test_a_return_and_a_withdrawal_end_the_waiting_of_their_part() -> None:
    back = story(BOTH, asked("lighting"), returned("lighting"))
    assert (back.case.state, back.case.questions) == ("triage", ())
    gone = story(BOTH, asked("lighting"), withdrawn("lighting"))
    assert (gone.case.state, gone.case.questions) == ("assigned", ())


# ── who asks ─────────────────────────────────────────────────────────────────


def test_two_departments_ask_and_one_answer_ends_both_pauses() -> None:
    waiting = story(BOTH, later(asked("lighting"), on(17, 10)), later(asked("roads"), on(18, 10)))
    assert waiting.case.state == "awaiting-resident"
    back = story(later(added(), on(19, 10)), after_this=waiting)
    assert (due(back, "lighting"), due(back, "roads")) == ("Wed 01 12:00", "Tue 31 12:00")
    assert back.case.state == "in-progress"


def test_the_case_waits_while_any_part_waits() -> None:
    waiting = story(BOTH, asked("lighting"), asked("roads"), contributed("roads", "补了"))
    assert waiting.case.state == "awaiting-resident"


def test_a_department_has_one_open_question() -> None:
    again = story(DARK, asked("lighting"), asked("lighting", "还有电话吗？"))
    assert again.refusal is not None
    assert "waits for the resident already" in again.refusal
    after_the_answer = story(added(), asked("lighting", "还有电话吗？"), after_this=again)
    assert (after_the_answer.refusal, after_the_answer.case.state) == (None, "awaiting-resident")


def test_the_desk_asks_for_the_whole_case_and_all_open_parts_pause() -> None:
    waiting = story(BOTH, contributed("roads", "补了"), asked_for_case())
    assert [part.pause is not None for part in waiting.case.active_parts] == [True, False]
    assert waiting.case.state == "awaiting-resident"
    assert inbox(waiting, "lighting")[-1] == "part.paused"
    assert "part.paused" not in inbox(waiting, "roads")


def test_the_desk_asks_for_a_case_in_triage_which_stays_in_triage() -> None:
    waiting = story(received("别的事"), asked_for_case())
    assert waiting.case.state == "triage"
    assert story(added(), assigned("roads"), after_this=waiting).case.state == "assigned"


def test_an_answer_to_one_of_two_questions_resumes_only_the_part_without_another_one() -> None:
    """The words were recorded before the desk asked, and arrive later."""
    waiting = story(BOTH, later(asked("lighting"), on(17, 10)), later(asked_for_case(), on(17, 12)))
    back = story(later(added(), on(17, 11)), after_this=waiting)
    assert [part.pause is not None for part in back.case.active_parts] == [True, True]
    assert [one.department for one in back.case.questions] == [None]


def test_nobody_asks_for_an_answered_case() -> None:
    assert story(DARK, contributed("lighting", "亮了"), asked_for_case()).last.refusal == "nothing-to-ask"


# ── what the resident adds ───────────────────────────────────────────────────


def test_words_reach_every_active_department_once_also_without_a_question() -> None:
    one = story(BOTH, added("补充：在东门"))
    for department in ("lighting", "roads"):
        [(_, value)] = [pair for pair in one.on(topics.inbox(department)) if pair[0] == "part.added"]
        assert value["text"] == "补充：在东门"
        assert "asked" not in value
    assert one.case.state == "assigned"


def test_a_department_that_joins_later_reads_what_was_added_before() -> None:
    one = story(received("别的事"), added("在东门"), added("在西门"), assigned("roads"))
    [(_, offer)] = one.on(topics.inbox("roads"))
    assert [extra["text"] for extra in offer["added"]] == ["在东门", "在西门"]
    joined = story(added("在北门"), after_this=one)
    assert inbox(joined, "roads") == ["part.offered", "part.added"]


def test_departments_read_which_question_was_answered() -> None:
    one = story(BOTH, asked("lighting", "哪一栋？"), added("三号楼"))
    [(_, value)] = [pair for pair in one.on(topics.inbox("roads")) if pair[0] == "part.added"]
    assert value["asked"] == [{"department": "lighting", "text": "哪一栋？"}]


def test_words_recorded_before_the_question_do_not_answer_it() -> None:
    waiting = story(DARK, later(asked("lighting"), on(17, 10)), later(added(), on(17, 9)))
    assert waiting.case.state == "awaiting-resident"


def test_the_number_of_additions_is_limited() -> None:
    one = story(DARK, *(added(f"第{number}次") for number in range(ADDITIONS_MAX + 1)))
    assert one.last.refusal == "too-many-additions"
    assert len(one.case.additions) == ADDITIONS_MAX


def test_a_question_can_be_answered_although_the_number_of_additions_is_reached() -> None:
    full = story(DARK, *(added(f"第{number}次") for number in range(ADDITIONS_MAX)))
    back = story(asked("lighting"), added("三号楼"), after_this=full)
    assert (back.refusal, back.case.state) == (None, "in-progress")


def test_an_ended_case_neither_reminds_nor_closes() -> None:
    """The desk's question outlives the parts, which an end withdraws."""
    waiting = story(DARK, later(asked_for_case(), on(17, 10)))
    ended = copy_of(waiting.case)
    for status in ENDED:
        ended.status = status  # type: ignore[assignment]
        assert [one.kind for one in timers_of(ended, ASKING) if one.clock is None] == []


def test_the_resident_reads_the_question_and_until_when_to_answer() -> None:
    waiting = story(DARK, later(asked("lighting", "哪一栋？"), on(17, 10)))
    said = waiting.resident()
    assert said["what"] == "asked"
    assert said["text"].endswith("哪一栋？")
    assert "2026-03-26 10:00" in said["text"]
    assert said["case"]["questions"] == [
        {"name": "路灯管理所", "text": "哪一栋？", "close_at": "2026-03-26T02:00:00.000Z"}
    ]
    assert said["case"]["departments"][0]["due_at"] is None
    back = story(later(added(), on(18, 10)), after_this=waiting)
    assert "questions" not in back.resident()["case"]


# ── without an answer ────────────────────────────────────────────────────────


def test_the_resident_is_reminded_once_and_then_the_case_is_closed() -> None:
    waiting = story(DARK, later(asked("lighting"), on(17, 10)))
    reminded = ringing(waiting, on(20, 10))
    assert (told_of(reminded)[-1], reminded.case.state) == ("reminded", "awaiting-resident")
    closed = ringing(reminded, on(26, 10))
    assert closed.events()[-2:] == ["inquiry.reminded", "inquiry.closed"]
    assert (told_of(closed)[-1], closed.case.state) == ("closed", "closed")
    assert inbox(closed, "lighting")[-1] == "part.closed"
    assert timers_of(closed.case, ASKING) == []


def test_nobody_is_reminded_after_the_answer() -> None:
    back = ringing(story(DARK, later(asked("lighting"), on(17, 10)), later(added(), on(18, 10))), on(27, 10))
    assert not {"inquiry.reminded", "inquiry.closed"} & set(back.events())


def test_a_late_answer_reopens_the_case_with_the_time_that_was_left() -> None:
    closed = ringing(story(DARK, later(asked("lighting"), on(17, 10))), on(27, 10))
    back = story(later(added(), on(30, 10)), after_this=closed)
    assert back.events()[-3:] == ["inquiry.added", "inquiry.reopened", "inquiry.resumed"]
    assert back.case.state == "in-progress"
    left = elapsed(CALENDAR, timestamps.to_ms(on(17, 10)), timestamps.to_ms(on(30, 12)))
    moved = timestamps.to_ms(timestamps.from_text(back.case.active_parts[0].due["resolve"]))
    assert elapsed(CALENDAR, timestamps.to_ms(on(30, 10)), moved) == left
    assert inbox(back, "lighting")[-2:] == ["part.added", "part.resumed"]


def test_words_that_were_sent_in_time_and_arrive_after_the_end_reopen_the_case_too() -> None:
    closed = ringing(story(DARK, later(asked("lighting"), on(17, 10))), on(27, 10))
    back = story(later(added(), on(26, 9)), after_this=closed)
    assert back.case.state == "in-progress"


def test_the_case_stays_open_while_another_department_works() -> None:
    waiting = ringing(story(BOTH, later(asked("lighting"), on(17, 10))), on(27, 10))
    assert waiting.case.state == "awaiting-resident"
    alone = story(later(contributed("roads", "补了"), on(27, 11)), after_this=waiting)
    closed = ringing(alone, on(27, 12))
    assert closed.case.state == "closed"
    assert closed.last.decided_at == timestamps.to_text(on(27, 11))


def test_the_case_closes_at_the_end_of_the_last_question() -> None:
    waiting = story(BOTH, later(asked("lighting"), on(17, 10)), later(asked("roads"), on(18, 10)))
    assert ringing(waiting, on(26, 12)).case.state == "awaiting-resident"
    assert ringing(waiting, on(27, 12)).case.state == "closed"


def test_a_case_in_triage_closes_only_when_the_desk_itself_asked() -> None:
    open_point = story(BOTH, later(asked("lighting"), on(17, 10)), later(returned("roads"), on(17, 11)))
    assert ringing(open_point, on(31, 10)).case.state == "triage"
    by_desk = story(received("别的事"), later(asked_for_case(), on(17, 10)))
    closed = ringing(by_desk, on(31, 10))
    assert closed.case.state == "closed"
    assert story(later(added(), on(31, 11)), after_this=closed).case.state == "triage"


def test_a_department_answers_a_closed_case_after_all() -> None:
    closed = ringing(story(DARK, later(asked("lighting"), on(17, 10))), on(27, 10))
    assert story(later(contributed("lighting", "找到了"), on(28, 10)), after_this=closed).case.state == "answered"


@pytest.mark.parametrize("step", [replied("lighting", "在修"), returned("lighting"), asked("lighting")])
def test_a_department_does_nothing_else_on_a_closed_case(step: Step) -> None:
    closed = ringing(story(DARK, later(asked("lighting"), on(17, 10))), on(27, 10))
    assert story(step, after_this=closed).last.refusal == "case-closed"


def test_a_stale_timer_of_a_question_changes_nothing() -> None:
    waiting = story(DARK, later(asked("lighting"), on(17, 10)))
    question = waiting.case.questions[0]
    back = story(later(added(), on(18, 10)), after_this=waiting)
    for kind, at in (("asking-reminder", question.remind_at), ("asking-close", question.close_at)):
        assert story(rang_at(kind, at, "lighting"), after_this=back).last.facts == ()  # type: ignore[arg-type]


# ── reminders of clocks ──────────────────────────────────────────────────────


def test_a_department_that_was_reminded_before_the_pause_is_not_reminded_again_after_it() -> None:
    reminded = ringing(story(DARK, accepted("lighting"), later(replied("lighting", "在修"), on(17, 9))), on(26, 15))
    assert reminded.events().count("clock.due-soon") == 1
    back = story(later(asked("lighting"), on(27, 10)), later(added(), on(30, 10)), after_this=reminded)
    end = ringing(back, on(30, 10) + timedelta(days=10))
    assert end.events().count("clock.due-soon") == 1
    assert end.events().count("clock.broken") == 1


def test_a_clock_whose_reminder_lies_after_the_pause_reminds_at_its_new_time() -> None:
    back = story(DARK, accepted("lighting"), later(asked("lighting"), on(17, 10)), later(added(), on(19, 10)))
    soon = [one for one in timers_of(back.case, ASKING) if (one.kind, one.clock) == ("due-soon", "resolve")]
    assert [timestamps.from_ms(one.rings_at).astimezone(ZONE).strftime("%a %d %H:%M") for one in soon] == [
        "Mon 30 13:30"
    ]
