"""Malformed HTTP sent to the sockets of all four services, and personal data in logs."""

import contextlib
import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.backing import Backing
from tests.conftest import RunningStack
from tests.integration.outside import Resident
from tests.integration.test_outages import away
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
SERVICES = ("intake", "router", "notifier", "scorer")
HOST = b"Host: city.example\r\nConnection: close\r\n"
MEGABYTE = 1024 * 1024
ENDED = 60.0
IDLE_S = 1.0
BEFORE: dict[Path, int] = {}
"""The sizes of the logs when this file began: the stack may have served another file before."""


@pytest.fixture(scope="module")
def found(stack: RunningStack) -> dict[str, Any]:
    described: dict[str, Any] = json.loads((stack.data / "stack.json").read_text())
    BEFORE.update((file, file.stat().st_size) for file in (stack.data / "logs").glob("*.log"))
    return described


def said(url: str, *parts: bytes, pause_s: float = 0.0, hang_up: bool = False) -> bytes:
    """Everything received until the other side closes; `hang_up` closes after sending."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=ENDED) as line:
        with contextlib.suppress(OSError):
            for part in parts:
                line.sendall(part)
                time.sleep(pause_s)
            if hang_up:
                line.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while chunk := line.recv(65_536):
                answer += chunk
                line.settimeout(IDLE_S)
        return answer


def status(answer: bytes) -> int:
    """The status of the first response; 0 for none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def post(path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: city.example",
        "Connection: close",
        "Content-Type: application/json",
        *headers,
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


JUNK: dict[str, bytes] = {
    "nothing": b"",
    "half a line": b"GET /heal",
    "no protocol": b"GET /healthz\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version of its own": b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "raw bytes in the path": b"GET /hall/\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "a NUL in the path": b"GET /hall/\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-Query-Code: a\0b\r\n\r\n",
    "a space in a header's name": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X Query: a\r\n\r\n",
    "a folded header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Accept: a\r\n b\r\n\r\n",
    "a header without end": b"GET /healthz HTTP/1.1\r\nX: " + b"a" * MEGABYTE,
    "very many headers": b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + b"\r\n",
    "a path without end": b"GET /" + b"a" * MEGABYTE + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a length that is none": post("/inquiries", "Content-Length: ten", body=b"{}"),
    "a length below nothing": post("/inquiries", "Content-Length: -1", body=b"{}"),
    "a length of thousands of digits": post("/inquiries", "Content-Length: " + "9" * 5_000, body=b"{}"),
    "two lengths": post("/inquiries", "Content-Length: 2", "Content-Length: 3", body=b"{}"),
    "an unknown encoding": post("/inquiries", "Transfer-Encoding: gzip", body=b"{}"),
    "a chunk that is none": post("/inquiries", "Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk below nothing": post("/inquiries", "Transfer-Encoding: chunked", body=b"-2\r\n{}\r\n0\r\n\r\n"),
}
"""Invalid or incomplete HTTP, rejected by the server itself or not answered."""

ODD: dict[str, tuple[bytes, set[int]]] = {
    "a whole address": (b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n", {200}),
    "options of everything": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", {404, 405}),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a trace": (b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {405}),
    "a method of its own": (b"DROP-TABLE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a socket": (
        b"GET /healthz HTTP/1.1\r\n" + HOST.replace(b"close", b"Upgrade") + b"Upgrade: websocket\r\n\r\n",
        {200},
    ),
    "a way out": (b"GET /static/../../../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
    "an encoded way out": (b"GET /static/%2e%2e/%2e%2e/headers.py HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
    "half characters": (
        b"GET /inquiries/%ff%fe%ed%a0%80?code=%ff&as_of=%00 HTTP/1.1\r\n" + HOST + b"\r\n",
        {404, 405, 422},
    ),
    "headers in another encoding": (
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Accept-Language: \xff\xfe\xc3\r\n\r\n",
        {200},
    ),
    "a token in another encoding": (
        b"GET /departments HTTP/1.1\r\n" + HOST + b"Authorization: Bearer \xff\xe9\r\n\r\n",
        {401, 404},
    ),
    "a question without end": (
        b"GET /scoreboard?" + b"a=b&" * 15_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        {200, 400, 404, 422},
    ),
    "the head with a body": (b"HEAD /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}", {200}),
    "ten gigabytes, announced": (post("/inquiries", "Content-Length: 10737418240", body=b"{"), {413, 401, 404, 405}),
    "both a length and chunks": (
        post("/inquiries", "Content-Length: 3", "Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\n\r\n"),
        {400, 404, 405, 422},
    ),
}
"""Valid but unusual HTTP."""


def safe(answer: bytes) -> bytes:
    assert b"Traceback" not in answer
    assert b'File "' not in answer
    return answer


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("what", JUNK)
def test_invalid_http_is_rejected(found: dict[str, Any], name: str, what: str) -> None:
    answer = safe(said(found["urls"][name], JUNK[what], hang_up=True))
    assert status(answer) in (0, 200, 400, 404, 405), answer[:200]
    assert httpx.get(f"{found['urls'][name]}/healthz", timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("what", ODD)
def test_unusual_but_valid_http_is_answered(found: dict[str, Any], name: str, what: str) -> None:
    request, statuses = ODD[what]
    answer = safe(said(found["urls"][name], request))
    assert status(answer) in statuses, answer[:300]
    if status(answer) != 400:
        assert b"x-content-type-options: nosniff" in answer.lower()


def test_an_endless_body_is_rejected(found: dict[str, Any]) -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    answer = said(found["urls"]["intake"], post("/inquiries", "Transfer-Encoding: chunked"), *[chunk] * 20)
    assert status(safe(answer)) == 413


def test_a_message_that_arrives_byte_by_byte_is_accepted(found: dict[str, Any]) -> None:
    body = json.dumps({"subject": "慢", "body": "写得很慢的一封信。"}).encode()
    parts = [post("/inquiries", f"Content-Length: {len(body)}"), *(body[at : at + 1] for at in range(len(body)))]
    assert status(said(found["urls"]["intake"], *parts, pause_s=0.002)) == 202


def test_a_connection_closed_while_sending_leaves_nothing_behind(found: dict[str, Any], stack: RunningStack) -> None:
    where = urlsplit(found["urls"]["intake"])
    for _ in range(5):
        with socket.create_connection((where.hostname, where.port), timeout=ENDED) as line:
            line.sendall(post("/inquiries", "Content-Length: 1000", body=b'{"subject": "'))
            # A connection reset, as from a phone that loses its signal.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert httpx.get(f"{found['urls']['intake']}/healthz", timeout=PATIENCE_S).status_code == 200
    assert "Traceback" not in logs(stack)


# ── logs ─────────────────────────────────────────────────────────────────────

SECRETS = {
    "subject": "丁香路七号的秘密标题",
    "body": "只有我知道的秘密内容，别人不该看到。",
    "name": "欧阳不见名",
    "phone": "13912345678",
    "email": "nobody.sees@mailbox.example",
    "words": "评价里的秘密话语",
    "wrong code": "WRNG0C0DE123",
    "wrong token": "a-wrong-token-that-nobody-should-see",
    "key": "an-idempotency-key-of-mine",
    "answer": "部门写的秘密答复",
}


def logs(stack: RunningStack) -> str:
    """All log lines of all components since this file began."""
    files = sorted((stack.data / "logs").glob("*.log"))
    assert len(files) >= len(SERVICES)
    return "\n".join(file.read_bytes()[BEFORE.get(file, 0) :].decode(errors="replace") for file in files)


def letter() -> dict[str, Any]:
    contact = {name: SECRETS[name] for name in ("name", "phone", "email")}
    return {"subject": SECRETS["subject"], "body": SECRETS["body"], "contact": contact, "departments": ["police"]}


def asked_wrongly(found: dict[str, Any], inquiry_id: str, code: str) -> None:
    """Send wrong codes, wrong tokens and invalid bodies that contain secrets, all at once: some wait for the store."""
    intake, router = found["urls"]["intake"], found["urls"]["router"]
    inquiry, wrong = f"{intake}/inquiries/{inquiry_id}", {"Authorization": f"Bearer {SECRETS['wrong token']}"}
    right = {"Authorization": f"Bearer {Path(found['operator_token_file']).read_text().strip()}"}
    rating = {"round": 1, "solved": True, "satisfied": "yes", "words": SECRETS["words"]}
    form = {**letter(), "contact": "x", "phone": SECRETS["phone"], "email": "@"}
    command = {"type": "assign", "lead": SECRETS["words"]}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"{inquiry}/link-request", {"params": {"code": code}}),
        ("POST", f"{inquiry}/rating", {"params": {"code": code}, "json": rating}),
        ("POST", f"{intake}/inquiries", {"json": letter() | {"departments": ["no-such"], "area": ["x"]}}),
        ("POST", f"{intake}/", {"data": form}),
        ("GET", f"{router}/cases", {"params": {"after": SECRETS["phone"]}, "headers": wrong}),
        ("POST", f"{router}/cases/{inquiry_id}/commands", {"json": command, "headers": right}),
        ("PUT", f"{router}/departments/parks", {"json": {"email": SECRETS["email"]}, "headers": right}),
    ]
    for given in (SECRETS["wrong code"], code):
        requests += [
            ("GET", inquiry, {"params": {"code": given}}),
            ("POST", f"{intake}/status", {"data": {"inquiry_id": inquiry_id, "code": given}}),
            ("GET", f"{intake}/status", {"params": {"ticket": inquiry_id, "code": given}}),
        ]
    with ThreadPoolExecutor(len(requests)) as threads:
        sent = [threads.submit(httpx.request, *one[:2], timeout=PATIENCE_S, **one[2]) for one in requests]
        for one in sent:
            one.result()


def test_logs_contain_no_personal_data_or_secrets(found: dict[str, Any], stack: RunningStack, running: Backing) -> None:
    """In normal operation, without the store, and without Kafka: error messages must not contain the rejected data."""
    resident = Resident(found["urls"]["intake"])
    receipt = resident.write(letter())
    resident.wait_for(receipt, "assigned")
    taken = stack.chorus("inbox", "police", "contribute", f"{receipt['inquiry_id']}-p1", "--text", SECRETS["answer"])
    assert taken.returncode == 0, taken.stderr
    resident.wait_for(receipt, "answered")
    asked_wrongly(found, receipt["inquiry_id"], receipt["query_code"])
    for part in ("store", "kafka"):
        with away(running, part):
            headers = {"Idempotency-Key": SECRETS["key"] + part}
            httpx.post(f"{found['urls']['intake']}/inquiries", json=letter(), headers=headers, timeout=PATIENCE_S)
            asked_wrongly(found, receipt["inquiry_id"], receipt["query_code"])
    resident.wait_for(resident.write(letter()), "assigned")
    files = [file for file in (stack.data / "secrets").rglob("*") if file.is_file()]
    secrets = SECRETS | {"query code": receipt["query_code"]} | {str(file): file.read_text().strip() for file in files}
    assert found["operator_token_file"] in secrets
    text = logs(stack)
    assert receipt["inquiry_id"] in text
    assert [name for name, value in secrets.items() if value in text] == []
    assert "Traceback" not in text
