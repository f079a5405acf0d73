"""`chorus status`: the readiness of every component, and what waits in the system."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import typer

from deploy.cli.console import DONE, FAILED, UNAVAILABLE, emit, say, stack
from deploy.cli.operations import workload
from deploy.local import probe
from deploy.local.stack_file import StackFile

NO_ANSWER = "no "


@dataclass(frozen=True)
class ComponentStatus:
    """One component; `reason` says why it is not ready, "" when it is."""

    name: str
    address: str
    pid: int | None
    reason: str

    def __str__(self) -> str:
        process = f"  pid {self.pid}" if self.pid else ""
        return f"{self.name:9} {'not ready' if self.reason else 'ready':9}  {self.reason or self.address}{process}"


def status() -> None:
    """Show one line for each component, with what waits there: triage, dead letters, consumer lag, mail.

    Exit code 0: all components are ready, 3: one does not answer, 1: one is not ready.
    """
    running = stack()
    lines = look(running)
    waiting = workload.look(running, {line.name for line in lines if not line.reason.startswith(NO_ANSWER)})
    for line in lines:
        say("; ".join(one for one in (str(line), workload.words_of(line.name, waiting)) if one))
    parts = [_document(line) for line in lines]
    emit({"ready": not any(line.reason for line in lines), "parts": parts, **workload.document(waiting)})
    raise typer.Exit(_exit_code(lines))


def look(running: StackFile) -> list[ComponentStatus]:
    """Probe all components at the same time."""
    probes = _probes(running)
    with ThreadPoolExecutor(len(probes)) as pool:
        reasons = pool.map(lambda one: one[2](), probes)
        pids = running.pids.model_dump() | {"store": running.pids.mongodb}
        return [
            ComponentStatus(name, address, pids[name], reason)
            for (name, address, _), reason in zip(probes, reasons, strict=True)
        ]


def _probes(running: StackFile) -> list[tuple[str, str, Callable[[], str]]]:
    return [
        ("kafka", running.kafka, partial(probe.kafka, running.kafka)),
        ("store", _without_password(running.mongodb), partial(probe.store, running.mongodb)),
        ("smtp", running.smtp, partial(probe.smtp, running.smtp)),
        *((name, url, partial(probe.service, url)) for name, url in running.urls.model_dump().items()),
    ]


def _without_password(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _document(line: ComponentStatus) -> dict[str, object]:
    return {
        "part": line.name,
        "ready": not line.reason,
        "reasons": [line.reason] if line.reason else [],
        "address": line.address,
        "pid": line.pid,
    }


def _exit_code(lines: list[ComponentStatus]) -> int:
    if not any(line.reason for line in lines):
        return DONE
    return UNAVAILABLE if any(line.reason.startswith(NO_ANSWER) for line in lines) else FAILED
