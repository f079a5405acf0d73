"""`chorus import` against an intake that says what a test wants it to say."""

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.importing import sending
from tests.component.town import Answer, Asked, Chorus, Town, problem

CASES = "20261122-7F3KQ2M"


class Intake:
    """Gives each key and each external_id one ticket, as the real one does; refuses a body without words."""

    def __init__(self) -> None:
        self.tickets: dict[str, str] = {}
        self.slow: Callable[[Any], float] = lambda body: 0.0

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            return 200, {"status": "ok"}, {}
        if "body" not in asked.body:
            return problem(422, "body is missing; add it")
        time.sleep(self.slow(asked.body))
        key = asked.headers.get("idempotency-key") or f"{asked.body['channel']}/{asked.body['external_id']}"
        repeated = {"Idempotent-Replayed": "true"} if key in self.tickets else {}
        ticket = self.tickets.setdefault(key, f"{CASES}{len(self.tickets)}")
        return 202, {"inquiry_id": ticket, "query_code": "ABCDEFGHJKMN", "status_url": "x"}, repeated


@pytest.fixture
def intake(town: Town) -> Intake:
    one = Intake()
    town.says = one
    return one


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as content:
        return list(csv.DictReader(content))


def counts(read: int, accepted: int, existing: int, rejected: int) -> dict[str, int]:
    return {"read": read, "accepted": accepted, "existing": existing, "rejected": rejected}


