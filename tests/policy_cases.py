"""The policies and calendars of the valid city in `tests/city_cases.py`, and the errors of each of their fields."""

from typing import Any

from shared.city import Calendar, Policy
from shared.city.entries import CityEntry
from shared.city.policies import (
    AskingPolicy,
    JointReplyPolicy,
    MailPolicy,
    PolicyClocks,
    PolicyConditions,
    ReleasePolicy,
    ReopeningPolicy,
    ReturnPolicy,
    SupervisionStep,
)
from shared.city.times import DAY_PATTERN, DURATION_PATTERN, OPENING_PATTERN

Loc = tuple[str | int, ...]
NOTHING = object()
BACKWARDS = "are not in ascending order; each must be at least the one before"

POLICIES_AND_CALENDARS: dict[str, Any] = {
    "policies": [
        {
            "id": "quick",
            "effective_from": "2026-01-01",
            "when": {"channels": ["web"]},
            "calendar": "office",
            "clocks": {"accept": "2h", "first_reply": "3d", "resolve": "15d"},
            "joint_reply": {"wait": "lead-after-due"},
            "returns": {"within": "8h", "limit": 2, "reasons": ["not-ours", "wrong-area"]},
            "release": {"approvers": 1},
            "publication": "review",
            "reopening": {"when": ["not-solved"], "window_days": 15, "limit": 2, "clock": "new", "remind_after": "3d"},
            "asking": {"remind_after": "3d", "close_after": "7d"},
            "mail": {"confirm": True, "per_address_per_hour": 5},
            "supervision": [
                {"at": "80%", "tell": "desk"},
                {"before": "2h", "tell": "desk"},
                {"at": "due", "tell": "head"},
                {"after": "1d", "tell": "city"},
            ],
        },
        {"id": "standard", "accept_h": 48, "first_reply_h": 96, "resolve_h": 720},
    ],
    "calendars": [
        {"id": "shops", "hours": ["10:00-20:00"], "weekdays": ["sat", "sun"]},
        {
            "id": "office",
            "time_zone": "Asia/Shanghai",
            "hours": ["09:00-12:00", "13:30-18:00"],
            "weekdays": ["mon", "tue", "wed", "thu", "fri"],
            "holidays": "CN",
            "extra_holidays": ["2026-10-08"],
            "extra_working_days": ["2026-10-11"],
        },
    ],
}
POLICY_PLACES: dict[type[CityEntry], Loc] = {
    Policy: ("policies", 1),
    PolicyConditions: ("policies", 0, "when"),
    PolicyClocks: ("policies", 0, "clocks"),
    JointReplyPolicy: ("policies", 0, "joint_reply"),
    ReturnPolicy: ("policies", 0, "returns"),
    ReleasePolicy: ("policies", 0, "release"),
    ReopeningPolicy: ("policies", 0, "reopening"),
    AskingPolicy: ("policies", 0, "asking"),
    MailPolicy: ("policies", 0, "mail"),
    SupervisionStep: ("policies", 0, "supervision", 1),
    Calendar: ("calendars", 1),
}
POLICY_MEANT: dict[tuple[type[CityEntry], str], list[tuple[Any, str]]] = {
    (Policy, "id"): [("quick", '"quick" is already used as id')],
    (Policy, "effective_from"): [],
    (Policy, "when"): [
        ({"channels": ["web"]}, "no policy applies to every part, so some would have no due times; add one"),
    ],
    (Policy, "calendar"): [
        ("offise", '"offise" is not a calendar; did you mean "office"'),
        ("zoo", '"zoo" is not a calendar; add it to calendars.yaml or name an existing one'),
        ("office", "accept_h, first_reply_h, resolve_h are natural hours; write clocks, or leave the calendar out"),
    ],
    (Policy, "clocks"): [],
    (Policy, "accept_h"): [
        (NOTHING, "it is missing; add it"),
        (97, f"accept_h 97, first_reply_h 96 and resolve_h 720 {BACKWARDS}"),
    ],
    (Policy, "first_reply_h"): [(NOTHING, "it is missing; add it"), (47, BACKWARDS), (721, BACKWARDS)],
    (Policy, "resolve_h"): [(NOTHING, "it is missing; add it"), (95, BACKWARDS)],
    (Policy, "joint_reply"): [],
    (Policy, "returns"): [],
    (Policy, "release"): [],
    (Policy, "publication"): [],
    (Policy, "reopening"): [],
    (Policy, "asking"): [],
    (Policy, "mail"): [],
    (Policy, "supervision"): [
        ([{"tell": "desk"}], "the step needs exactly one of at, before and after; write one of them"),
        (
            [{"at": "due", "tell": "desk"}, {"at": "80%", "tell": "desk"}],
            "the step is not later than the step before it; write the earliest step first",
        ),
        (
            [{"at": "due", "tell": "city"}, {"after": "1h", "tell": "head"}],
            '"head" is told after "city"; go up in the order desk, head, coordinator, city',
        ),
    ],
    (PolicyConditions, "categories"): [(["lihgts"], '"lihgts" is not the category of any rule; did you mean "lights"')],
    (PolicyConditions, "priorities"): [(["zoo"], '"zoo" is not the priority of any rule; give a rule this priority')],
    (PolicyConditions, "channels"): [
        (["Web site"], '"Web site" is not allowed; write the name of a channel such as web')
    ],
    (PolicyConditions, "departments"): [(["raods"], '"raods" is not a department; did you mean "roads"')],
    (PolicyClocks, "accept"): [
        ("23h", f'accept 23h, first_reply 3d and resolve 15d {BACKWARDS} (a day of "office" is 7.5h)')
    ],
    (PolicyClocks, "first_reply"): [("1h", BACKWARDS), ("16d", BACKWARDS)],
    (PolicyClocks, "resolve"): [
        ("2d", BACKWARDS),
        ("521d", '"521d" is more than 104 weeks of the calendar "office"; write less'),
    ],
    (JointReplyPolicy, "wait"): [],
    (ReturnPolicy, "within"): [("16d", '"16d" is later than the resolve clock; write at most as much')],
    (ReturnPolicy, "limit"): [],
    (ReturnPolicy, "reasons"): [(["Not ours"], '"Not ours" is not allowed; write a code such as not-ours')],
    (ReleasePolicy, "approvers"): [],
    (ReopeningPolicy, "when"): [],
    (ReopeningPolicy, "window_days"): [],
    (ReopeningPolicy, "limit"): [],
    (ReopeningPolicy, "clock"): [],
    (ReopeningPolicy, "remind_after"): [
        ("521d", '"521d" is more than 104 weeks of the calendar "office"; write less'),
    ],
    (AskingPolicy, "remind_after"): [],
    (AskingPolicy, "close_after"): [("3d", '"3d" is not after remind_after "3d"; write more')],
    (MailPolicy, "confirm"): [],
    (MailPolicy, "per_address_per_hour"): [],
    (SupervisionStep, "at"): [
        ("0%", '"0%" is not allowed; write a share of the time such as 80%, or due'),
        ("100%", '"100%" is not allowed; write a share'),
        ("due", "the step needs exactly one of at, before and after; write one of them"),
    ],
    (SupervisionStep, "before"): [
        ("15d", '"15d" before the due time is before the start; write less'),
        ("4d", "the step is not later than the step before it; write the earliest step first"),
    ],
    (SupervisionStep, "after"): [("521d", '"521d" is more than 104 weeks of the calendar "office"; write less')],
    (SupervisionStep, "tell"): [],
    (Calendar, "id"): [
        ("shops", '"shops" is already used as id'),
        ("natural", '"natural" always means every hour of every day; choose another id'),
    ],
    (Calendar, "time_zone"): [("Asia/Shangai", '"Asia/Shangai" is not a time zone; write a name of the IANA list')],
    (Calendar, "hours"): [
        (["12:00-09:00"], '"12:00-09:00" end before they begin; write two parts for hours past midnight'),
        (["09:00-12:00", "11:30-18:00"], '"11:30-18:00" overlaps the hours before it; write them in ascending order'),
        (["09:60-12:00"], '"09:60-12:00" are not times of a day; write 00:00 to 24:00'),
        (["09:00-24:01"], '"09:00-24:01" are not times of a day'),
        (["09:00-09:00"], '"09:00-09:00" end before they begin'),
    ],
    (Calendar, "weekdays"): [(["mon", "mon"], '"mon" is named twice; name each weekday once')],
    (Calendar, "holidays"): [
        ("ZZ", 'no public holidays are known for "ZZ"; '),
        ("DE-XX", 'no public holidays are known for "DE-XX"; '),
        ("China", '"China" is not allowed; write a country such as CN, or a country and region such as DE-BE'),
    ],
    (Calendar, "extra_holidays"): [
        (["2026-10-08", "2026-10-08"], '"2026-10-08" is named twice; name each day once'),
    ],
    (Calendar, "extra_working_days"): [
        (["2026-10-12", "2026-10-12"], '"2026-10-12" is named twice'),
        (["2026-10-08"], '"2026-10-08" is also one of the extra_holidays; keep one of them'),
    ],
}
TIMES: dict[str, tuple[str, tuple[Any, ...]]] = {
    DAY_PATTERN: (
        "write year, month and day such as 2026-05-01",
        ("", "soon", "2026-13-45", "2026-02-29", "26-1-1", "2026-01-01T00:00", "２０２６-01-01", 20260101, True, ["a"]),
    ),
    DURATION_PATTERN: (
        "such as 2h or 3d",
        (
            "",
            "0h",
            "0.0d",
            "3",
            "3w",
            "-3d",
            "+3d",
            "3 d",
            "3D",
            "three days",
            "１d",
            "1e9d",
            "99999d",
            3,
            True,
            ["3d"],
        ),
    ),
    OPENING_PATTERN: ("write ", ("", "9-12", "9:00-12:00", "09:00", "0９:00-12:00", "09:00–12:00", 9, ["09:00-12:00"])),
}
"""The ways in which days, durations and opening hours are written: the remedy, and values that are wrong."""
