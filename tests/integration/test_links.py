"""The link to a ticket in a running system: requested on a page, decided by the core, told to the resident once."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.backing import Backing
from tests.conftest import RunningStack
from tests.integration.outside import ReadRecord, Resident, read_all
from tests.integration.test_outages import away
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
CONTACT = {"name": "陈测试", "email": "writer@mail.example"}
LIGHT: dict[str, Any] = {
    "subject": "路灯不亮",
    "body": "小区门口的路灯坏了，晚上很黑。",
    "language": "zh",
    "contact": CONTACT,
}
UNKNOWN = "20260316-ZZZZZZZZ"


@pytest.fixture(scope="module")
def found(stack: RunningStack) -> dict[str, Any]:
    described: dict[str, Any] = json.loads((stack.data / "stack.json").read_text())
    return described


def links_told(running: Backing, inquiry_id: str) -> list[ReadRecord]:
    """The messages with the link, once there is one and no further input is on its way."""
    until = time.monotonic() + PATIENCE_S
    while True:
        mine = read_all(running.kafka, ["residents.inbox", "inquiries.events"], inquiry_id)
        told = [one for one in mine if one.data.get("what") == "link"]
        if told and any(one.data.get("type") == "chorus.inquiry.link-requested" for one in mine):
            return told
        assert time.monotonic() < until, "no link was told"
        time.sleep(0.2)


def test_a_resident_without_a_code_is_told_the_link_once(found: dict[str, Any], running: Backing) -> None:
    intake = found["urls"]["intake"]
    resident = Resident(intake)
    receipt = resident.write(LIGHT)
    resident.wait_for(receipt, "assigned")
    opened = httpx.get(receipt["status_url"], timeout=PATIENCE_S)
    assert (opened.status_code, LIGHT["body"] in opened.text) == (200, True)
    data = {"inquiry_id": receipt["inquiry_id"].lower().replace("-", " ")}
    pages = [
        httpx.post(f"{intake}/status/link", data=one, timeout=PATIENCE_S) for one in (data, {"inquiry_id": UNKNOWN})
    ]
    assert [page.status_code for page in pages] == [202, 202]
    assert pages[0].text == pages[1].text
    [told] = links_told(running, receipt["inquiry_id"])
    assert told.data["contact"]["email"] == CONTACT["email"]
    assert told.data["case"]["state"] == "assigned"
    assert receipt["query_code"] not in json.dumps(told.data)
    assert [one for one in read_all(running.kafka, ["inquiries.inputs"]) if one.key == UNKNOWN] == []


def test_an_imported_resident_is_told_the_link(found: dict[str, Any], running: Backing) -> None:
    intake = found["urls"]["intake"]
    token = Path(found["operator_token_file"]).read_text().strip()
    body = LIGHT | {"channel": "import", "external_id": "row-1"}
    bearer = {"Authorization": f"Bearer {token}"}
    inquiry_id = httpx.post(f"{intake}/inquiries", json=body, headers=bearer, timeout=PATIENCE_S).json()["inquiry_id"]
    assert httpx.post(f"{intake}/inquiries/{inquiry_id}/link-request", timeout=PATIENCE_S).status_code == 202
    [told] = links_told(running, inquiry_id)
    assert told.data["contact"]["email"] == CONTACT["email"]


def test_a_request_survives_the_broker_and_intake(found: dict[str, Any], stack: RunningStack, running: Backing) -> None:
    intake = found["urls"]["intake"]
    resident = Resident(intake)
    receipt = resident.write(LIGHT)
    resident.wait_for(receipt, "assigned")
    with away(running, "kafka"):
        answer = httpx.post(f"{intake}/inquiries/{receipt['inquiry_id']}/link-request", timeout=PATIENCE_S)
        assert answer.status_code == 202
        os.kill(json.loads((stack.data / "stack.json").read_text())["pids"]["intake"], signal.SIGKILL)
    assert len(links_told(running, receipt["inquiry_id"])) == 1
    resident.wait_for(receipt, "assigned")
