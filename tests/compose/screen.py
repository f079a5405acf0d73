"""Progress output of a run, with the seconds since its start."""

import time

STARTED = time.monotonic()


def say(words: str) -> None:
    """Print one line of progress."""
    print(f"compose-test {seconds():4.0f} s  {words}", flush=True)


def seconds() -> float:
    """Seconds since the start."""
    return time.monotonic() - STARTED
