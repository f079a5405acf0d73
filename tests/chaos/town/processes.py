"""Processes by their ids."""

import os
import signal


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; ignores a process that has just ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def alive(pid: int | None) -> bool:
    """Whether the process runs and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def environment(pid: int) -> dict[str, str]:
    """The environment variables it was started with."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        pairs = (one.partition(b"=") for one in file.read().split(b"\0") if one)
        return {name.decode(): value.decode() for name, _, value in pairs}
