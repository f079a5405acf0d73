"""The result of a run, as a table and as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from tests.chaos.audit.capture import Capture
from tests.chaos.audit.findings import Findings

PROMISED = ("sent", "lost", "double", "repeated", "dead_lettered", "kills", "recover_s")
"""The fields of the report; everything else is in the details file."""
ROWS = (
    "sent",
    "accepted",
    "answered",
    "reopened",
    "lost",
    "double",
    "wrong",
    "repeated",
    "dead_lettered",
    "kills",
    "recover_s",
)


def report(sent: int, capture: Capture, findings: Findings, recovered_s: list[float], kills: int) -> dict[str, Any]:
    """The figures; `recover_s` is from a fault until every service was ready again."""
    dead = [one for one in capture.records if one.topic.endswith(".dead-letters")]
    answered = {one.inquiry_id for one in capture.records if one.kind == "inquiry.answered"}
    return {
        "sent": sent,
        "accepted": sum(bool(one.inquiry_ids) for one in capture.accepted),
        "answered": len(answered),
        "reopened": len({one.id for one in capture.records if one.kind == "inquiry.reopened"}),
        "lost": findings.count("lost"),
        "double": findings.count("double"),
        "wrong": findings.count("wrong"),
        "repeated": sum(findings.repeated.values()),
        "repeated_in": dict(findings.repeated.most_common()),
        "dead_lettered": len(dead),
        "kills": kills,
        "recover_s": {
            "median": round(median(recovered_s), 2) if recovered_s else None,
            "max": round(max(recovered_s), 2) if recovered_s else None,
        },
        "findings": [str(one) for one in findings.found],
        "excused": [str(one) for one in findings.excused],
    }


def table(figures: Mapping[str, Any]) -> str:
    """One line for each figure."""
    shown = {name: figures[name] for name in ROWS}
    shown["recover_s"] = f"median {figures['recover_s']['median']}, max {figures['recover_s']['max']}"
    shown["repeated"] = f"{figures['repeated']} {figures['repeated_in'] or ''}".strip()
    return "\n".join(f"{name:14} {value}" for name, value in shown.items())


def write(path: Path, figures: Mapping[str, Any]) -> None:
    """Write `report.json`, and `details.json` beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {name: figures[name] for name in PROMISED}
    for file, content in ((path, report), (path.with_name("details.json"), figures)):
        file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
