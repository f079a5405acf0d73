"""Fake services over HTTP, and the `chorus` command run against them."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.main import main

Answer = tuple[int, Any, dict[str, str]]
Said = Callable[["Asked"], Answer]


@dataclass(frozen=True)
class Asked:
    """A request as received by a fake service."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Lines:
    """A response with one JSON object per line."""

    rows: list[Any]


@dataclass
class Town:
    """Intake and desk in one: answers with `says`, and records all requests."""

    says: Said = lambda _: (200, {}, {})
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def posts(self, path: str = "/inquiries") -> list[Asked]:
        return [one for one in self.asked if (one.method, one.path) == ("POST", path)]


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Town]:
    given = Town()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            one = Asked(self.command, self.path, headers, json.loads(content) if content else None)
            given.asked.append(one)
            status, body, more = given.says(one)
            sent = (
                "\n".join(map(json.dumps, body.rows)).encode() if isinstance(body, Lines) else json.dumps(body).encode()
            )
            self.send_response(status)
            for name, value in {"content-length": str(len(sent)), "content-type": "application/json", **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *words: Any) -> None: ...

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    given.url = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "token").write_text("operator's token\n", "utf-8")
    for name in ("INTAKE", "ROUTER", "NOTIFIER", "SCORER"):
        monkeypatch.setenv(f"CHORUS_{name}_URL", given.url)
    monkeypatch.setenv("CHORUS_OPERATOR_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("CHORUS_DATA", str(tmp_path / "no-stack"))
    monkeypatch.chdir(tmp_path)
    yield given
    server.shutdown()
    server.server_close()


@dataclass
class Outcome:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def chorus(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    def run(*words: str) -> Outcome:
        capsys.readouterr()
        code = main(list(words))
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return run


Chorus = Callable[..., Outcome]


def problem(status: int, *sentences: str) -> Answer:
    errors = [{"pointer": "", "detail": one} for one in sentences]
    return status, {"title": "no", "status": status, "detail": "no", "errors": errors}, {}
