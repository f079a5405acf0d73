"""`chorus case list` with its filters, and `chorus case worklist`."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.component.town import Answer, Asked, Chorus, Town, problem

CASE = "20261122-7F3KQ2MX"
ROW = {"inquiry_id": CASE, "state": "assigned", "received_at": "2026-11-22T09:51:34.490Z", "subject": "路灯"}
PART: dict[str, Any] = {
    "part_id": f"{CASE}-p1",
    "inquiry_id": CASE,
    "subject": "路灯\x1b[2J不亮",
    "area": "东屿区",
    "received_at": "2026-11-22T09:51:34.490Z",
    "role": "lead",
    "state": "offered",
    "due": {"accept": "2026-11-23T09:51:34.490Z"},
    "next_due": "2026-11-23T09:51:34.490Z",
    "marks": ["overdue", "changed"],
    "refused_because": None,
    "returned": [],
}


def asked(town: Town, at: int = -1) -> dict[str, list[str]]:
    return parse_qs(urlsplit(town.asked[at].path).query)


def test_every_filter_is_sent(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, {"cases": [ROW | {"due_at": "2026-11-23T09:51:34.490Z"}], "next": None}, {})
    words = "--state triage --state assigned --department roads --query 人民路&路灯 --due overdue --lead lighting"
    more = "--part-state offered --since 2026-11-01 --until 2026-11-30"
    ended = chorus("case", "list", *words.split(), *more.split())
    assert (ended.code, "2026-11-23 09:51" in ended.out) == (0, True)
    assert asked(town) == {
        "state": ["triage", "assigned"],
        "department": ["roads"],
        "query": ["人民路&路灯"],
        "due": ["overdue"],
        "lead": ["lighting"],
        "part_state": ["offered"],
        "since": ["2026-11-01"],
        "until": ["2026-11-30"],
        "limit": ["500"],
    }


def test_a_search_goes_on_after_an_empty_page(town: Town, chorus: Chorus) -> None:
    def says(one: Asked) -> Answer:
        return 200, {"cases": [ROW], "next": None} if "after" in one.path else {"cases": [], "next": CASE}, {}

    town.says = says
    assert chorus("case", "list", "--query", "路灯", "--json").document == [ROW]
    assert [asked(town, at).get("after") for at in (0, 1)] == [None, [CASE]]


@pytest.mark.parametrize("option", [["--query", "路"], ["--due", "tomorrow"], ["--since", "gestern"]])
def test_a_filter_that_the_desk_refuses_is_told(town: Town, chorus: Chorus, option: list[str]) -> None:
    town.says = lambda _: problem(422, "It is too short")
    ended = chorus("case", "list", *option)
    assert (ended.code, "It is too short" in ended.err) == (4, True)


def test_the_worklist_is_a_table_without_control_characters(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, {"department": "lighting", "parts": [PART], "next": None}, {})
    ended = chorus("case", "worklist", "--department", "lighting", "--mark", "overdue")
    assert asked(town) == {"department": ["lighting"], "mark": ["overdue"], "limit": ["500"]}
    [line] = [one for one in ended.out.splitlines() if CASE in one]
    for cell in (f"{CASE}-p1", "2026-11-23 09:51", "lead", "offered", "overdue, changed", "东屿区", "路灯␛[2J不亮"):
        assert cell in line
    assert "1 open part, 1 overdue." in ended.out
    assert chorus("case", "worklist", "--json").document == [PART]
    assert asked(town) == {"limit": ["500"]}


def test_an_empty_worklist_is_no_table(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, {"department": "lighting", "parts": [], "next": None}, {})
    assert chorus("case", "worklist").out.strip() == "0 open parts, 0 overdue."


WAITING: dict[str, Any] = {
    "inquiry_id": CASE,
    "subject": "路灯\x1b[2J不亮",
    "area": None,
    "received_at": "2026-11-22T09:51:34.490Z",
    "lead": "lighting",
    "part_ids": [f"{CASE}-p1"],
    "until": "2026-12-01T09:00:00.000Z",
    "text_hash": None,
    "approvals": None,
    "approvers": None,
}


def test_what_waits_for_a_decision_is_a_table_of_each_kind(town: Town, chorus: Chorus) -> None:
    lists = [
        {"kind": "extension", "cases": [WAITING], "next": CASE},
        {"kind": "release", "cases": [WAITING | {"approvals": 1, "approvers": 2, "until": None}], "next": None},
        {"kind": "publication", "cases": [], "next": None},
    ]
    town.says = lambda _: (200, {"lists": lists}, {})
    ended = chorus("case", "worklist")
    assert ended.code == 0
    assert "2026-12-01 09:00" in ended.out
    assert "1 of 2" in ended.out
    assert "路灯␛[2J不亮" in ended.out
    assert "extension: 1 waiting or more; `chorus case worklist --kind extension` lists all." in ended.out
    assert "publication: 0 waiting." in ended.out
    assert chorus("case", "worklist", "--json").document == lists


def test_the_list_of_one_kind_is_read_to_its_end(town: Town, chorus: Chorus) -> None:
    def says(one: Asked) -> Answer:
        goes_on = "after" not in one.path
        return 200, {"lists": [{"kind": "release", "cases": [WAITING], "next": CASE if goes_on else None}]}, {}

    town.says = says
    whole = [{"kind": "release", "cases": [WAITING, WAITING], "next": None}]
    assert chorus("case", "worklist", "--kind", "release", "--json").document == whole
    assert asked(town) == {"kind": ["release"], "after": [CASE]}
    assert chorus("case", "worklist", "--kind", "release", "--department", "roads").code == 2
