"""The report of `make chaos`: its documented fields, and the details file."""

import json
from dataclasses import replace
from pathlib import Path

from tests.chaos import sample
from tests.chaos.audit.auditor import audit
from tests.chaos.report import report, table, write


def test_the_report_has_exactly_the_documented_fields(tmp_path: Path) -> None:
    capture = sample.clean()
    figures = report(2, capture, audit(capture), [1.5, 9.25, 2.0], kills=3) | {"seed": 1}
    write(tmp_path / "new" / "report.json", figures)
    assert json.loads((tmp_path / "new" / "report.json").read_text("utf-8")) == {
        "sent": 2,
        "lost": 0,
        "double": 0,
        "repeated": 0,
        "dead_lettered": 0,
        "kills": 3,
        "recover_s": {"median": 2.0, "max": 9.25},
    }
    assert json.loads((tmp_path / "new" / "details.json").read_text("utf-8"))["seed"] == 1


def test_the_table_shows_repeats_separately_from_duplicates() -> None:
    capture = sample.clean()
    twice = replace(capture, records=[*capture.records, replace(capture.records[0])])
    shown = table(report(2, twice, audit(twice), [], kills=0)).splitlines()
    assert "double         0" in shown
    assert [line.split()[1] for line in shown if line.startswith("repeated ")] == ["1"]
