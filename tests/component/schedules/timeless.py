"""A deterministic event loop with simulated time."""

import asyncio
import selectors
from typing import Any

from shared.runtime.tasks import cancel_and_wait

QUIET_S = 600.0


class Timeless(asyncio.SelectorEventLoop):
    """An event loop whose clock advances only when no callback is ready."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        super().__init__(_Never(self))

    def time(self) -> float:
        """Seconds since the schedule began."""
        return self._passed_s

    def settle(self) -> None:
        """Run until all tasks wait for the schedule."""
        self.run_until_complete(asyncio.sleep(QUIET_S))

    def end(self) -> None:
        """Cancel all waiting tasks."""
        self.run_until_complete(cancel_and_wait([one for one in asyncio.all_tasks(self) if not one.done()]))
        self.close()


class _Never(selectors.SelectSelector):
    def __init__(self, loop: Timeless) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> Any:
        self.loop._passed_s += timeout or 0.0
        return super().select(0)
