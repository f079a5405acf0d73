"""Processes that a killed supervisor left behind: found by what it wrote down, and stopped before the next start."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.security.files import replace_file

STOP_S = 10.0
# The system counts a process's start in ticks since boot, and boot time itself may be corrected.
SAME_START_S = 2.0


def remember(file: Path, pids: Mapping[str, int]) -> None:
    """Write down which processes run, with the time they started: an id alone may be somebody else's later."""
    started = {name: {"pid": pid, "started": _started(pid)} for name, pid in pids.items()}
    replace_file(file, json.dumps(started, indent=1) + "\n")


def stop_leftovers(file: Path) -> list[str]:
    """Stop every remembered process that still runs, SIGKILL for those that do not end; returns the parts' names."""
    found = {name: process for name, process in _remembered(file).items() if living(process)}
    for end in (psutil.Process.terminate, psutil.Process.kill):
        alive = [process for process in found.values() if living(process)]
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _wait(alive)
    file.unlink(missing_ok=True)
    return sorted(found)


def living(process: psutil.Process) -> bool:
    """Whether it can still do anything; where nobody collects orphans a dead one keeps its number for ever."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _wait(processes: list[psutil.Process]) -> None:
    until = time.monotonic() + STOP_S
    while any(map(living, processes)) and time.monotonic() < until:
        time.sleep(0.05)


def _remembered(file: Path) -> dict[str, psutil.Process]:
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