def test_rejected_rows_stand_in_the_order_of_the_file(intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    intake.slow = lambda body: 0.05 if int(body["subject"][1:]) % 3 == 0 else 0.0
    lines = [f"s{n}," + ("" if n % 2 else f"b{n}") for n in range(120)]
    (tmp_path / "a.csv").write_text("subject,body\n" + "\n".join(lines) + "\n", "utf-8")
    assert chorus("import", "a.csv", "--json").document == counts(120, 60, 0, 60)
    for kind in ("rejected", "results"):
        numbers = [int(row["line"]) for row in rows_of(tmp_path / f"a.{kind}.csv")]
        assert numbers == sorted(numbers)
        assert len(numbers) == 60


def test_each_ticket_is_in_the_results_and_no_code_is(intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("工单编号,标题,内容\nA-1,s,b\n=2,t,c\n", "utf-8")
    ended = chorus("import", "a.csv")
    assert (ended.code, "'a.results.csv'" in ended.out) == (0, True)
    # Both rows are under way at the same time: either may reach intake first.
    first, second = intake.tickets["import/A-1"], intake.tickets["import/=2"]
    assert first != second
    assert [list(row.values()) for row in rows_of(tmp_path / "a.results.csv")] == [
        ["2", first, "accepted", "A-1"],
        ["3", second, "accepted", "'=2"],
    ]
    assert "ABCDEFGHJKMN" not in (tmp_path / "a.results.csv").read_text("utf-8") + ended.out + ended.err
    chorus("import", "a.csv", "--results", "other.csv")
    assert [(row["ticket"], row["outcome"]) for row in rows_of(tmp_path / "other.csv")] == [
        (first, "existing"),
        (second, "existing"),
    ]


def test_what_an_import_writes_is_for_its_owner_alone(intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("subject,body\ns,b\nt,\n", "utf-8")
    (tmp_path / "a.rejected.csv").write_text("of a former import", "utf-8")
    (tmp_path / "a.rejected.csv").chmod(0o644)
    chorus("import", "a.csv")
    for kind in ("rejected", "results"):
        assert (tmp_path / f"a.{kind}.csv").stat().st_mode & 0o777 == 0o600


def test_formulas_are_neutralised_and_mended_rows_come_as_they_were(
    town: Town, intake: Intake, chorus: Chorus, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("subject,body,phone,channel\n=1+1,@home,+86 138,\n'=x,,-1,\n", "utf-8")
    town.says = lambda asked: problem(422, "=no") if asked.method == "POST" else (200, {}, {})
    chorus("import", "a.csv")
    first, second = rows_of(tmp_path / "a.rejected.csv")
    assert (first["subject"], first["body"], first["phone"], first["why"]) == ("'=1+1", "'@home", "'+86 138", "'=no")
    assert (second["subject"], second["phone"]) == ("''=x", "'-1")
    town.says = intake
    chorus("import", "a.rejected.csv")
    sent = town.posts()[-1].body if len(town.posts()) > 3 else town.posts()[2].body
    assert {one.body["subject"] for one in town.posts()[2:]} == {"=1+1", "'=x"}
    assert sent["contact"]["phone"] in ("+86 138", "-1")


def test_the_bytes_of_a_rejected_row_can_be_had_again(intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    import base64

    content = "subject,body\n路灯不亮,三天了\n".encode() + b"a\xff,b\n" + b'"x"y,"z\n'
    (tmp_path / "a.csv").write_bytes(content)
    assert chorus("import", "a.csv", "--json").document == counts(3, 1, 0, 2)
    rows = rows_of(tmp_path / "a.rejected.csv")
    assert rows[0]["subject"] == "a\\xff"
    for row, bytes_ in zip(rows, (b"a\xff,b\n", b'"x"y,"z\n'), strict=True):
        start = int(row["first_byte"])
        assert content[start : start + int(row["bytes"])] == bytes_
        assert base64.b64decode(row["original_base64"]) == bytes_


# ── rows that say the same ───────────────────────────────────────────────────


def test_an_identical_row_is_rejected_with_both_lines(intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("subject,body\ns,b\nt,c\ns, b \n", "utf-8")
    ended = chorus("import", "a.csv", "--json")
    assert (ended.code, ended.document) == (5, counts(3, 2, 0, 1))
    assert "lines 2 and 4" in ended.err
    (row,) = rows_of(tmp_path / "a.rejected.csv")
    assert row["why"].startswith("line 4 is identical to line 2")


def test_identical_rows_can_both_be_meant_and_are_the_same_two_again(
    intake: Intake, chorus: Chorus, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("subject,body\ns,b\ns,b\ns,b\n", "utf-8")
    ended = chorus("import", "a.csv", "--keep-duplicates", "--json")
    assert (ended.code, ended.document) == (0, counts(3, 3, 0, 0))
    assert "lines 2 and 3, 2 and 4" in ended.err
    assert chorus("import", "a.csv", "--keep-duplicates", "--json").document == counts(3, 0, 3, 0)
    assert len(intake.tickets) == 3


def test_of_one_external_id_the_first_row_counts(town: Town, intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("subject,body,external_id\nfirst,b,7\nsecond,b,7\nother,b,8\n", "utf-8")
    for words in ((), ("--keep-duplicates",)):
        assert chorus("import", "a.csv", "--json", *words).document["rejected"] == 1
        (row,) = rows_of(tmp_path / "a.rejected.csv")
        assert row["why"].startswith("line 3 has the external_id '7' of line 2")
    assert {one.body["subject"] for one in town.posts()} == {"first", "other"}


# ── one bad row, one bad file ────────────────────────────────────────────────


def test_half_a_character_costs_its_own_row_alone(intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    rows = ['{"subject": "\\ud800", "body": "b"}', '{"subject": "s", "body": NaN}', '{"subject": "t", "body": "b"}']
    (tmp_path / "a.jsonl").write_text("\n".join(rows), "utf-8")
    ended = chorus("import", "a.jsonl", "--json")
    assert (ended.code, ended.document) == (5, counts(3, 1, 0, 2))
    assert [row["original"] for row in rows_of(tmp_path / "a.rejected.csv")] == rows[:2]


def test_a_check_says_the_same_and_sends_nothing(town: Town, intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    text = "标题,内容,联系电话\n路灯,坏了,138 0000 0000\n空,,\n路灯,坏了,138 0000 0000\n长,文,+\n宽,文,1,2\n"
    (tmp_path / "a.csv").write_text(text, "gb18030")
    checked = chorus("import", "a.csv", "--check", "--json", "--rejected", "checked.csv")
    assert (checked.code, checked.document) == (5, counts(5, 1, 0, 4))
    assert town.asked == []
    assert "Nothing was imported" in checked.err
    assert not (tmp_path / "a.results.csv").exists()
    assert [row["line"] for row in rows_of(tmp_path / "checked.csv")] == ["3", "4", "5", "6"]
    whys = [row["why"] for row in rows_of(tmp_path / "checked.csv")]
    assert whys[0].endswith("body is missing; add it")
    assert "identical to line 2" in whys[1]
    assert "is not a telephone number" in whys[2]


def test_a_time_of_the_call_is_named_as_not_imported(intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("标题,内容,来电时间,备注\ns,b,2026-01-05,x\n", "utf-8")
    said = chorus("import", "a.csv").out
    assert "Not imported: '来电时间'; a ticket counts from the moment" in said
    assert "Ignored: the column '备注'" in said


def test_the_outputs_are_two_other_files(intake: Intake, chorus: Chorus, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("subject,body\ns,b\n", "utf-8")
    assert chorus("import", "a.csv", "--results", "a.csv").code == 2
    assert chorus("import", "a.csv", "--results", "x.csv", "--rejected", "x.csv").code == 2
    assert chorus("import", "a.csv", "--encoding", "ebcdic").code == 2


def test_progress_is_told_on_the_way(
    intake: Intake, chorus: Chorus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.cli.importing.progress.LINES_EVERY_S", 0.0)
    (tmp_path / "a.csv").write_text("subject,body\n" + "".join(f"s{n},b\n" for n in range(10)), "utf-8")
    assert "import: 100% of the file; 10 read, 10 accepted" in chorus("import", "a.csv").err


def test_after_a_failure_no_further_row_is_sent(
    town: Town, intake: Intake, chorus: Chorus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE_S", 0.1)
    town.says = lambda asked: problem(503, "the store is away") if asked.method == "POST" else (200, {}, {})
    (tmp_path / "a.csv").write_text("subject,body\n" + "".join(f"s{n},b\n" for n in range(5_000)), "utf-8")
    assert chorus("import", "a.csv", "--json").code == 3
    assert len({one.body["subject"] for one in town.posts()}) <= 4 * sending.IN_FLIGHT


# ── memory ───────────────────────────────────────────────────────────────────

MEASURED = """
import json, sys
from pathlib import Path
from deploy.cli.main import main
code = main(sys.argv[1:])
most = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([code, int(most.split()[1]) // 1024]))
"""
MOST_MIB = 150


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the most memory of one program")
@pytest.mark.parametrize("kind", ["cell", "quote", "columns", "line", "rows"])
def test_no_file_takes_more_memory_than_that(kind: str, tmp_path: Path) -> None:
    mebibyte = "字,x" * (1 << 17)
    with (tmp_path / "a.csv").open("w", encoding="utf-8") as file:
        file.write("subject,body\n" if kind != "columns" else ",".join(f"c{n}" for n in range(100_000)))
        for n in range(100):
            file.write({"cell": 's,"' * (not n), "quote": 's,"' * (not n), "rows": f'\n{n},"'}.get(kind, ""))
            file.write(mebibyte if kind != "rows" else mebibyte[:300_000])
            file.write('"' if kind == "rows" else "\n" if kind in ("cell", "quote") else "")
        file.write('"\nlast,fine\n' if kind == "cell" else "\n")
    command = [sys.executable, "-c", MEASURED, "import", "a.csv", "--check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    code, mebibytes = json.loads(done.stdout.splitlines()[-1])
    assert "Traceback" not in done.stderr
    assert (code, mebibytes < MOST_MIB) == (1 if kind == "columns" else 5, True), (code, mebibytes, done.stderr)
