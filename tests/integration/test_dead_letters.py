"""`chorus dead-letters` and `chorus reconcile` on a whole stack."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from pymongo import MongoClient

from tests.backing import Backing
from tests.conftest import RunningStack, chorus_up
from tests.integration.outside import Resident, departments_write, ids_by, read_all
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.integration
NOISE = {"subject": "工地夜间施工噪音扰民", "body": "工地每天夜间施工，噪音很大。", "language": "zh"}
LIGHT = {"subject": "路灯不亮", "body": "小区门口的路灯坏了，晚上很黑。", "language": "zh"}


class Town:
    """A stack with its operator, a resident, departments, and direct access to the store."""

    def __init__(self, stack: RunningStack) -> None:
        found = json.loads((stack.data / "stack.json").read_text())
        self.stack, self.kafka = stack, str(found["kafka"])
        self.resident = Resident(found["urls"]["intake"])
        bearer = {"Authorization": f"Bearer {Path(found['operator_token_file']).read_text().strip()}"}
        self.desk = httpx.Client(base_url=found["urls"]["router"], headers=bearer, timeout=PATIENCE_S)
        self.store: MongoClient[dict[str, Any]] = MongoClient(found["mongodb"])

    def chorus(self, *words: str) -> tuple[int, Any]:
        """Run a command; returns exit code and JSON."""
        ended = self.stack.chorus(*words, "--json")
        assert ended.stdout.count("\n") == 1, ended.stdout + ended.stderr
        return ended.returncode, json.loads(ended.stdout)

    def letters(self, **wanted: Any) -> list[dict[str, Any]]:
        """The dead letters with these fields, as the desk lists them."""
        found = self.desk.get("/dead-letters", params={"limit": 1_000}).raise_for_status().json()["letters"]
        return [one for one in found if wanted.items() <= one.items()]

    def letter(self, **wanted: Any) -> dict[str, Any]:
        """Wait for the only dead letter with these fields."""
        found: list[dict[str, Any]] = until(lambda: self.letters(**wanted), f"no letter with {wanted}")
        assert len(found) == 1, found
        return found[0]

    def limit(self, topic: str, size: int) -> None:
        """Set the maximum record size of a topic."""
        entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        admin = AdminClient({"bootstrap.servers": self.kafka})
        for done in admin.incremental_alter_configs([resource]).values():
            done.result(20)


@pytest.fixture(scope="module")
def town(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A stack with its own broker and store, because these tests leave missing messages; skipped like `running`."""
    with chorus_up(tmp_path_factory.mktemp("letters"), {}) as stack:
        one = Town(stack)
        yield one
        one.store.close()
        one.desk.close()


def test_nobody_else_may_read_what_a_whole_stack_keeps(town: Town) -> None:
    folder = town.stack.data
    found = [one for one in (folder, *folder.rglob("*")) if not one.is_symlink()]
    names = {str(one.relative_to(folder)) for one in found}
    assert {"stack.json", "processes.json", "lock", "store/data", "logs/intake.log"} <= names
    assert any(name.endswith(".log") and name.startswith("kafka/data/inquiries.inputs-") for name in names)
    assert [str(one) for one in found if others_may(one)] == []


def others_may(path: Path) -> int:
    """The permissions of others; none of a file that Kafka has removed meanwhile."""
    try:
        return path.lstat().st_mode & 0o077
    except FileNotFoundError:
        return 0


# ── dead letters ─────────────────────────────────────────────────────────────


def test_an_invalid_record_is_listed_shown_replayed_and_discarded(town: Town) -> None:
    marker = str(uuid4())
    departments_write(town.kafka, "housing", "part.accepted", {"part_id": 7, "text": "字"}, marker)
    letter = town.letter(event_id=marker)
    assert (letter["service"], letter["topic"], letter["kind"]) == ("router", "departments.housing.outbox", "permanent")
    code, listed = town.chorus("dead-letters", "list", "--service", "router", "--status", "open", "--since", "1h")
    assert (code, listed) == (0, [letter])
    code, shown = town.chorus("dead-letters", "show", letter["id"])
    assert (code, json.loads(shown["value"]["text"])) == (0, {"part_id": 7, "text": "字"})

    code, tried = town.chorus("dead-letters", "replay", letter["id"], "--dry-run")
    assert (code, tried["would_replay"], town.letter(event_id=marker)["status"]) == (0, 1, "open")
    code, tried = town.chorus("dead-letters", "replay", letter["id"])
    assert (code, tried["replayed"]) == (0, 1)
    again = until(lambda: town.letters(event_id=marker, status="open"), "its second failure did not open it again")
    assert [one["id"] for one in again] == [letter["id"]]
    assert len(again[0]["copies"]) == 1

    assert town.chorus("dead-letters", "discard", letter["id"], "--why", "a test", "--by", "li")[0] == 0
    _, shown = town.chorus("dead-letters", "show", letter["id"])
    said = shown["history"][-1]
    assert (shown["status"], said["what"], said["by"], said["why"]) == ("discarded", "discarded", "li", "a test")
    code, refused = town.chorus("dead-letters", "replay", letter["id"])
    assert (code, refused["refused"]) == (4, 1)


