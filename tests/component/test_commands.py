"""`chorus` commands against fake services."""

import csv
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import desk_client
from deploy.cli.department import topic_client
from deploy.cli.importing import sending
from tests.component.town import Answer, Asked, Chorus, Said, Town, problem

REPOSITORY = Path(__file__).parents[2]
CASE = "20261122-7F3KQ2MX"


def taken(asked: Asked) -> Answer:
    """Intake that accepts every message."""
    if asked.method == "GET":
        return 200, {"status": "ok"}, {}
    return 202, {"inquiry_id": CASE, "query_code": "ABCDEFGHJKMN", "status_url": "x"}, {}


# ── import ───────────────────────────────────────────────────────────────────


def test_every_row_becomes_a_ticket_with_the_operators_token(town: Town, chorus: Chorus, tmp_path: Path) -> None:
    town.says = taken
    (tmp_path / "a.csv").write_text("subject,body,extra\n" + "".join(f"s{n},b,x\n" for n in range(100)), "utf-8")
    ended = chorus("import", "a.csv", "--json", "--channel", "hotline")
    assert (ended.code, ended.document) == (0, {"read": 100, "accepted": 100, "existing": 0, "rejected": 0})
    assert "Ignored: the column 'extra'" in ended.err
    posts = town.posts()
    assert {one.body["subject"] for one in posts} == {f"s{n}" for n in range(100)}
    assert {one.headers["authorization"] for one in posts} == {"Bearer operator's token"}
    assert len({one.headers["idempotency-key"] for one in posts}) == 100
    assert {one.body["channel"] for one in posts} == {"hotline"}


def test_a_second_import_finds_the_existing_tickets(town: Town, chorus: Chorus, tmp_path: Path) -> None:
    town.says = lambda asked: (*taken(asked)[:2], {"Idempotent-Replayed": "true"})
    (tmp_path / "a.csv").write_text("subject,body\ns,b\n", "utf-8")
    assert chorus("import", "a.csv", "--json").document == {"read": 1, "accepted": 0, "existing": 1, "rejected": 0}


