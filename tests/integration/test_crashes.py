"""Intake and router are killed between any two of their steps; after the restart every effect is there, once."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.backing import Backing
from deploy.local.ports import Ports
from shared.directory import load_city
from shared.provision import make_topics
from shared.topics import EVENTS, INPUTS, RESIDENTS, department_topics, system_topics
from tests.integration.outside import Resident, departments_write, ids_by, read_all

pytestmark = pytest.mark.integration
REPOSITORY = Path(__file__).parents[2]
CITY = REPOSITORY / "deploy" / "city"
NOISE = {"subject": "工地夜间施工噪音扰民", "body": "工地每天夜间施工，噪音很大。", "language": "zh"}
JOINT = ("environment", "urban-management")


@dataclass
class Bench:
    """Where the services of this module are started, one by one."""

    backing: Backing
    ports: Ports
    env: dict[str, str]

    @contextmanager
    def service(self, name: str, *kill: str) -> Iterator[subprocess.Popen[bytes]]:
        """A service process; with `kill` it kills itself at that step."""
        port = getattr(self.ports, name)
        script = [str(Path(__file__).with_name("killable.py")), name, *kill] if kill else ["-m", f"services.{name}"]
        process = subprocess.Popen(
            [sys.executable, *script],
            env=self.env | {"CHORUS_HTTP": f"127.0.0.1:{port}", "CHORUS_INSTANCE": f"local-{name}"},
            cwd=REPOSITORY,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{getattr(self.ports, name)}"

    def await_ready(self, name: str) -> None:
        until = time.monotonic() + 40
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url(name)}/readyz", timeout=3).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{name} did not become ready")


@pytest.fixture(scope="module")
def bench(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Topics, secrets and a city over the run's broker and store."""
    folder = tmp_path_factory.mktemp("crashes")
    city = load_city(CITY)
    wanted = (*system_topics(6, 90), *department_topics([one.code for one in city.departments], 90))
    asyncio.run(make_topics(running.kafka, wanted, 1))
    for name in ("code", "token"):
        (folder / name).write_text(name * 20)
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")} | {
        "CHORUS_KAFKA": running.kafka,
        "CHORUS_MONGODB": running.mongodb,
        "CHORUS_SMTP": running.smtp,
        "CHORUS_DATA": str(folder),
        "CHORUS_SECRET_FILE": str(folder / "code"),
        "CHORUS_OPERATOR_TOKEN_FILE": str(folder / "token"),
        "PYTHONPATH": str(REPOSITORY),
    }
    made = Bench(running, Ports.free(), env)
    with made.service("router"):
        until = time.monotonic() + 30
        while True:
            try:
                answer = httpx.post(
                    f"{made.url('router')}/city",
                    content=city.model_dump_json(),
                    headers={"Authorization": f"Bearer {'token' * 20}"},
                    timeout=20,
                )
                assert answer.status_code == 200, answer.text
                break
            except httpx.TransportError:
                assert time.monotonic() < until
                time.sleep(0.2)
        made.await_ready("router")
    return made


def whole(bench: Bench, inquiry_id: str) -> None:
    """What an auditor finds in the topics: each thing once, events without gaps."""
    kafka = bench.backing.kafka
    letters = [one for one in read_all(kafka, [EVENTS, RESIDENTS, INPUTS]) if one.headers["ce_subject"] == inquiry_id]
    inboxes = read_all(kafka, [f"departments.{code}.inbox" for code in JOINT])
    letters += [one for one in inboxes if one.headers["ce_subject"] == inquiry_id]
    events = [one for one in letters if one.topic == EVENTS]
    numbers = {int(one.headers["ce_sequence"]): one.headers["ce_id"] for one in events}
    assert sorted(numbers) == list(range(1, len(numbers) + 1)), "events are not dense"
    assert len(set(numbers.values())) == len(numbers)
    assert len({one.headers["ce_id"] for one in events}) == len(numbers), "an event happened under two ids"
    offered = ids_by(
        (one for one in letters if one.headers["ce_type"] == "chorus.part.offered" and one.topic != EVENTS), "part_id"
    )
    assert len(offered) == len(JOINT)
    assert all(len(ids) == 1 for ids in offered.values()), offered
    told = ids_by((one for one in letters if one.topic == RESIDENTS), "what", "text")
    assert all(len(ids) == 1 for ids in told.values()), told
    assert sum(what[1] == "answered" for what in told) == 1
    received = ids_by((one for one in letters if one.headers["ce_type"] == "chorus.inquiry.received"), "inquiry_id")
    assert [len(ids) for ids in received.values()] == [1]


@contextmanager
def started_anew(bench: Bench, process: subprocess.Popen[bytes], victim: str) -> Iterator[None]:
    """While this goes on, the victim, who will kill itself at its step, is started anew after its end."""
    with ExitStack() as successors:

        def watch() -> None:
            if process.wait() == -signal.SIGKILL:
                successors.enter_context(bench.service(victim))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            process.terminate()
            watcher.join()


def live_through(bench: Bench, process: subprocess.Popen[bytes]) -> None:
    """A whole case, from the message to the joint reply; then the audit."""
    resident = Resident(bench.url("intake"))
    receipt = resident.write(NOISE)
    seen = resident.wait_for(receipt, "assigned")
    assert {one["code"] for one in seen["departments"]} == set(JOINT)
    for number, code in enumerate(JOINT, 1):
        part_id = f"{receipt['inquiry_id']}-p{number}"
        departments_write(bench.backing.kafka, code, "part.accepted", {"part_id": part_id})
        departments_write(
            bench.backing.kafka, code, "part.contributed", {"part_id": part_id, "text": f"{code}：已处理。"}
        )
    seen = resident.wait_for(receipt, "answered")
    assert [one["text"] for one in seen["reply"]["paragraphs"]] == [f"{code}：已处理。" for code in JOINT]
    assert process.wait(20) == -signal.SIGKILL, "the step was never reached"
    whole(bench, receipt["inquiry_id"])


INTAKE_STEPS = [
    ("before-insert",),
    ("after-insert",),
    ("before-publish", INPUTS),
    ("after-publish", INPUTS),
    ("before-settle",),
    ("after-settle",),
    ("before-commit", RESIDENTS),
]
ROUTER_STEPS = [
    ("before-insert",),
    ("after-insert",),
    ("before-publish", EVENTS),
    ("after-publish", EVENTS),
    ("before-commit", INPUTS),
    ("after-commit", INPUTS),
    ("before-publish", INPUTS),
    ("after-publish", INPUTS),
    ("before-commit", "departments.environment.outbox"),
]


@pytest.fixture(scope="class")
def router_runs(bench: Bench) -> Iterator[None]:
    with bench.service("router"):
        yield


@pytest.fixture(scope="class")
def intake_runs(bench: Bench) -> Iterator[None]:
    with bench.service("intake"):
        yield


@pytest.mark.usefixtures("router_runs")
class TestIntake:
    @pytest.mark.parametrize("step", INTAKE_STEPS, ids=" ".join)
    def test_killed_there_loses_and_doubles_nothing(self, bench: Bench, step: tuple[str, ...]) -> None:
        with bench.service("intake", *step) as process, started_anew(bench, process, "intake"):
            live_through(bench, process)


@pytest.mark.usefixtures("intake_runs")
class TestRouter:
    @pytest.mark.parametrize("step", ROUTER_STEPS, ids=" ".join)
    def test_killed_there_loses_and_doubles_nothing(self, bench: Bench, step: tuple[str, ...]) -> None:
        with bench.service("router", *step) as process, started_anew(bench, process, "router"):
            live_through(bench, process)
