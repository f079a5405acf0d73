"""What the supervisor shows: lines with the part's name, written by a thread of its own.

A terminal that stands still, or a pipe that nobody reads, must not hold up the stack: lines that find no room are counted
and left out; the logs have them all.
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
    """Writes lines to a file descriptor; with colours when `coloured`."""

    def __init__(self, descriptor: int, coloured: bool) -> None:
        self._descriptor = descriptor
        self._coloured = coloured
        self._lines: queue.Queue[str | None] = queue.Queue(ROOM)
        self._left_out = 0
        self._writer = threading.Thread(target=self._write_all, name="screen", daemon=True)
        self._writer.start()

    def line(self, part: str, words: str) -> None:
        """One line of a part, with its name in front."""
        self._put(self._rendered(Text.assemble((f"{part:{WIDTH}}", STYLES.get(part, "")), "│ ", visible(words))))

    def status(self, part: str, words: str) -> None:
        """One line about a part, from the supervisor."""
        self._put(
            self._rendered(Text.assemble((f"{part:{WIDTH}}", STYLES.get(part, "")), "● ", (visible(words), "bold")))
        )

    def say(self, words: str) -> None:
        """Lines of the stack's own."""
        self._put("".join(f"{visible(line)}\n" for line in words.split("\n")))

    def close(self) -> None:
        """Write what is waiting, for a second at most."""
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
                line += f"{'chorus':{WIDTH}}● {self._left_out} lines were not shown; the logs have them\n"
                self._left_out = 0
            try:
                _write(self._descriptor, line.encode("utf-8", "replace"))
            except OSError:  # the reader has gone; the stack goes on
                return


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