def test_rejected_rows_are_kept_with_their_columns_the_line_and_the_reason(
    town: Town, chorus: Chorus, tmp_path: Path
) -> None:
    town.says = lambda asked: (
        problem(422, "body is missing; add it") if "body" not in (asked.body or "body") else taken(asked)
    )
    (tmp_path / "a.csv").write_text("id,subject,body\n1,s,b\n2,only,\n3,s,b,c\n", "utf-8")
    ended = chorus("import", "a.csv", "--json")
    assert (ended.code, ended.document["rejected"], ended.document["accepted"]) == (5, 2, 1)
    with (tmp_path / "a.rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["line"]: row for row in csv.DictReader(file)}
    assert (rows["3"]["id"], rows["3"]["subject"], rows["3"]["why"]) == ("2", "only", "body is missing; add it")
    assert "4 cells and there are 3 columns" in rows["4"]["why"]


def test_corrected_rejected_rows_can_be_imported(town: Town, chorus: Chorus, tmp_path: Path) -> None:
    town.says = taken
    (tmp_path / "a.rejected.csv").write_text(
        "id,subject,body,line,why\n2,s,now it has one,3,body is missing\n", "utf-8-sig"
    )
    assert chorus("import", "a.rejected.csv", "--json").document["accepted"] == 1


def test_an_import_retries_while_intake_is_unavailable(town: Town, chorus: Chorus, tmp_path: Path) -> None:
    tries: list[int] = []

    def busy(asked: Asked) -> Answer:
        if asked.method == "POST" and not tries:
            tries.append(1)
            return problem(503, "the store is away")
        return taken(asked)

    town.says = busy
    (tmp_path / "a.csv").write_text("subject,body\ns,b\n", "utf-8")
    assert chorus("import", "a.csv", "--json").document["accepted"] == 1


def test_an_import_that_gives_up_reports_what_was_done(
    town: Town, chorus: Chorus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE_S", 0.2)
    town.says = lambda asked: (
        problem(503, "the store is away") if (asked.body or {}).get("subject") == "s9" else taken(asked)
    )
    (tmp_path / "a.csv").write_text("subject,body\n" + "".join(f"s{n},b\n" for n in range(10)), "utf-8")
    ended = chorus("import", "a.csv", "--json")
    assert ended.code == 3
    assert ended.document["accepted"] == 9
    assert "running it again is safe" in ended.err


def test_an_unreachable_intake_is_reported_at_once(
    town: Town, chorus: Chorus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHORUS_INTAKE_URL", "http://127.0.0.1:1")
    (tmp_path / "a.csv").write_text("subject,body\ns,b\n", "utf-8")
    ended = chorus("import", "a.csv")
    assert (ended.code, "No answer from intake at 'http://127.0.0.1:1'" in ended.err) == (3, True)


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        ("", "'a.csv' is empty", 1),
        ("subject,body\n", "has columns and no rows", 1),
        ("甲,乙\na,b\n", "the file has the columns '甲', '乙'", 1),
    ],
)
def test_a_file_without_messages_is_reported(
    town: Town, chorus: Chorus, tmp_path: Path, content: str, words: str, code: int
) -> None:
    town.says = taken
    (tmp_path / "a.csv").write_text(content, "utf-8")
    ended = chorus("import", "a.csv")
    assert (ended.code, words in ended.err, "Traceback" in ended.err) == (code, True, False)


def test_a_missing_file_and_an_invalid_map_are_reported(town: Town, chorus: Chorus, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("subject,body\ns,b\n", "utf-8")
    assert "There is no file 'b.csv'" in chorus("import", "b.csv").err
    assert chorus("import", "a.csv", "--map", "topic=x").code == 2
    assert "name another one" in chorus("import", "a.csv", "--rejected", "a.csv").err


def test_an_import_with_a_wrong_token_exits_with_status_4(town: Town, chorus: Chorus, tmp_path: Path) -> None:
    town.says = lambda asked: problem(401, "external_id needs a token") if asked.method == "POST" else taken(asked)
    (tmp_path / "a.csv").write_text("subject,body,external_id\ns,b,1\n", "utf-8")
    assert chorus("import", "a.csv").code == 4


# ── apply, department ────────────────────────────────────────────────────────


def test_apply_check_works_without_a_stack(chorus: Chorus) -> None:
    ended = chorus("apply", str(REPOSITORY / "deploy" / "city"), "--check", "--json")
    assert (ended.code, ended.document["valid"], ended.document["departments"]) == (0, True, 30)


def test_apply_reports_every_error_of_a_city(chorus: Chorus, tmp_path: Path) -> None:
    (tmp_path / "departments.yaml").write_text("- code: WRONG\n", "utf-8")
    ended = chorus("apply", str(tmp_path), "--check", "--json")
    assert ended.code == 4
    assert len(ended.document["problems"]) > 3
    assert '"WRONG" is not allowed' in ended.err


def test_apply_reports_a_missing_folder(chorus: Chorus) -> None:
    ended = chorus("apply", "nowhere")
    assert (ended.code, "'nowhere' does not exist" in ended.err) == (2, True)


def test_apply_reports_the_revision(town: Town, chorus: Chorus) -> None:
    revised = {"revision": 7, "departments": 30, "rules": 80}
    town.says = lambda asked: problem(404, "No city") if asked.method == "GET" else (200, revised, {})
    ended = chorus("apply", str(REPOSITORY / "deploy" / "city"))
    assert (ended.code, "Revision 7 is active" in ended.out) == (0, True)


BUREAU = {
    "code": "bikes",
    "name": {"zh": "单车", "en": "Bikes"},
    "kind": "utility",
    "parent": None,
    "email": "a@b.example",
}


def test_adding_an_existing_department_keeps_fields_that_are_not_given(town: Town, chorus: Chorus) -> None:
    revised = {"revision": 8, "departments": 31, "rules": 80}
    town.says = lambda asked: (200, [BUREAU] if asked.method == "GET" else revised, {})
    ended = chorus("department", "add", "bikes", "--name-zh", "单车处", "--name-en", "Bikes", "--json")
    assert ended.document == {"code": "bikes", "added": False, **revised}
    (put,) = [one for one in town.asked if one.method == "PUT"]
    assert put.body == {"kind": "utility", "email": "a@b.example", "name": {"zh": "单车处", "en": "Bikes"}}


def test_an_invalid_code_is_reported_without_a_request(town: Town, chorus: Chorus) -> None:
    ended = chorus("department", "add", "Bikes!", "--name-zh", "a", "--name-en", "b")
    assert (ended.code, town.asked) == (2, [])


def test_departments_are_listed(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, [BUREAU], {})
    assert "单车" in chorus("department", "list").out
    assert chorus("department", "list", "--json").document == [BUREAU]


def test_a_department_is_retired_with_a_reason(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: (200, {"revision": 8, "departments": 30, "rules": 80, "parts": 3}, {})
    ended = chorus("department", "retire", "bikes", "--reason", "并入城管局", "--by", "li", "--json")
    assert (ended.code, ended.document["parts"], ended.document["cut_off"]) == (0, 3, None)
    [asked] = town.asked
    assert (asked.method, asked.path, asked.body) == (
        "POST",
        "/departments/bikes/retirement",
        {"reason": "并入城管局", "by": "li"},
    )


def test_retiring_needs_a_reason_and_a_known_department(town: Town, chorus: Chorus) -> None:
    assert chorus("department", "retire", "bikes").code == 2
    assert chorus("department", "retire", "Bikes!", "--reason", "x").code == 2
    assert town.asked == []
    town.says = lambda _: problem(404, "There is no department 'ghosts'.")
    ended = chorus("department", "retire", "ghosts", "--reason", "x")
    assert (ended.code, "There is no department 'ghosts'." in ended.err) == (4, True)


# ── triage, timeline ─────────────────────────────────────────────────────────


def test_triage_lists_every_page(town: Town, chorus: Chorus) -> None:
    row = {"subject": "s", "age_s": 5, "area": None, "reasons": []}

    def pages(asked: Asked) -> Answer:
        first = "after=" not in asked.path
        return (
            200,
            {"inquiries": [row | {"inquiry_id": "1" if first else "2"}], "next": "1" if first else None},
            {},
        )

    town.says = pages
    assert [one["inquiry_id"] for one in chorus("triage", "list", "--json").document] == ["1", "2"]


def decided(**status: str) -> Said:
    def says(asked: Asked) -> Answer:
        return (202, {"event_id": "e1"}, {}) if asked.method == "POST" else (200, status, {})

    return says


def test_an_applied_assignment_exits_with_status_0(town: Town, chorus: Chorus) -> None:
    town.says = decided(status="applied")
    ended = chorus(
        "triage", "assign", CASE, "--lead", "parks", "--co", "water", "--co", "police", "--by", "li", "--json"
    )
    assert (ended.code, ended.document) == (0, {"event_id": "e1", "status": "applied"})
    (post,) = town.posts(f"/cases/{CASE}/commands")
    assert post.body == {
        "type": "assign",
        "lead": "parks",
        "co_handlers": ["water", "police"],
        "by": "li",
    }


def test_an_assignment_that_is_refused_says_why(town: Town, chorus: Chorus) -> None:
    town.says = decided(status="refused", reason="The city has no active department 'nope'.")
    ended = chorus("triage", "assign", CASE, "--lead", "nope")
    assert (ended.code, "The city has no active department 'nope'." in ended.err) == (4, True)


def test_an_undecided_assignment_exits_with_status_3(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_client, "DECIDED_S", 0.2)
    town.says = decided(status="pending")
    ended = chorus("triage", "withdraw", CASE, f"{CASE}-p1", "--why", "twice")
    assert (ended.code, "The desk stored the command e1" in ended.err) == (3, True)


def test_a_timeline_is_sorted_by_sequence(town: Town, chorus: Chorus) -> None:
    facts: list[dict[str, Any]] = [
        {"sequence": n, "at": "t", "type": "chorus.x", "id": str(n), "data": {}} for n in (10, 2, 1)
    ]
    town.says = lambda _: (200, {"timeline": facts}, {})
    assert [one["sequence"] for one in chorus("timeline", CASE, "--json").document] == [1, 2, 10]


def test_an_unknown_inquiry_is_reported(town: Town, chorus: Chorus) -> None:
    town.says = lambda _: problem(404, "There is no inquiry.")
    ended = chorus("timeline", "nope")
    assert (ended.code, "Inquiry 'nope' does not exist" in ended.err) == (1, True)


# ── inbox, demo ──────────────────────────────────────────────────────────────


def test_an_unreachable_broker_is_reported_within_seconds(
    town: Town, chorus: Chorus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_client, "ANSWER_S", 0.3)
    monkeypatch.setenv("CHORUS_KAFKA", "127.0.0.1:1")
    for words in (["follow"], ["show", f"{CASE}-p1"], ["accept", f"{CASE}-p1"]):
        ended = chorus("inbox", "water", *words)
        assert (ended.code, "No Kafka broker answers at '127.0.0.1:1'" in ended.err) == (3, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["accept", "p1"], "'p1' is not a part_id"),
        (["contribute", f"{CASE}-p1"], "either with --text or with --file"),
        (["contribute", f"{CASE}-p1", "--text", "a", "--file", "b"], "either with --text or with --file"),
        (["reply", f"{CASE}-p1", "--text", "  "], "The text is blank"),
        (["contribute", f"{CASE}-p1", "--text", "x" * 20_001], "20,001 characters"),
    ],
)
def test_invalid_arguments_are_reported_before_anything_is_sent(
    town: Town, chorus: Chorus, words: list[str], told: str
) -> None:
    ended = chorus("inbox", "water", *words)
    assert (ended.code, told in ended.err) == (2, True)


def test_without_a_stack_the_demo_tells_how_to_start_it(
    chorus: Chorus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("KAFKA", "MONGODB", "SMTP", "OPERATOR_TOKEN_FILE", "INTAKE_URL", "ROUTER_URL", "SCORER_URL"):
        monkeypatch.delenv(f"CHORUS_{name}", raising=False)
    monkeypatch.setenv("CHORUS_DATA", str(tmp_path))
    ended = chorus("demo")
    assert (ended.code, "make up" in ended.err) == (3, True)
