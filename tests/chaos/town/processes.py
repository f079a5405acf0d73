"""Processes by their ids, as the operating system sees them."""

import os
import signal


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; to one that has just ended it says nothing."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def alive(pid: int | None) -> bool:
    """Whether it runs; a zombie that its supervisor has not fetched yet does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def environment(pid: int) -> dict[str, str]:
    """What it was started with."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        pairs = (one.partition(b"=") for one in file.read().split(b"\0") if one)
        return {name.decode(): value.decode() for name, _, value in pairs}
