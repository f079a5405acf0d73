"""A stack started with `--secure`: its users, topics and cases."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
from confluent_kafka import Consumer, TopicPartition

from deploy.cli.main import main
from deploy.kafka_admin.access import Access
from deploy.local.stack_file import StackFile
from shared.kafka.connection import Connection
from tests.conftest import REPOSITORY, RunningStack
from tests.patience import PATIENCE_S

Where = Literal["inside", "outside"]


def until(what: str, true: Callable[..., Any], *given: Any) -> Any:
    """Wait until `true` returns a true value; returns it."""
    limit = time.monotonic() + PATIENCE_S
    while not (found := true(*given)):
        assert time.monotonic() < limit, what
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Secured:
    """A running `chorus up --secure`."""

    stack: RunningStack

    @property
    def file(self) -> StackFile:
        """The current `stack.json`."""
        return StackFile.model_validate_json((self.stack.data / "stack.json").read_text("utf-8"))

    def password_file(self, user: str) -> Path:
        assert self.file.kafka_users is not None
        return Path(self.file.kafka_users, user)

    def connection(self, user: str, where: Where = "inside", password: str | None = None) -> Connection:
        """The connection of this user, on this machine or with TLS from outside."""
        password = self.password_file(user).read_text("utf-8").strip() if password is None else password
        if where == "inside":
            return Connection(self.file.kafka, "sasl_plaintext", user, password)
        assert self.file.kafka_outside is not None
        assert self.file.kafka_ca_file is not None
        return Connection(self.file.kafka_outside, "sasl_ssl", user, password, Path(self.file.kafka_ca_file))

    def access(self) -> Access:
        return Access(self.connection("admin"))

    def ends(self, topics: Iterable[str]) -> dict[str, int]:
        """The total of end offsets of each topic."""
        settings = self.connection("admin").confluent() | {
            "group.id": "nobody's",
            "enable.auto.commit": False,
            "log_level": 0,
        }
        consumer = Consumer(settings)
        try:
            known = consumer.list_topics(timeout=PATIENCE_S).topics
            return {
                topic: sum(
                    (consumer.get_watermark_offsets(TopicPartition(topic, one), timeout=PATIENCE_S) or (0, 0))[1]
                    for one in known[topic].partitions
                )
                for topic in topics
            }
        finally:
            consumer.close()

    def write_in(self, *departments: str) -> str:
        """Send a message to these departments; returns the inquiry once all have their part."""
        message = {"subject": "请回复", "body": "请各部门答复。", "departments": list(departments)}
        answer = httpx.post(f"{self.file.urls.intake}/inquiries", json=message, timeout=PATIENCE_S, trust_env=False)
        inquiry_id = str(answer.raise_for_status().json()["inquiry_id"])
        until("it is assigned", lambda: (self.case(inquiry_id) or {}).get("parts"))
        return inquiry_id

    def case(self, inquiry_id: str) -> dict[str, Any] | None:
        """The case as the desk shows it; None before it exists."""
        bearer = {"Authorization": f"Bearer {Path(self.file.operator_token_file).read_text('ascii').strip()}"}
        url = f"{self.file.urls.router}/cases/{inquiry_id}"
        answer = httpx.get(url, headers=bearer, timeout=PATIENCE_S, trust_env=False)
        found: dict[str, Any] | None = answer.json() if answer.is_success else None
        return found

    def readiness(self, service: str) -> tuple[bool, str]:
        """Whether the service is ready, and its reasons."""
        try:
            answer = httpx.get(f"{getattr(self.file.urls, service)}/readyz", timeout=30, trust_env=False)
        except httpx.TransportError:
            return False, ""
        return answer.is_success, "; ".join(answer.json()["reasons"])

    def json(self, *words: str) -> Any:
        """Run a command that must succeed, in this process; returns its JSON output."""
        said, told = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(told), ThreadPoolExecutor(1) as thread:
            code = thread.submit(main, [*words, "--json", "--data", str(self.stack.data)]).result()
        assert code == 0, told.getvalue()
        return json.loads(said.getvalue())


def outsider(folder: Path, kafka: str, words: tuple[str, ...], **settings: str) -> subprocess.Popen[str]:
    """Run a `chorus` command without a stack, with only these settings."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
    env |= {"CHORUS_DATA": str(folder / "no-stack"), "CHORUS_KAFKA": kafka, "PYTHONPATH": str(REPOSITORY)}
    env |= {f"CHORUS_KAFKA_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "deploy.cli.main", *words]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
