"""A worker thread."""

import threading
from abc import abstractmethod
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Worker:
    """`_work` runs until `_ended` is set."""

    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Finish the current work, then stop."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(30)

    @abstractmethod
    def _work(self) -> None:
        """The work of the thread."""
