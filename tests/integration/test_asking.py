"""A question on a whole stack: clocks pause, the answer reaches both departments, and without one the inquiry is closed."""

import os
import shutil
import signal
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest

from deploy.local.city import SAMPLE
from tests.backing import Backing
from tests.conftest import chorus_up
from tests.integration.outside import ReadRecord, departments_write, read_all
from tests.integration.test_staff import FIRST, SECOND, Town
from tests.patience import until

pytestmark = pytest.mark.integration
POLICIES = """
- id: quick
  clocks: {accept: 2h, first_reply: 1d, resolve: 2d}
  asking: {remind_after: 0.001h, close_after: 0.002h}
"""
"""A resident is reminded after 3.6 s, and the inquiry is closed after 7.2 s."""


@pytest.fixture(scope="module")
def town(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A stack whose residents have seconds to answer; `running` skips it where a stack cannot run."""
    folder = tmp_path_factory.mktemp("asking")
    city = folder / "city"
    shutil.copytree(SAMPLE, city)
    (city / "policies.yaml").write_text(POLICIES, "utf-8")
    with chorus_up(folder / "data", {"CHORUS_MAIL_CONFIRM": "false"}) as stack:
        one = Town(stack)
        done = one.chorus(None, "apply", str(city), "--yes")
        assert done.returncode == 0, done.stderr
        yield one


def url(town: Town, service: str, where: str) -> str:
    return f"{town.file['urls'][service]}{where}"


def ticket(town: Town, receipt: dict[str, Any]) -> Any:
    where = url(town, "intake", f"/inquiries/{receipt['inquiry_id']}")
    return httpx.get(where, headers={"X-Query-Code": receipt["query_code"]}, timeout=20, trust_env=False).json()


def in_state(town: Town, receipt: dict[str, Any], *states: str) -> Any:
    return until(lambda: seen if (seen := ticket(town, receipt))["state"] in states else None, f"not {states}")


def add(town: Town, receipt: dict[str, Any], text: str) -> None:
    where = url(town, "intake", f"/inquiries/{receipt['inquiry_id']}/additions")
    headers = {"X-Query-Code": receipt["query_code"], "Idempotency-Key": str(uuid5(NAMESPACE_URL, text))}
    for _ in range(2):
        answer = httpx.post(where, json={"text": text}, headers=headers, timeout=20, trust_env=False)
        assert answer.status_code == 202, answer.text


def inbox(town: Town, code: str, receipt: dict[str, Any]) -> list[ReadRecord]:
    records = read_all(town.file["kafka"], [f"departments.{code}.inbox"])
    return [one for one in records if one.key == receipt["inquiry_id"]]


def kinds(records: list[ReadRecord]) -> list[str]:
    return [one.headers["ce_type"].removeprefix("chorus.part.") for one in records]


def due(town: Town, receipt: dict[str, Any]) -> dict[str, str]:
    """The due time of each department's resolve clock, as the scorer judges it."""
    where = url(town, "scorer", f"/inquiries/{receipt['inquiry_id']}/clocks")
    shown = httpx.get(where, timeout=20, trust_env=False)
    return {one["department"]: one["due_at"] for one in shown.json() if one["clock"] == "resolve"}


def mailed(town: Town) -> list[str]:
    """What the mails to the resident are about, in order."""
    mails = [message_from_bytes(one.read_bytes()) for one in sorted(Path(town.file["mail"]).glob("*.eml"))]
    mine = [one for one in mails if "writer@mail.example" in (one["to"] or "")]
    return [what for one in mine for what in one.get_all("X-Chorus-What", [])]


def test_a_question_pauses_and_its_answer_resumes_and_without_one_the_inquiry_is_closed_and_reopened(
    town: Town,
) -> None:
    message: dict[str, Any] = {"subject": "路灯不亮", "body": "坏了半个月。", "departments": [FIRST, SECOND]}
    message |= {"contact": {"email": "writer@mail.example"}}
    receipt = httpx.post(url(town, "intake", "/inquiries"), json=message, trust_env=False).json()
    number, kafka = receipt["inquiry_id"], town.file["kafka"]
    in_state(town, receipt, "assigned")
    before = until(lambda: due(town, receipt), "the scorer knows no clocks")

    departments_write(kafka, FIRST, "part.asked", {"part_id": f"{number}-p1", "text": "哪一盏？"})
    seen = in_state(town, receipt, "awaiting-resident")
    assert [one["text"] for one in seen["questions"]] == ["哪一盏？"]
    os.kill(town.file["pids"]["router"], signal.SIGKILL)
    add(town, receipt, "东门第三盏")
    in_state(town, receipt, "in-progress")
    assert kinds(inbox(town, FIRST, receipt)) == ["offered", "paused", "added", "resumed"]
    [added] = [one for one in inbox(town, SECOND, receipt) if one.headers["ce_type"] == "chorus.part.added"]
    assert added.data["text"] == "东门第三盏"
    after = until(lambda: now if (now := due(town, receipt))[FIRST] != before[FIRST] else None, "no clock moved")
    assert (after[FIRST] > before[FIRST], after[SECOND]) == (True, before[SECOND])

    departments_write(kafka, SECOND, "part.contributed", {"part_id": f"{number}-p2", "text": "已派人。"})
    departments_write(kafka, FIRST, "part.asked", {"part_id": f"{number}-p1", "text": "电话多少？"})
    in_state(town, receipt, "closed")
    assert {"asked", "reminded", "closed"} <= set(
        until(lambda: said if "closed" in (said := mailed(town)) else None, "no mail")
    )
    add(town, receipt, "没有电话")
    in_state(town, receipt, "in-progress")
    departments_write(kafka, FIRST, "part.contributed", {"part_id": f"{number}-p1", "text": "修好了。"})
    answered = in_state(town, receipt, "answered")
    assert sorted(one["text"] for one in answered["reply"]["paragraphs"]) == ["修好了。", "已派人。"]
    events = [one for one in read_all(kafka, ["inquiries.events"]) if one.key == number]
    counted = [
        one.headers["ce_type"].removeprefix("chorus.inquiry.")
        for one in {e.headers["ce_id"]: e for e in events}.values()
    ]
    wanted = {"added": 2, "paused": 2, "resumed": 2, "reminded": 1, "closed": 1, "reopened": 1}
    assert {name: counted.count(name) for name in wanted} == wanted
