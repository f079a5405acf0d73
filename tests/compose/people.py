"""A resident who writes through the load balancer, and a department that answers from outside, over TLS."""

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import httpx

from tests.compose.file import REPOSITORY
from tests.compose.stack import Broken, Stack, eventually

DEPARTMENT = "urban-management"
ANSWERED_S = 60
WORDS = "三盏路灯已修复。"


@dataclass(frozen=True)
class Ticket:
    """Number and query code of a message, and the address for its reply."""

    number: str
    code: str
    email: str


def write(stack: Stack, email: str) -> Ticket:
    """Send a message through the load balancer."""
    said = {
        "subject": "幸福路路灯不亮",
        "body": "三盏路灯坏了半个月。",
        "public": True,
        "department": DEPARTMENT,
        "contact": {"email": email},
    }
    answer = httpx.post(f"{stack.url('write-in')}/inquiries", json=said, timeout=30, trust_env=False)
    if answer.status_code not in (201, 202):
        raise Broken(f"POST /inquiries returned {answer.status_code}: {answer.text[:300]!r}")
    told = answer.json()
    return Ticket(told["inquiry_id"], told["query_code"], email)


def case(stack: Stack, ticket: Ticket) -> dict[str, Any]:
    """The ticket as the resident sees it."""
    address = f"{stack.url('write-in')}/inquiries/{ticket.number}"
    answer = httpx.get(address, headers={"X-Query-Code": ticket.code}, timeout=30, trust_env=False)
    if answer.status_code != 200:
        raise Broken(f"GET /inquiries/{ticket.number} returned {answer.status_code}: {answer.text[:300]!r}")
    told: dict[str, Any] = answer.json()
    return told


def answer(stack: Stack, ticket: Ticket) -> None:
    """Contribute the department's text; returns when the resident sees the reply."""
    part = f"{ticket.number}-p1"
    eventually(f"{DEPARTMENT} is offered {part}", lambda: _outside(stack, "show", part).returncode == 0, ANSWERED_S)
    done = _outside(stack, "contribute", part, "--text", WORDS)
    if done.returncode != 0:
        raise Broken(f"{DEPARTMENT} cannot contribute to {part}: {done.stderr.strip()}")
    eventually(f"{ticket.number} is answered", lambda: answered(stack, ticket), ANSWERED_S)


def answered(stack: Stack, ticket: Ticket) -> bool:
    """Whether the reply contains the department's text."""
    told = case(stack, ticket)
    return told["state"] == "answered" and WORDS in str(told["reply"])


def mailed(stack: Stack, *words: str) -> bool:
    """Whether one mail contains all these texts."""
    mails = stack.type("docker compose logs --no-log-prefix mail").split("MESSAGE FOLLOWS")
    return any(all(word in mail for word in words) for mail in mails)


def _outside(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the department's client outside the containers: published port, TLS, its own password."""
    secrets = stack.folder / "deploy" / "secrets"
    ours = {
        "CHORUS_DATA": str(stack.folder / "nothing"),
        "CHORUS_KAFKA": f"localhost:{stack.ports['kafka']}",
        "CHORUS_KAFKA_SECURITY": "sasl_ssl",
        "CHORUS_KAFKA_CA_FILE": str(secrets / "kafka-ca.pem"),
        "CHORUS_KAFKA_USER": f"departments.{DEPARTMENT}",
        "CHORUS_KAFKA_PASSWORD_FILE": str(secrets / "kafka" / f"departments.{DEPARTMENT}"),
    }
    command = [sys.executable, "-m", "deploy.cli.main", "inbox", DEPARTMENT, *words]
    return subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, **ours}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=90, check=False,
    )  # fmt: skip
