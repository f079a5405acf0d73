"""`chorus status`: one line a part, and whether all of them work."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import typer

from deploy.cli.console import AWAY, DONE, FAILED, emit, say, stack
from deploy.local import probe
from deploy.local.stack_file import StackFile

NO_ANSWER = "no "


@dataclass(frozen=True)
class PartStatus:
    """One part: `reason` says why it is not ready, "" when it is."""

    part: str
    address: str
    pid: int | None
    reason: str

    def __str__(self) -> str:
        process = f"  pid {self.pid}" if self.pid else ""
        return f"{self.part:9} {'not ready' if self.reason else 'ready':9}  {self.reason or self.address}{process}"


def status() -> None:
    """One line a part; exit code 0 only if all are ready, 3 if one does not answer, else 1."""
    lines = look(stack())
    for line in lines:
        say(str(line))
    emit({"ready": not any(line.reason for line in lines), "parts": [_document(line) for line in lines]})
    raise typer.Exit(_exit_code(lines))


def look(running: StackFile) -> list[PartStatus]:
    """Ask all parts at the same time."""
    questions = _questions(running)
    with ThreadPoolExecutor(len(questions)) as pool:
        reasons = pool.map(lambda question: question[2](), questions)
        pids = running.pids.model_dump() | {"store": running.pids.mongodb}
        return [
            PartStatus(part, address, pids[part], why)
            for (part, address, _), why in zip(questions, reasons, strict=True)
        ]


def _questions(running: StackFile) -> list[tuple[str, str, Callable[[], str]]]:
    return [
        ("kafka", running.kafka, partial(probe.kafka, running.kafka)),
        ("store", _without_password(running.mongodb), partial(probe.store, running.mongodb)),
        ("smtp", running.smtp, partial(probe.smtp, running.smtp)),
        *((name, url, partial(probe.service, url)) for name, url in running.urls.model_dump().items()),
    ]


def _without_password(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _document(line: PartStatus) -> dict[str, object]:
    return {
        "part": line.part,
        "ready": not line.reason,
        "reasons": [line.reason] if line.reason else [],
        "address": line.address,
        "pid": line.pid,
    }


def _exit_code(lines: list[PartStatus]) -> int:
    if not any(line.reason for line in lines):
        return DONE
    return AWAY if any(line.reason.startswith(NO_ANSWER) for line in lines) else FAILED
