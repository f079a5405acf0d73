"""Decompression bombs in an outbox: broker, gate and other departments continue."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.kafka import topics
from shared.kafka.decompression import DECOMPRESSED_ALWAYS
from tests.batches import CODECS, batch, bomb, compressed, record, write_batch
from tests.conftest import RunningStack, chorus_up
from tests.integration.outside import ReadRecord, Resident, departments_write, read_all
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
SENDER = "environment"
OUTBOX = topics.outbox(SENDER)
LIGHT = {"subject": "路灯不亮", "body": "小区门口的路灯坏了，晚上很黑。", "language": "zh"}
# Snappy and lz4 compress less; an outbox accepts batches of at most 1 MiB.
MIB = {"gzip": 300, "snappy": 18, "lz4": 200, "zstd": 300}
GATE_MIB = 400


@dataclass(frozen=True)
class Town:
    """A stack with its own broker, because the broker could fail here."""

    kafka: str
    resident: Resident
    pids: dict[str, int]

    def peak_mib(self, part: str) -> float:
        """The peak memory of a process."""
        status = Path(f"/proc/{self.pids[part]}/status").read_text()
        [line] = [one for one in status.splitlines() if one.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024

    def refusal(self, cause: str) -> dict[str, Any]:
        """The refusal of a message in the inbox of the sender."""
        until = time.monotonic() + PATIENCE_S
        while True:
            told = [one.data for one in read_all(self.kafka, [topics.inbox(SENDER)]) if one.data.get("cause") == cause]
            if told:
                [one] = told
                return one
            assert time.monotonic() < until, f"no refusal of {cause} arrived"
            time.sleep(0.2)

    def letters(self, offset: int) -> list[ReadRecord]:
        """The dead letters of a record in the outbox of the sender."""
        origin = {"dl_topic": OUTBOX, "dl_partition": "0", "dl_offset": str(offset)}
        found = read_all(self.kafka, [topics.dead_letters("router")])
        return [one for one in found if origin.items() <= one.headers.items()]

    def answer_a_neighbour(self) -> None:
        """The case of another department is answered."""
        receipt = self.resident.write(LIGHT)
        [code] = [one["code"] for one in self.resident.wait_for(receipt, "assigned")["departments"]]
        assert code != SENDER
        part = {"part_id": f"{receipt['inquiry_id']}-p1", "text": "路灯已修复。"}
        departments_write(self.kafka, code, "part.contributed", part)
        self.resident.wait_for(receipt, "answered")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with chorus_up(tmp_path_factory.mktemp("bombs"), {}) as stack:
        yield started(stack)


def started(stack: RunningStack) -> Town:
    about = json.loads((stack.data / "stack.json").read_text())
    return Town(about["kafka"], Resident(about["urls"]["intake"]), about["pids"])


@pytest.mark.parametrize("codec", CODECS)
async def test_a_bomb_is_refused_and_broker_gate_and_other_departments_continue(town: Town, codec: str) -> None:
    content = bomb(codec, MIB[codec])
    offset = await write_batch(town.kafka, OUTBOX, batch(content, 1, CODECS[codec]))
    departments_write(town.kafka, SENDER, "part.accepted", {"part_id": "none"}, ce_id=f"after-{codec}")
    town.answer_a_neighbour()
    told = town.refusal(f"{OUTBOX}-0-{offset}")
    assert told["reason"].startswith(f"{len(content)} bytes of {codec} do not decompress into at most ")
    [letter] = town.letters(offset)
    assert (letter.headers["dl_kind"], letter.headers["dl_reason"]) == ("permanent", told["reason"])
    assert "no part_id" in town.refusal(f"after-{codec}")["reason"]
    assert town.peak_mib("router") < GATE_MIB
    # The broker has not restarted; Kafka exits when it runs out of memory.
    assert Path(f"/proc/{town.pids['kafka']}").exists()


async def test_many_batches_just_below_the_limit_need_no_more_memory(town: Town) -> None:
    """Together they decompress to 800 MiB; each is sent as a few kilobytes and never kept decompressed."""
    rows = compressed(
        "zstd", record(0, bytes(DECOMPRESSED_ALWAYS - 1_000), headers=[(b"ce_type", b"chorus.part.accepted")])
    )
    assert len(rows) < 1_000
    offsets = [await write_batch(town.kafka, OUTBOX, batch(rows, 1, CODECS["zstd"])) for _ in range(400)]
    town.answer_a_neighbour()
    for offset in (offsets[0], offsets[-1]):
        assert "The value has 2096152 bytes" in town.refusal(f"{OUTBOX}-0-{offset}")["reason"]
        [letter] = town.letters(offset)
        assert (letter.value, "dl_cut" in letter.headers) == (b"", True)
    assert town.peak_mib("router") < GATE_MIB


async def test_a_header_name_that_is_not_utf8_makes_only_its_own_record_unreadable(town: Town) -> None:
    ids = [f"beside-{uuid4()}" for _ in range(2)]
    named = [(b"ce_type", b"chorus.part.accepted")]
    value = json.dumps({"part_id": "none"}).encode()
    good = [record(n, value, None, [*named, (b"ce_id", id_.encode())]) for n, id_ in zip((0, 2), ids, strict=True)]
    wrong = record(1, value, None, [*named, (b"\xff\xfe", b"1")])
    rows = compressed("gzip", good[0] + wrong + good[1])
    offset = await write_batch(town.kafka, OUTBOX, batch(rows, 3, CODECS["gzip"]))
    for id_ in ids:
        assert "no part_id" in town.refusal(id_)["reason"]
    assert r"b'\xff\xfe' is not UTF-8" in town.refusal(f"{OUTBOX}-0-{offset + 1}")["reason"]
    assert len(town.letters(offset + 1)) == 1
