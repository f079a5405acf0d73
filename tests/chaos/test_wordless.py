"""The auditor knows the texts of every event, and finds any other text."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.audit.capture import EVENTS, Record
from tests.chaos.audit.cases import Case
from tests.chaos.audit.findings import Findings
from tests.chaos.audit.texts import check_wordless
from tests.conftest import REPOSITORY

FILES = sorted((REPOSITORY / "tests" / "contract" / "golden").glob("event-*.json"))


def findings(event: dict[str, Any]) -> Findings:
    found, value = Findings(), json.dumps(event).encode()
    case = Case(event["inquiry_id"], events=[Record(EVENTS, 0, 0, event["inquiry_id"], {"ce_id": "one"}, value)])
    check_wordless(case, {"东屿区"}, found)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda one: one.stem)
def test_no_text_of_an_event_is_a_finding_and_any_other_is(file: Path) -> None:
    event = json.loads(json.loads(file.read_text("utf-8"))["value"])
    assert findings(event).found == []
    assert len(findings(event | {"remark": "路灯不亮"}).found) == 1