def test_a_failing_input_parks_its_inquiry_until_it_is_replayed(town: Town) -> None:
    """The broker rejects every record of an inbox, which also invalidates the core's producer each time."""
    inbox = "departments.environment.inbox"
    town.limit(inbox, 100)
    receipt = town.resident.write(NOISE)
    inquiry_id = receipt["inquiry_id"]
    culprit = town.letter(inquiry_id=inquiry_id, kind="exhausted")
    departments_write(town.kafka, "urban-management", "part.accepted", {"part_id": f"{inquiry_id}-p2"})
    waiting = town.letter(inquiry_id=inquiry_id, kind="parked")
    other = town.resident.write(LIGHT)
    town.resident.wait_for(other, "assigned")

    town.limit(inbox, 4_194_304)
    code, tried = town.chorus("dead-letters", "replay", "--reason", "exhausted", "--dry-run")
    assert (code, [one["id"] for one in tried["outcomes"]]) == (0, [culprit["id"]])
    assert "take 2 parked inputs" in tried["outcomes"][0]["how"]
    code, tried = town.chorus("dead-letters", "replay", culprit["id"])
    assert (code, tried["replayed"]) == (0, 1)
    town.resident.wait_for(receipt, "in-progress")
    assert {one["status"] for one in town.letters(inquiry_id=inquiry_id)} == {"replayed"}
    _, facts = town.chorus("timeline", inquiry_id)
    named = [one["type"] for one in facts]
    assert named.index("chorus.part.accepted") > named.index("chorus.inquiry.assigned")
    assert [one["sequence"] for one in facts] == list(range(1, len(facts) + 1))
    offered = [one for one in read_all(town.kafka, [inbox]) if one.key == inquiry_id]
    assert {len(ids) for ids in ids_by(offered, "part_id").values()} == {1}

    code, tried = town.chorus("dead-letters", "replay", culprit["id"], waiting["id"])
    assert (code, tried["already"]) == (0, 2)
    code, tried = town.chorus("dead-letters", "replay", culprit["id"], "--anyway")
    assert code == 0
    assert town.chorus("timeline", inquiry_id)[1] == facts
    departments_write(town.kafka, "environment", "part.accepted", {"part_id": f"{inquiry_id}-p1"})
    case = f"/cases/{inquiry_id}"
    until(lambda: len(town.desk.get(case).json()["timeline"]) > len(facts), "the inquiry did not go on")


# ── reconciling ──────────────────────────────────────────────────────────────


def plant(town: Town, *, noted: bool) -> str:
    """Insert an unpublished entry: without a note, as if published, or with a note that no relay claims."""
    accepted = town.resident.write(LIGHT)
    town.resident.wait_for(accepted, "assigned")
    intake = town.store["chorus_intake"]
    entry = dict(intake["ledger"].find_one({"inquiry_id": accepted["inquiry_id"]}) or {})
    inquiry_id = f"{entry['inquiry_id'][:-4]}0000"
    value = entry["value"].replace(entry["inquiry_id"], inquiry_id)
    old = datetime.now(UTC) - timedelta(hours=1)
    entry |= {"_id": str(uuid4()), "inquiry_id": inquiry_id, "value": value, "recorded_at": old}
    if noted:
        due = datetime.now(UTC) + timedelta(days=1)
        note = {"_id": uuid4().hex, "entries": [entry["_id"]], "noted_at": old, "due_at": due}
        intake["unpublished"].insert_one(note)
    intake["ledger"].insert_one(entry)
    return inquiry_id


def test_reconcile_finds_nothing_when_nothing_is_missing(town: Town) -> None:
    code, result = town.chorus("reconcile", "--dry-run")
    assert (code, result["missing"]) == (0, [])
    assert result["decisions"] >= result["entries"] > 0


def test_reconcile_reports_and_repairs_missing_messages(town: Town) -> None:
    undecided, unpublished = plant(town, noted=False), plant(town, noted=True)
    seen = town.resident.write(LIGHT)
    town.resident.wait_for(seen, "assigned")
    until(
        lambda: town.store["chorus_scorer"]["events"].count_documents({"inquiry_id": seen["inquiry_id"]}), "no events"
    )
    town.store["chorus_scorer"]["events"].delete_one({"inquiry_id": seen["inquiry_id"], "sequence": 1})
    town.store["chorus_intake"]["tickets"].delete_many({"inquiry_id": seen["inquiry_id"]})

    code, result = town.chorus("reconcile", "--dry-run")
    wanted = {
        ("undecided", "intake", undecided),
        ("unpublished", "intake", unpublished),
        ("unseen", "scorer", seen["inquiry_id"]),
        ("unseen", "intake", seen["inquiry_id"]),
    }
    assert code == 1
    assert {(one["kind"], one["service"], one["inquiry_id"]) for one in result["missing"]} == wanted
    assert town.resident.look(seen)["state"] == "registered"

    code, result = town.chorus("reconcile")
    assert (code, result["mended"], result["left"]) == (0, len(wanted), 0)
    town.resident.wait_for(seen, "assigned")
    for inquiry_id in (undecided, unpublished):
        assert town.chorus("timeline", inquiry_id)[1][0]["type"] == "chorus.inquiry.registered"
    assert town.chorus("reconcile")[1]["missing"] == []
