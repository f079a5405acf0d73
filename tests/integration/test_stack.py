"""A real local stack on free ports: processes restart with their data, one stack per folder, no process is left at the end."""

import asyncio
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pymongo import MongoClient

from deploy.local import folder as folders
from deploy.local import jars, mail, probe
from deploy.local.component import Component, Running
from deploy.local.folder import Folder
from deploy.local.orphans import is_running, record, stop_orphans
from deploy.local.plan import Plan, make_plan
from deploy.local.ports import Ports
from deploy.local.restart import POLICY, RestartPolicy
from deploy.local.screen import StackScreen
from deploy.local.stack import Steps, run
from deploy.local.stack_file import StackFile
from deploy.local.supervisor import Supervisor
from shared.contracts.sources import SERVICES
from tests.backing import backing
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration

STAND_IN = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
print("listening", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
CHORUS = (sys.executable, "-m", "deploy.cli.main")


def stand_in(part: Component) -> Component:
    """A fake service that is always ready, for testing the stack without services."""
    return replace(part, command=(sys.executable, "-c", STAND_IN, str(part.ports[0])))


def a_plan(folder: Folder, ports: Ports) -> Plan:
    plan = make_plan(folder, ports, {}, jars.download())
    return replace(plan, services=tuple(map(stand_in, plan.services)))


@dataclass
class Story:
    """The observed steps and duration of a running stack."""

    folder: Folder
    steps: list[str]
    took_s: float = 0.0

    def file(self) -> StackFile:
        return StackFile.model_validate_json(self.folder.stack.read_text())

    async def pid_changes(self, part: str, before: int | None) -> int:
        return int(await eventually(lambda: (now := getattr(self.file().pids, part)) not in (None, before) and now))


async def eventually(question: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENCE_S
    while not (answer := question()):
        assert time.monotonic() < until, "condition not met in time"
        await asyncio.sleep(0.05)
    return answer


@asynccontextmanager
async def running(data: Path, ports: Ports) -> AsyncIterator[Story]:
    """A ready stack, ended by SIGINT."""
    with folders.claimed(data) as folder:
        folders.settle(folder)
        story, ready = Story(folder, []), asyncio.Event()

        async def step(name: str) -> None:
            story.steps.append(name)

        def is_ready(file: StackFile, took_s: float) -> None:
            assert file == story.file()
            story.took_s = took_s
            ready.set()

        screen = StackScreen(os.open(os.devnull, os.O_WRONLY), coloured=False)
        steps = Steps(partial(step, "provision"), partial(step, "city"), is_ready)
        stack = asyncio.create_task(run(a_plan(folder, ports), steps, screen))
        try:
            waiting = asyncio.create_task(ready.wait())
            await asyncio.wait({stack, waiting}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            assert ready.is_set(), stack
            yield story
        finally:
            signal.raise_signal(signal.SIGINT)
            await stack
            screen.close()


def write_record(kafka: str, value: bytes) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(PATIENCE_S)
    producer = Producer({"bootstrap.servers": kafka, "acks": "all"})
    producer.produce("kept", value)
    assert producer.flush(PATIENCE_S) == 0


def read_record(kafka: str) -> bytes:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "reader", "enable.auto.commit": False})
    consumer.assign([TopicPartition("kept", 0, 0)])
    try:
        record = consumer.poll(PATIENCE_S)
        assert record is not None
        assert record.error() is None, record
        return bytes(record.value() or b"")
    finally:
        consumer.close()


def insert(mongodb: str, words: str) -> None:
    with MongoClient[dict[str, str]](mongodb, serverSelectionTimeoutMS=10_000) as client:
        client["trial"]["kept"].insert_one({"_id": words})


def inserted(mongodb: str) -> list[str]:
    with MongoClient[dict[str, str]](mongodb, serverSelectionTimeoutMS=10_000) as client:
        return [document["_id"] for document in client["trial"]["kept"].find()]


def test_acknowledged_data_survives_kills_and_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def first() -> dict[str, int]:
        async with running(data, Ports.free()) as story:
            assert story.steps == ["provision", "city"]
            file = story.file()
            await asyncio.to_thread(write_record, file.kafka, b"before the kill")
            await asyncio.to_thread(insert, file.mongodb, "before the kill")
            pids = {name: pid for name, pid in file.pids.model_dump().items() if pid}
            assert len(pids) == 7
            assert "java" in psutil.Process(pids["kafka"]).name()
            assert "secantusd-py" in " ".join(psutil.Process(pids["mongodb"]).cmdline())
            assert {os.getsid(pid) for pid in pids.values()} == set(pids.values()), "each process has its own session"

            for part in ("kafka", "mongodb", "scorer"):
                os.kill(pids[part], signal.SIGKILL)
            for part in ("kafka", "mongodb", "scorer"):
                await story.pid_changes(part, pids[part])
            file = story.file()
            assert file.pids.intake == pids["intake"], "surviving processes are not restarted"
            await eventually(lambda: not probe.kafka(file.kafka) and not probe.store(file.mongodb))
            await eventually(lambda: not probe.service(file.urls.scorer))
            assert await asyncio.to_thread(read_record, file.kafka) == b"before the kill"
            assert await asyncio.to_thread(inserted, file.mongodb) == ["before the kill"]
            return {name: pid for name, pid in file.pids.model_dump().items() if pid}

    async def second() -> None:
        async with running(data, Ports.free()) as story:
            assert story.took_s < 10
            assert await asyncio.to_thread(read_record, story.file().kafka) == b"before the kill"
            assert await asyncio.to_thread(inserted, story.file().mongodb) == ["before the kill"]

    pids = asyncio.run(first())
    assert not [name for name, pid in pids.items() if psutil.pid_exists(pid)], "the supervisor left a process running"
    assert not (data / "stack.json").exists()
    assert "listening" in (data / "logs" / "intake.log").read_text()
    asyncio.run(second())


def chorus(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
    return subprocess.run(
        [*CHORUS, *arguments, "--data", str(data)],
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.stderr.startswith("chorus: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_second_start_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with folders.claimed(tmp_path / "data"):
        done = chorus(tmp_path / "data", "up")
    assert done.returncode == 1
    assert f"already runs on {str(tmp_path / 'data')!r}" in one_sentence(done)


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    ports = Ports.free()
    with socket.create_server(("127.0.0.1", ports.notifier)):
        done = chorus(tmp_path / "data", "up", "--ports", str(ports.intake - 1))
    assert done.returncode == 1
    assert f"Port {ports.notifier} of notifier is already in use" in one_sentence(done)
    assert "--ports" in done.stderr


def test_a_failed_download_is_reported_and_leaves_no_files(tmp_path: Path) -> None:
    base = str(Ports.free().intake - 1)
    nowhere = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "CHORUS_MAVEN": "http://127.0.0.1:9"}
    done = chorus(tmp_path / "data", "up", "--ports", base, **nowhere)
    assert done.returncode == 1
    assert "Cannot download" in one_sentence(done)
    assert [entry.name for entry in (tmp_path / "cache" / "chorus").iterdir()] == [
        f"kafka-{jars.pinned().version}.lock"
    ]


def test_fresh_needs_confirmation(tmp_path: Path) -> None:
    with folders.claimed(tmp_path / "data") as folder:
        folders.settle(folder)
    (folder.mail / "kept.eml").write_text("")
    done = chorus(tmp_path / "data", "up", "--fresh")
    assert done.returncode == 2
    assert "--yes" in one_sentence(done)
    assert (folder.mail / "kept.eml").exists()


def test_status_reports_components_that_do_not_answer(tmp_path: Path) -> None:
    with folders.claimed(tmp_path / "data") as folder:
        folders.settle(folder)
        folder.stack.write_text(make_plan(folder, Ports.free(), {}, jars.jar_folder()).stack_file({}).model_dump_json())
        done = chorus(folder.path, "status", "--json")
    assert done.returncode == 3
    parts = {part["part"]: part for part in json.loads(done.stdout)["parts"]}
    assert list(parts) == ["kafka", "store", "smtp", *SERVICES]
    assert parts["intake"]["reasons"][0].startswith("no answer from")
    assert len(done.stderr.splitlines()) == 7


def test_mails_are_stored_unchanged_in_order_of_arrival(tmp_path: Path) -> None:
    port = Ports.free().smtp
    sink = Running(mail.mail_component(tmp_path / "mail", port), tmp_path / "smtp.log")
    sink.start()
    try:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for words in ("first 路灯", "second"):
                message = f"Subject: {words}\r\nX-Chorus-Event: 1\r\n\r\nHello\r\n".encode()
                client.sendmail("chorus@city.example", ["zhang@example.org"], message)
    finally:
        sink.stop()
    kept = [file.read_bytes().decode() for file in sorted((tmp_path / "mail").iterdir())]
    assert [text.split("\r\n")[0] for text in kept] == ["Subject: first 路灯", "Subject: second"]
    assert kept[1].endswith("\r\n\r\nHello\r\n")


@asynccontextmanager
async def supervised(part: Component, logs: Path, policy: RestartPolicy = POLICY) -> AsyncIterator[list[int]]:
    """One supervised component; yields the ids of its processes so far."""
    pids: list[int] = []
    screen = StackScreen(os.open(os.devnull, os.O_WRONLY), coloured=False)
    supervisor = Supervisor(screen, logs, lambda: pids.extend(supervisor.pids().values()), policy)
    await supervisor.start([part])
    yield pids
    await supervisor.stop()
    screen.close()


def program(words: str, **settings: Any) -> Component:
    return Component("trial", (sys.executable, "-c", words), ready=lambda: "", stage=0, **settings)


def test_a_process_that_always_exits_is_restarted_without_limit(tmp_path: Path) -> None:
    async def story() -> None:
        async with supervised(program("print('I was here'); exit(3)"), tmp_path, RestartPolicy(0.01, 0.02)) as pids:
            await eventually(lambda: len(set(pids)) > 5)

    asyncio.run(story())
    assert (tmp_path / "trial.log").read_text().count("I was here\n") > 4


def test_a_process_that_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"

    async def story() -> None:
        async with supervised(program(deaf, stop_s=0.3), tmp_path) as pids:
            await eventually(lambda: (tmp_path / "trial.log").read_bytes())
        assert not psutil.pid_exists(pids[0])

    asyncio.run(story())


def test_output_with_any_bytes_is_logged(tmp_path: Path) -> None:
    loud = r"import sys; w = sys.stdout.buffer.write; w(b'x' * 200_000 + b'\n'); w(b'\xff\xfe\n'); w(b'no end of line')"

    async def story() -> None:
        async with supervised(program(loud), tmp_path, RestartPolicy(60, 60)):
            await eventually(lambda: (tmp_path / "trial.log").read_bytes().endswith(b"no end of line"))

    asyncio.run(story())


def test_backing_components_can_be_killed_and_restarted(tmp_path: Path) -> None:
    with backing(tmp_path / "data", Ports.free(), {}) as stack:
        insert(stack.mongodb, "before")
        stack.parts["store"].kill()
        stack.parts["store"].start()
        assert inserted(stack.mongodb) == ["before"]
        assert probe.kafka(stack.kafka) == probe.smtp(stack.smtp) == ""
        pids = [part.pid for part in stack.parts.values()]
    assert not any(map(psutil.pid_exists, pids))


ORPHANS = """
import asyncio, sys
from functools import partial
from pathlib import Path
from deploy.local import mail
from deploy.local.orphans import record
from deploy.local.screen import StackScreen
from deploy.local.supervisor import Supervisor

async def main(folder, port):
    keeping = Supervisor(StackScreen(2, False), folder, lambda: record(folder / "processes.json", keeping.pids()))
    await keeping.start([mail.mail_component(folder / "mail", port)])
    await keeping.ready()
    print(keeping.pids()["smtp"], flush=True)
    await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends a process with its parent")
def test_processes_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    port = Ports.free().smtp
    command = [sys.executable, "-c", ORPHANS, str(tmp_path), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as supervisor:
        assert supervisor.stdout is not None
        part = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
    asyncio.run(
        eventually(
            lambda: not is_running(part),
        )
    )


def test_orphans_are_stopped_at_the_next_start(tmp_path: Path) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    record(tmp_path / "processes.json", {"intake": left.pid})
    assert stop_orphans(tmp_path / "processes.json") == ["intake"]
    assert left.wait(1) == -signal.SIGTERM
    assert stop_orphans(tmp_path / "processes.json") == []


def test_a_process_with_a_reused_id_is_not_stopped(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    written = {"intake": {"pid": stranger.pid, "started": psutil.Process(stranger.pid).create_time() - 60}}
    (tmp_path / "processes.json").write_text(json.dumps(written))
    assert stop_orphans(tmp_path / "processes.json") == []
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
