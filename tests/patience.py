"""How long tests wait for what must happen: as long as a loaded machine may need, because a success ends the wait."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 120.0
Found = TypeVar("Found")


def until(look: Callable[[], Found | None], complaint: object, every_s: float = 0.1) -> Found:
    """Wait until `look` returns something true, and return it. `complaint` is the error, or a function that makes it."""
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end, complaint() if callable(complaint) else complaint
        time.sleep(every_s)
    return found
