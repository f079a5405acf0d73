"""Returns by policy (退单): within a short time, for the city's reasons, and not back and forth."""

from datetime import UTC, datetime

import pytest

from services.router.domain.city_index import RULES_KEPT_MAX
from services.router.domain.decision import from_document
from services.router.domain.outputs.messages import with_messages
from shared.kafka import topics
from tests.builders import (
    DIRECTORY,
    INQUIRY,
    Step,
    Story,
    accepted,
    assigned,
    at_the_desk,
    contributed,
    received,
    returned,
    told,
    withdrawn,
)
from tests.domain.rules.stories import BOTH
from tests.returning import RETURNING, on_day, returning

DARK = received("路灯不亮")
LATEST = datetime(2026, 3, 17, 6, 0, tzinfo=UTC)
"""Eight working hours after Monday noon: 4.5 on Monday, 3 before lunch on Tuesday, and half an hour after it."""
PATIENT = returning(limit=5)


def code(story: Story) -> str | None:
    """The reason code of the last refusal."""
    return story.last.refusal


def triaged(story: Story) -> list[str]:
    """The reasons for which the case went to triage."""
    return [value["reason"] for kind, value in story.on(topics.EVENTS) if kind == "inquiry.triaged"]


# ── within a short time ──────────────────────────────────────────────────────


def test_the_offer_says_until_when_the_part_can_be_returned_in_working_time() -> None:
    [(_, offer)] = told(DARK, city=RETURNING).on(topics.inbox("lighting"))
    assert offer["return_until"] == "2026-03-17T06:00:00.000Z"
    assert "binding" not in offer


@pytest.mark.parametrize("first", [(), (accepted("lighting"),)], ids=["offered", "accepted"])
def test_a_part_can_be_returned_until_the_last_millisecond(first: tuple[Step, ...]) -> None:
    story = told(DARK, *first, on_day(returned("lighting"), LATEST), city=RETURNING)
    assert (story.refusal, story.case.state) == (None, "triage")


def test_a_late_return_is_refused_and_the_department_reads_the_remedy() -> None:
    late = LATEST.replace(microsecond=1_000)
    story = told(DARK, on_day(returned("lighting"), late), city=RETURNING)
    assert (code(story), story.case.state) == ("return-too-late", "assigned")
    kind, data = story.on(topics.inbox("lighting"))[-1]
    assert (kind, data) == (
        "message.refused",
        {
            "cause": "origin-2",
            "reason": f"The part '{INQUIRY}-p1' could be returned until 2026-03-17T06:00:00.000Z; this return came at "
            "2026-03-17T06:00:00.001Z.",
            "remedy": "Contribute to the answer, or ask the city's desk to reassign the part.",
        },
    )
    assert told(contributed("lighting", "亮了"), city=RETURNING, after_this=story).texts() == ["亮了"]


def test_at_the_desk_a_late_return_is_refused_to_its_sender_only() -> None:
    step = at_the_desk(on_day(returned("lighting"), LATEST.replace(hour=7)), 345678901)
    story = told(DARK, step, city=RETURNING)
    assert code(story) == "return-too-late"
    assert [kind for kind, _ in story.on(topics.inbox("lighting"))] == ["part.offered"]


def test_a_policy_without_a_time_sets_none() -> None:
    city = returning(within=None)
    [(_, offer)] = told(DARK, city=city).on(topics.inbox("lighting"))
    assert "return_until" not in offer
    assert told(DARK, on_day(returned("lighting"), LATEST.replace(year=2027)), city=city).refusal is None


def test_a_changed_policy_does_not_move_the_time_of_an_earlier_offer() -> None:
    story = told(DARK, city=RETURNING)
    for city in (returning(within="1h"), DIRECTORY):
        assert told(on_day(returned("lighting"), LATEST), city=city, after_this=story).refusal is None
        late = on_day(returned("lighting"), LATEST.replace(hour=7))
        assert code(told(late, city=city, after_this=story)) == "return-too-late"


# ── with a reason of the city's list and words ───────────────────────────────


