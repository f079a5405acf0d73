"""Orphaned processes of a killed supervisor: recorded while they run, stopped before the next start."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.security.files import replace_file

STOP_S = 10.0
# Linux computes a process's start time from the boot time, which clock corrections can shift.
SAME_START_S = 2.0


def record(file: Path, pids: Mapping[str, int]) -> None:
    """Write process ids and start times: the system may reuse an id, but not with the same start time."""
    started = {name: {"pid": pid, "started": _started(pid)} for name, pid in pids.items()}
    replace_file(file, json.dumps(started, indent=1) + "\n")


def stop_orphans(file: Path) -> list[str]:
    """Stop every recorded process that still runs, with SIGTERM, then SIGKILL; returns the names of the components."""
    found = {name: process for name, process in _recorded(file).items() if is_running(process)}
    for end in (psutil.Process.terminate, psutil.Process.kill):
        alive = [process for process in found.values() if is_running(process)]
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _wait(alive)
    file.unlink(missing_ok=True)
    return sorted(found)


def is_running(process: psutil.Process) -> bool:
    """Whether the process runs; a zombie does not, and in a container without an init process it keeps its id."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _wait(processes: list[psutil.Process]) -> None:
    until = time.monotonic() + STOP_S
    while any(map(is_running, processes)) and time.monotonic() < until:
        time.sleep(0.05)


def _recorded(file: Path) -> dict[str, psutil.Process]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    processes = {}
    for name, entry in content.items():
        started = _started(entry["pid"])
        if started is not None and entry["started"] is not None and abs(started - entry["started"]) < SAME_START_S:
            processes[name] = psutil.Process(entry["pid"])
    return processes


def _started(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
