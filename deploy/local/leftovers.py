"""Processes that a killed supervisor left behind: found by what it wrote down, and stopped before the next start."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from deploy.local.stackfile import replace

STOP_S = 10.0
# The system counts a process's start in ticks since boot, and boot time itself may be corrected.
SAME_START_S = 2.0


def remember(file: Path, pids: Mapping[str, int]) -> None:
    """Write down which processes run, with the time they started: an id alone may be somebody else's later."""
    started = {name: {"pid": pid, "started": _started(pid)} for name, pid in pids.items()}
    replace(file, json.dumps(started, indent=1) + "\n")


def stop_leftovers(file: Path) -> list[str]:
    """Stop every remembered process that still runs, SIGKILL for those that do not end; returns the parts' names."""
    found = {name: process for name, process in _remembered(file).items() if process.is_running()}
    for process in found.values():
        _quietly(process.terminate)
    _, alive = psutil.wait_procs(list(found.values()), timeout=STOP_S)
    for process in alive:
        _quietly(process.kill)
    psutil.wait_procs(alive, timeout=STOP_S)
    file.unlink(missing_ok=True)
    return sorted(found)


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


def _quietly(end: Callable[[], None]) -> None:
    try:
        end()
    except psutil.NoSuchProcess:
        return