@pytest.mark.parametrize("reason", ["duplicate", "other", "不归我们"])
def test_a_reason_that_the_city_does_not_have_is_refused_with_the_reasons_that_it_has(reason: str) -> None:
    story = told(DARK, returned("lighting", reason), city=RETURNING)
    refused = story.last.refused
    assert refused is not None
    assert (refused.code, refused.reason) == (
        "return-reason-unknown",
        f"{reason!r} is not one of the city's reasons for a return.",
    )
    assert refused.remedy == "Return the part with one of not-ours, wrong-area, incomplete."


def test_a_return_without_words_is_refused() -> None:
    story = told(DARK, returned("lighting", words=""), city=RETURNING)
    assert (code(story), story.case.state) == ("return-without-words", "assigned")


def test_a_suggested_department_is_checked_against_the_directory() -> None:
    story = told(DARK, returned("lighting", suggest="wather"), city=RETURNING)
    assert code(story) == "unknown-department"
    assert story.last.refused is not None
    assert "'water'" in story.last.refused.remedy


def test_a_policy_without_returns_takes_any_reason_at_any_time() -> None:
    late = LATEST.replace(month=4)
    story = told(BOTH, on_day(returned("roads", "不归我们", ""), late), city=DIRECTORY)
    assert (story.refusal, triaged(story)) == (None, ["returned"])
    assert "return_until" not in story.on(topics.inbox("roads"))[0][1]


# ── below the limit ──────────────────────────────────────────────────────────


def test_below_the_limit_the_rules_find_the_next_department_and_it_is_told_why() -> None:
    story = told(received("路灯和水管都坏了"), returned("lighting", words="是水管的事"), city=RETURNING)
    assert (story.case.state, story.case.lead, story.case.rule) == ("assigned", "water", "pipes")
    kind, offer = story.on(topics.inbox("water"))[-1]
    assert (kind, offer["returned"]) == (
        "part.offered",
        [{"department": "lighting", "reason": "not-ours", "words": "是水管的事"}],
    )
    assert [data["what"] for _, data in story.on(topics.RESIDENTS)][-2:] == ["progressed", "assigned"]
    stored = [from_document(one.document()) for one in story.decisions]
    assert with_messages(INQUIRY, stored) == list(story.decisions)


def test_without_another_rule_the_part_goes_to_triage() -> None:
    story = told(DARK, returned("lighting"), city=RETURNING)
    assert (story.case.state, triaged(story)) == ("triage", ["returned"])


def test_the_part_goes_to_triage_while_other_departments_have_one() -> None:
    story = told(received("路灯和路面和水管"), returned("roads"), city=RETURNING)
    assert (triaged(story), story.case.lead) == (["returned"], "lighting")


@pytest.mark.parametrize(("suggest", "state"), [("water", "assigned"), ("parks", "triage")])
def test_a_person_decides_when_the_suggestion_is_not_what_the_rules_say(suggest: str, state: str) -> None:
    story = told(received("路灯和水管都坏了"), returned("lighting", suggest=suggest), city=RETURNING)
    assert story.case.state == state


def test_the_rules_never_choose_a_department_that_had_the_inquiry() -> None:
    story = told(received("路灯和水管", departments=("water",)), returned("water"), city=PATIENT)
    assert story.case.lead == "lighting"
    story = told(returned("lighting"), city=PATIENT, after_this=story)
    assert (story.case.state, triaged(story)) == ("triage", ["returned"])


def test_the_rules_do_not_choose_a_department_from_which_the_desk_withdrew_its_part() -> None:
    story = told(received("路灯和水管"), withdrawn("lighting"), assigned("parks"), returned("parks"), city=PATIENT)
    assert story.case.lead == "water"


def test_the_rules_without_some_departments_are_compiled_once_and_few_are_kept() -> None:
    city = returning()
    without = city.rules_without(frozenset({"lighting"}))
    assert without is city.rules_without(frozenset({"lighting"}))
    assert (without.active, city.rules.active - without.active) == (
        city.rules.active - {"lighting"},
        frozenset({"lighting"}),
    )
    for number in range(RULES_KEPT_MAX):
        city.rules_without(frozenset({f"d-{number}"}))
    assert without is not city.rules_without(frozenset({"lighting"}))
