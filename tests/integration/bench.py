"""Services started one by one on the run's broker and store; one of them may kill itself at a named step."""

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient

from deploy.local.ports import Ports
from shared.city import load_city
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import EVENTS, INPUTS, RESIDENTS, department_topics, system_topics
from tests.backing import Backing
from tests.forks import Forked, forks
from tests.integration.outside import ReadRecord, Resident, departments_write, ids_by, read_all
from tests.patience import PATIENCE_S

REPOSITORY = Path(__file__).parents[2]
CITY = REPOSITORY / "deploy" / "city"
KILLABLE = Path(__file__).with_name("killable.py")
NOISE = {"subject": "工地夜间施工噪音扰民", "body": "工地每天夜间施工，噪音很大。", "language": "zh"}
JOINT = ("environment", "urban-management")
POISON = "毒"
"""An input with this in its body always fails in a service run by `killable.py`."""
OPERATOR = {"Authorization": f"Bearer {'token' * 20}"}


@dataclass
class Bench:
    """Starts the services of a test file one by one."""

    backing: Backing
    ports: Ports
    env: dict[str, str]

    @contextmanager
    def service(self, name: str, *kill: str, script: Path = KILLABLE) -> Iterator[Forked]:
        """A service process; `kill` names the step at which it kills itself, or arguments of another script."""
        port = getattr(self.ports, name)
        words = [str(script), name, *kill] if kill else ["-m", f"services.{name}"]
        env = self.env | {"CHORUS_HTTP": f"127.0.0.1:{port}", "CHORUS_INSTANCE": f"local-{name}"}
        process = forks().start(words, env, REPOSITORY)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)

    def stored(self, database: str, collection: str, **query: Any) -> list[dict[str, Any]]:
        """The documents in a service's database, read directly."""
        with MongoClient[dict[str, Any]](self.backing.mongodb) as store:
            return list(store[f"chorus_{database}"][collection].find(query))

    def letters(self, inquiry_id: str, *topics: str) -> list[ReadRecord]:
        """The records of an inquiry in these topics."""
        return read_all(self.backing.kafka, topics, inquiry_id)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{getattr(self.ports, name)}"

    def await_ready(self, name: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url(name)}/readyz", timeout=3).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{name} did not become ready")


def set_up(running: Backing, folder: Path) -> Bench:
    """Topics, secrets and a city on this broker and store. The hall shows answers without a review."""
    city = load_city(CITY)
    automatic = tuple(one.model_copy(update={"publication": "automatic"}) for one in city.policies)
    city = city.model_copy(update={"policies": automatic})
    wanted = (*system_topics(6, 90), *department_topics([one.code for one in city.departments], 90))
    asyncio.run(create_topics(running.kafka, wanted, 1))
    for name in ("code", "token"):
        (folder / name).write_text(name * 20)
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")} | {
        "CHORUS_KAFKA": running.kafka,
        "CHORUS_MONGODB": running.mongodb,
        "CHORUS_SMTP": running.smtp,
        "CHORUS_DATA": str(folder),
        "CHORUS_SECRET_FILE": str(folder / "code"),
        "CHORUS_SUBMISSIONS_PER_MINUTE": "0",
        # The tests of a worker share a store and the address of their resident.
        "CHORUS_MAIL_PER_ADDRESS_PER_HOUR": "0",
        "CHORUS_OPERATOR_TOKEN_FILE": str(folder / "token"),
        "PYTHONPATH": str(REPOSITORY),
    }
    made = Bench(running, Ports.free(), env)
    with made.service("router"):
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = httpx.post(
                    f"{made.url('router')}/city",
                    content=city.model_dump_json(),
                    headers=OPERATOR,
                    timeout=PATIENCE_S,
                )
                assert answer.status_code == 200, answer.text
                break
            except httpx.TransportError:
                assert time.monotonic() < until
                time.sleep(0.2)
        made.await_ready("router")
    return made


def whole(bench: Bench, inquiry_id: str) -> None:
    """Check the topics: nothing duplicated, events without gaps and equal to the stored facts."""
    chained(bench, inquiry_id)
    letters = bench.letters(inquiry_id, EVENTS, RESIDENTS, INPUTS, *(f"departments.{code}.inbox" for code in JOINT))
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


def events_of(bench: Bench, inquiry_id: str) -> dict[int, bytes]:
    """The values of its events, by number."""
    return {int(one.headers["ce_sequence"]): one.value for one in bench.letters(inquiry_id, EVENTS)}


def chained(bench: Bench, inquiry_id: str) -> None:
    """Every fact is published as an event with the same bytes, chained by hashes."""
    decisions = sorted(bench.stored("router", "decisions", inquiry_id=inquiry_id), key=lambda one: int(one["n"]))
    facts = [fact.encode() for one in decisions for fact in one["facts"]]
    until = time.monotonic() + PATIENCE_S
    while len(values := events_of(bench, inquiry_id)) < len(facts):
        assert time.monotonic() < until, f"{len(facts)} facts, {len(values)} events"
        time.sleep(0.2)
    assert [values[number] for number in sorted(values)] == facts
    hashes = [sha256(value).digest() for value in facts]
    assert [json.loads(value)["prev"] for value in facts] == [None, *(one.hex() for one in hashes[:-1])]
    assert decisions[-1]["head"] == hashes[-1]


@contextmanager
def started_anew(bench: Bench, process: Forked, victim: str) -> Iterator[None]:
    """Restart the process that kills itself, once it has ended."""
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


def killed_itself(process: Forked) -> None:
    """Assert that the step was reached."""
    assert process.wait(PATIENCE_S) == -signal.SIGKILL, "the step was never reached"


def until_decided(bench: Bench, receipt: dict[str, Any]) -> None:
    """Wait until the core has decided the input."""
    end = time.monotonic() + PATIENCE_S
    while not bench.stored("router", "decisions", inquiry_id=receipt["inquiry_id"]):
        assert time.monotonic() < end, "it was never decided"
        time.sleep(0.05)


def answered(bench: Bench, receipt: dict[str, Any]) -> None:
    """Answer a case by both departments, from offer to joint reply, then check it."""
    resident = Resident(bench.url("intake"))
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
    whole(bench, receipt["inquiry_id"])
