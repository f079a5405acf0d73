"""What the run says while it goes on: a line for each step, with the seconds since its start."""

import time

STARTED = time.monotonic()


def say(words: str) -> None:
    """One line of progress."""
    print(f"compose-test {seconds():4.0f} s  {words}", flush=True)


def seconds() -> float:
    """Since the start."""
    return time.monotonic() - STARTED
