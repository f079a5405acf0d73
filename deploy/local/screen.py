"""The supervisor's terminal output: lines prefixed with the component's name, written by a separate thread.

A paused terminal or a full pipe must not block the stack: lines beyond the queue's size are counted and dropped. The log
files have all lines.
"""

import os
import queue
import threading
from io import StringIO

from rich.console import Console
from rich.text import Text

from deploy.terminal import visible

ROOM = 10_000
WIDTH = 9
STYLES = {
    "chorus": "bold",
    "kafka": "magenta",
    "store": "yellow",
    "smtp": "bright_black",
    "intake": "cyan",
    "router": "green",
    "notifier": "blue",
    "scorer": "bright_red",
}


class StackScreen:
    """Writes lines to a file descriptor."""

    def __init__(self, descriptor: int, coloured: bool) -> None:
        self._descriptor = descriptor
        self._coloured = coloured
        self._lines: queue.Queue[str | None] = queue.Queue(ROOM)
        self._left_out = 0
        self._writer = threading.Thread(target=self._write_all, name="screen", daemon=True)
        self._writer.start()

    def line(self, component: str, text: str) -> None:
        """Show a line of a component's output."""
        self._put(
            self._rendered(Text.assemble((f"{component:{WIDTH}}", STYLES.get(component, "")), "│ ", visible(text)))
        )

    def status(self, component: str, text: str) -> None:
        """Show a message of the supervisor about a component."""
        name = (f"{component:{WIDTH}}", STYLES.get(component, ""))
        self._put(self._rendered(Text.assemble(name, "● ", (visible(text), "bold"))))

    def say(self, text: str) -> None:
        """Show text without a prefix."""
        self._put("".join(f"{visible(line)}\n" for line in text.split("\n")))

    def close(self) -> None:
        """Write the queued lines, for 1.5 s at most."""
        try:
            self._lines.put(None, timeout=0.5)
        except queue.Full:
            return
        self._writer.join(1.0)

    def _rendered(self, text: Text) -> str:
        if not self._coloured:
            return text.plain + "\n"
        page = StringIO()
        Console(file=page, force_terminal=True, color_system="standard", soft_wrap=True, highlight=False).print(text)
        return page.getvalue()

    def _put(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._left_out and self._lines.empty():
                line += f"{'chorus':{WIDTH}}● {self._left_out} lines were not shown; see the log files\n"
                self._left_out = 0
            try:
                _write(self._descriptor, line.encode("utf-8", "replace"))
            except OSError:  # the terminal or pipe is closed; the stack keeps running
                return


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
