"""Faults planted in running code: the auditor finds each of them, and nothing else."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.ports import Ports
from tests.backing import Backing, backing
from tests.chaos.audit.auditor import audit
from tests.chaos.audit.capture import Accepted
from tests.chaos.gather import gather
from tests.integration.bench import CITY, NOISE, Bench, answered, killed_itself, set_up, until_decided
from tests.integration.outside import Resident
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
FAULTY = Path(__file__).with_name("faulty.py")


@dataclass
class Town:
    """All services except the router, which each test starts as it needs."""

    bench: Bench

    def write(self) -> dict[str, Any]:
        """Send a public message to two departments."""
        words = {"body": f"{NOISE['body']} (chaos {uuid4()})", "public": True}
        return Resident(self.bench.url("intake")).write(NOISE | words)

    def findings(self, receipt: dict[str, Any]) -> list[str]:
        """The auditor's findings for one inquiry."""
        urls = {name: self.bench.url(name) for name in ("intake", "notifier", "scorer")}
        inquiry_id = receipt["inquiry_id"]
        told = [(Accepted(inquiry_id, (inquiry_id,), None, True), {inquiry_id: receipt["query_code"]})]
        running = self.bench.backing
        assert running.mail is not None
        capture = gather(told, {}, running.kafka, running.mongodb, running.mail, urls, CITY)
        return [str(one) for one in audit(capture).found if one.inquiry_id == inquiry_id]

    def at_rest(self) -> None:
        """A message sent now is processed completely, without findings."""
        receipt = self.write()
        answered(self.bench, receipt)
        until = time.monotonic() + PATIENCE_S
        while found := self.findings(receipt):
            assert time.monotonic() < until, found
            time.sleep(0.5)


@pytest.fixture(scope="module")
def running_alone(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backing]:
    """Its own broker and store, because faults would disturb other tests; `running` skips it where they cannot run."""
    with backing(tmp_path_factory.mktemp("alone"), Ports.free(), {}) as alone:
        yield alone


@pytest.fixture(scope="module")
def town(running_alone: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    bench = set_up(running_alone, tmp_path_factory.mktemp("faults"))
    with ExitStack() as services:
        for name in ("intake", "notifier", "scorer"):
            services.enter_context(bench.service(name))
        for name in ("intake", "notifier", "scorer"):
            bench.await_ready(name)
        yield Town(bench)


def red(town: Town, receipt: dict[str, Any], *words: str) -> None:
    """The inquiry has all these findings, and another one has none."""
    town.at_rest()
    found = town.findings(receipt)
    for one in words:
        assert any(one in finding for finding in found), found


def test_commit_before_effect(town: Town) -> None:
    with town.bench.service("router", "commit_before_effect", script=FAULTY) as process:
        receipt = town.write()
        killed_itself(process)
    with town.bench.service("router"):
        red(town, receipt, "lost: ", "has no first decision")


def test_fresh_id_on_repeat(town: Town) -> None:
    with town.bench.service("router", "before-commit", "inquiries.inputs") as process:
        receipt = town.write()
        killed_itself(process)
    with town.bench.service("router", "fresh_id_on_repeat", script=FAULTY):
        red(town, receipt, "double: ", "was offered under 2 ids", "the event 1 has 2 ids", "belongs to no decision")


def test_swallowed_publish_error(town: Town) -> None:
    with town.bench.service("router", "swallowed_publish_error", script=FAULTY):
        receipt = town.write()
        until_decided(town.bench, receipt)
        red(town, receipt, "lost: ", "was decided and is not in residents.inbox")


def test_prev_forgotten(town: Town) -> None:
    with town.bench.service("router", "prev_forgotten", script=FAULTY):
        receipt = town.write()
        until_decided(town.bench, receipt)
        red(
            town,
            receipt,
            "wrong: ",
            "the prev of the fact 2 is not the hash of the one before",
            "the prev of the event",
        )


def test_text_in_an_event(town: Town) -> None:
    with town.bench.service("router", "text_in_an_event", script=FAULTY):
        receipt = town.write()
        until_decided(town.bench, receipt)
        red(town, receipt, "wrong: ", "has free text in said: '工地每天夜间施工，噪音很大。")


def test_event_altered_on_its_way(town: Town) -> None:
    with town.bench.service("router", "event_altered_on_its_way", script=FAULTY):
        receipt = town.write()
        until_decided(town.bench, receipt)
        red(town, receipt, "wrong: ", "in inquiries.events is not what was decided", "the prev of the event")


def test_unsynced_store(town: Town, tmp_path: Path) -> None:
    """A power failure loses acknowledged data: the store gets back its earlier files."""
    store = town.bench.backing.parts["store"]
    folder = Path(store.component.command[store.component.command.index("--storage-path") + 1])
    with town.bench.service("router"):
        town.at_rest()
        # A copy of files that change is not what a power failure leaves behind.
        os.kill(store.pid, signal.SIGSTOP)
        shutil.copytree(folder, tmp_path / "synced")
        os.kill(store.pid, signal.SIGCONT)
        receipt = town.write()
        answered(town.bench, receipt)
        store.kill()
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "synced", folder)
        store.start()
        for name in ("intake", "router", "notifier", "scorer"):
            town.bench.await_ready(name)
        red(
            town,
            receipt,
            "lost: ",
            "is not in the ledger",
            "has no first decision",
            "the scorer does not have the event",
        )
