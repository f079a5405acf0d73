"""Staff users on a whole stack: sample users, a department without Kafka, log-in, and tokens after a crash."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.city import SAMPLE
from deploy.local.sample_users import sample_users
from services.router.domain.staff import STAFF_ROLES
from shared.city import load_city
from tests.backing import Backing
from tests.conftest import RunningStack, chorus_up
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.integration

FIRST, SECOND = (one.code for one in load_city(SAMPLE).active[:2])


@dataclass(frozen=True)
class Town:
    """A stack with its own store, which has sample users."""

    stack: RunningStack

    @property
    def file(self) -> Any:
        return json.loads((self.stack.data / "stack.json").read_text())

    @property
    def tokens(self) -> Path:
        return self.stack.data / "secrets" / "users"

    def as_(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {(self.tokens / f'{name}.token').read_text().strip()}"}

    def get(self, name: str, path: str) -> httpx.Response:
        return httpx.get(
            f"{self.file['urls']['router']}{path}", headers=self.as_(name), timeout=PATIENCE_S, trust_env=False
        )

    def chorus(self, name: str | None, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """A command as this sample user, or with the default token."""
        env = self.stack.env | ({"CHORUS_TOKEN_FILE": str(self.tokens / f"{name}.token")} if name else {})
        command = [sys.executable, "-m", "deploy.cli.main", *words]
        return subprocess.run(
            command,
            env=env,
            cwd=self.stack.data,
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def inquiry(self, department: str) -> tuple[str, str]:
        """A new inquiry of this department, offered to it; returns ticket number and code."""
        message = {"subject": "路灯不亮", "body": "三盏路灯坏了半个月。", "departments": [department]}
        url = f"{self.file['urls']['intake']}/inquiries"
        receipt = httpx.post(url, json=message, timeout=PATIENCE_S, trust_env=False).json()
        path = f"/cases/{receipt['inquiry_id']}"
        until(lambda: self.get("coordinator", path).status_code == 200, "the inquiry is not decided")
        return receipt["inquiry_id"], receipt["query_code"]


@pytest.fixture(scope="module")
def town(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """`running` skips it where a stack cannot run."""
    with chorus_up(tmp_path_factory.mktemp("staff"), {}) as stack:
        yield Town(stack)


def test_there_is_a_sample_user_of_each_role_and_clerks_of_two_departments(town: Town) -> None:
    users = sample_users(load_city(SAMPLE))
    assert {one.role for one in users} == set(STAFF_ROLES)
    assert [one.department for one in users if one.role == "clerk"] == [FIRST, SECOND]
    assert {one.name for one in town.tokens.iterdir()} == {f"{one.name}.token" for one in users}
    for one in users:
        assert stat.S_IMODE((town.tokens / f"{one.name}.token").stat().st_mode) == 0o600
        me = town.get(one.name, "/me").json()
        assert (me["user"], me["role"], me["department"]) == (one.name, one.role, one.department)


def test_a_department_without_kafka_answers_an_inquiry(town: Town) -> None:
    inquiry_id, code = town.inquiry(FIRST)
    part, clerk = f"part_id={inquiry_id}-p1", f"clerk-{FIRST}"
    assert town.chorus(clerk, "case", "command", inquiry_id, "accept", part).returncode == 0
    again = town.chorus(clerk, "case", "command", inquiry_id, "accept", part, "--json")
    assert (again.returncode, json.loads(again.stdout)["status"]) == (4, "refused")
    assert "is accepted already" in again.stderr
    done = town.chorus(clerk, "case", "command", inquiry_id, "contribute", part, "text=灯亮了，7 = 3 + 4")
    assert done.returncode == 0, done.stderr
    url = f"{town.file['urls']['intake']}/inquiries/{inquiry_id}"

    def answered() -> Any:
        seen = httpx.get(url, headers={"X-Query-Code": code}, timeout=PATIENCE_S, trust_env=False).json()
        return seen if seen["state"] == "answered" else None

    assert until(answered, "no answer")["reply"]["paragraphs"][0]["text"] == "灯亮了，7 = 3 + 4"
    events = town.get(clerk, f"/cases/{inquiry_id}").json()["timeline"]
    staff = [one["data"]["actor"] for one in events if one["type"] == "chorus.part.accepted"]
    assert staff == [{"kind": "staff", "role": "clerk"}]


def test_another_department_neither_sees_nor_answers_it(town: Town) -> None:
    inquiry_id, _ = town.inquiry(FIRST)
    other = f"clerk-{SECOND}"
    assert town.get(other, f"/cases/{inquiry_id}").status_code == 404
    refused = town.chorus(other, "case", "command", inquiry_id, "accept", f"part_id={inquiry_id}-p1")
    assert (refused.returncode, "(404)" in refused.stderr) == (4, True)
    assert inquiry_id not in [one["inquiry_id"] for one in town.get(other, "/cases?limit=1000").json()["cases"]]
    until(
        lambda: inquiry_id in [one["inquiry_id"] for one in town.get(f"clerk-{FIRST}", "/cases").json()["cases"]],
        "the clerk's list lacks the case",
    )


@pytest.mark.parametrize(
    "words",
    [
        ("dead-letters", "list"),
        ("user", "list"),
        ("department", "retire", FIRST, "--reason", "x"),
        ("apply", str(SAMPLE)),
        ("triage", "assign", "20260316-7KQ2M9XD", "--lead", FIRST),
    ],
)
def test_commands_of_operators_are_refused_to_a_clerk(town: Town, words: tuple[str, ...]) -> None:
    done = town.chorus(f"clerk-{FIRST}", *words)
    assert done.returncode == 4, done.stderr


def test_users_are_added_logged_in_and_disabled(town: Town) -> None:
    made = town.chorus(None, "user", "add", "王工", "--role", "clerk", "--department", SECOND, "--json")
    document = json.loads(made.stdout)
    assert set(document) == {"user", "role", "department", "token"}
    assert town.chorus(None, "user", "add", "王工", "--role", "auditor").returncode == 4
    login = town.chorus(None, "login", "--json", typed=document["token"] + "\n")
    assert json.loads(login.stdout)["user"] == "王工"
    file = town.stack.data / "secrets" / "login-token"
    assert (json.loads(login.stdout)["file"], stat.S_IMODE(file.stat().st_mode)) == (str(file), 0o600)
    assert town.chorus(None, "user", "list").returncode == 4
    assert town.chorus("operator", "user", "disable", "王工").returncode == 0
    refused = town.chorus(None, "triage", "list")
    assert (refused.returncode, "(401)" in refused.stderr) == (4, True)
    assert town.chorus(None, "logout").returncode == 0
    assert town.chorus(None, "user", "list").returncode == 0


def test_tokens_and_audit_survive_a_crash_of_the_router(town: Town) -> None:
    before = town.get("auditor", "/audit").json()["entries"]
    pid = town.file["pids"]["router"]
    os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        try:
            return bool(town.file["pids"]["router"] != pid and town.get("auditor", "/me").status_code == 200)
        except (httpx.TransportError, FileNotFoundError):
            return False

    until(back, "the router did not come back")
    assert town.get("auditor", "/audit").json()["entries"] == before
    assert town.get(f"clerk-{FIRST}", "/cases").status_code == 200
