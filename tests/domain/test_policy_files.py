"""Policies and calendars in a city's files: what may be left out, and errors that concern several fields."""

import re
from datetime import date
from pathlib import Path

import pytest

from shared.city import Calendar, City, Faulty, Policy, city_of, load_city
from shared.city.calendars import effective_calendars
from tests.city_cases import GOOD, put
from tests.domain.test_city_files import problems, write

REPOSITORY = Path(__file__).parents[2]

OFFICIAL = {
    "policies": [
        {"id": "official", "calendar": "working", "clocks": {"accept": "2h", "first_reply": "1d", "resolve": "2d"}}
    ]
}


def test_a_city_without_calendars_has_the_ready_made_one(tmp_path: Path) -> None:
    city = load_city(write(tmp_path, {name: value for name, value in GOOD.items() if name != "calendars"} | OFFICIAL))
    assert city.calendars == ()
    calendars = effective_calendars(city.calendars, city.time_zone)
    assert (calendars["working"].holidays, calendars["working"].hours) == ("CN", ("09:00-12:00", "13:30-18:00"))
    assert effective_calendars((), "Europe/Berlin")["working"].holidays is None


def test_a_calendars_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path) / "calendars.yaml"
    path.unlink()
    path.mkdir()
    assert problems(tmp_path) == ("calendars.yaml: this is not a file; replace it with a file of that name.",)
    path.rmdir()
    path.symlink_to(tmp_path / "nowhere")
    assert problems(tmp_path)[0].startswith("calendars.yaml: the file does not exist in ")


def test_days_without_quotes_are_read_and_errors_name_their_line(tmp_path: Path) -> None:
    calendars = "- id: office\n  holidays: CN\n  extra_holidays:\n    - 2026-10-08\n    - 2026-10-9\n"
    assert problems(write(tmp_path, calendars=calendars)) == (
        'calendars.yaml:5, calendar "office", field extra_holidays[1]: "2026-10-9" is not a day; write year, month and '
        "day such as 2026-05-01.",
    )
    assert load_city(write(tmp_path, calendars=calendars.replace("10-9", "10-09"))).calendars[0].extra_holidays == (
        date(2026, 10, 8),
        date(2026, 10, 9),
    )


def test_a_policy_may_not_have_clocks_in_both_forms(tmp_path: Path) -> None:
    policies = (
        "- id: both\n  clocks: {accept: 1h, first_reply: 2h, resolve: 3h}\n  accept_h: 1\n"
        "- id: none\n  when: {channels: [web]}\n"
    )
    assert problems(write(tmp_path, policies=policies)) == (
        'policies.yaml:3, policy "both", field accept_h: the policy also has clocks; write either clocks or accept_h, '
        "first_reply_h, resolve_h.",
        'policies.yaml:4, policy "none", field clocks: it is missing; add it.',
        'policies.yaml:5, policy "none", field when: the policy never counts: "both", which comes first, applies to the '
        "same parts; write this policy before it, or narrow its conditions.",
    )


def test_an_invalid_calendar_is_not_reported_again_by_the_policies_that_name_it(tmp_path: Path) -> None:
    told = problems(write(tmp_path, put(GOOD, ("calendars", 1, "holidays"), "china")))
    assert [one.split(",")[0] for one in told] == ["calendars.yaml:1"]


def test_an_invalid_policy_is_not_reported_as_a_missing_one(tmp_path: Path) -> None:
    told = problems(write(tmp_path, put(GOOD, ("policies", 1, "accept_h"), "soon")))
    assert [one.split(":")[0] for one in told] == ["policies.yaml"]


def _clocks(policy: Policy) -> list[str]:
    assert policy.clocks is not None
    return list(policy.clocks.model_dump().values())


def test_departments_read_the_clocks_of_the_sample_city() -> None:
    text = (REPOSITORY / "docs" / "departments.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| (natural|working) \| (.+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    written = [(*row[:2], *(one.replace(" h", "h").replace(" days", "d") for one in row[2:])) for row in rows]
    policies = load_city(REPOSITORY / "deploy" / "city").policies
    assert written == [(one.id, one.calendar, *_clocks(one)) for one in policies]


def test_the_runbook_describes_every_field_of_policies_and_calendars() -> None:
    text = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    assert [name for name in (*Policy.model_fields, *Calendar.model_fields) if f"`{name}`" not in text] == []


def test_a_stored_city_may_have_a_policy_that_never_counts() -> None:
    """An older release used the first policy only; its revisions stay readable."""
    former = [{"id": id_, "accept_h": 24, "first_reply_h": 72, "resolve_h": 360} for id_ in ("first", "second")]
    city = City.model_validate(GOOD | {"policies": former})
    assert [one.id for one in city.policies] == ["first", "second"]
    with pytest.raises(Faulty, match='the policy never counts: "first", which comes first, applies to the same parts'):
        city_of(GOOD | {"policies": former})


WHOLE = """
- id: standard
  effective_from: 2026-01-01
  when: {categories: [], priorities: [], channels: [], departments: []}
  calendar: working
  clocks: {accept: 2h, first_reply: 3d, resolve: 15d}
  joint_reply: {wait: all}
  returns: {within: 8h, limit: 2, reasons: [not-ours, wrong-area, incomplete]}
  release: {approvers: 0}
  publication: review
  reopening: {when: [not-solved, not-satisfied], window_days: 15, limit: 2, clock: new}
  asking: {remind_after: 3d, close_after: 7d}
  mail: {confirm: true, per_address_per_hour: 5}
  supervision: [{at: 80%, tell: desk}, {at: due, tell: head}, {after: 1d, tell: coordinator}, {after: 3d, tell: city}]
"""


def test_a_policy_with_every_field_is_read(tmp_path: Path) -> None:
    [policy] = load_city(write(tmp_path, policies=WHOLE)).policies
    hour = 3_600_000
    assert policy.limits(day_ms=round(7.5 * hour)) == (2 * hour, 22.5 * hour, 112.5 * hour)
    assert policy.effective_from == date(2026, 1, 1)
    assert policy.for_every_part
    # What is left out is what the example says, except returns and the steps of supervision.
    short = "- {id: standard, calendar: working, clocks: {accept: 2h, first_reply: 3d, resolve: 15d}}"
    [other] = load_city(write(tmp_path, policies=short)).policies
    assert other.model_dump(exclude={"effective_from", "supervision", "returns"}) == policy.model_dump(
        exclude={"effective_from", "supervision", "returns"}
    )
    assert (other.effective_from, other.returns, other.supervision) == (None, None, ())


def test_a_policy_for_returns_without_time_limit_and_reasons_has_those_of_the_example(tmp_path: Path) -> None:
    short = "- {id: standard, clocks: {accept: 2h, first_reply: 3d, resolve: 15d}, returns: {within: 8h}}"
    [policy] = load_city(write(tmp_path, policies=short)).policies
    [whole] = load_city(write(tmp_path, policies=WHOLE)).policies
    assert policy.returns == whole.returns
    [none] = load_city(write(tmp_path, policies=short.replace("{within: 8h}", "{}"))).policies
    assert none.returns is not None
    assert none.returns.within is None
