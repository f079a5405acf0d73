"""The demo's progress display: bars and the latest events on a terminal, otherwise one line for each event."""

import sys
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from deploy.cli.console import options, say
from deploy.cli.demo.account import DemoCase
from deploy.terminal import visible

LAST = 12
SUBJECT_SHOWN = 36


class DemoScreen:
    """Progress bars and the last events; plain lines when the output is not a terminal."""

    def __init__(self, cases: Mapping[str, DemoCase]) -> None:
        stream = sys.stderr if options.as_json else sys.stdout
        self._console = Console(file=stream, highlight=False)
        self._cases = cases
        self._last: deque[str] = deque(maxlen=LAST)
        self._bars = Progress(TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn())
        rated = sum(case.message.rating is not None for case in cases.values())
        self._rows: list[tuple[Callable[[DemoCase], bool], TaskID]] = []
        for words, counted, total in (
            ("sent", lambda case: case.inquiry_id is not None, len(cases)),
            ("answered", lambda case: case.answered, len(cases)),
            ("rated", lambda case: case.rated, rated),
        ):
            self._rows.append((counted, self._bars.add_task(words, total=total)))
        self._live = Live(get_renderable=self._picture, console=self._console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def tell(self, who: str, case: DemoCase, what: str) -> None:
        """Show an event."""
        subject = case.message.subject
        shown = subject if len(subject) <= SUBJECT_SHOWN else subject[: SUBJECT_SHOWN - 1] + "…"
        line = visible(f"{who:18} {what:22} {case.inquiry_id or '':17}  {shown}")
        if self._console.is_terminal:
            self._last.append(line)
        else:
            say(line)

    def _picture(self) -> Group:
        for counted, task in self._rows:
            self._bars.update(task, completed=sum(map(counted, self._cases.values())))
        return Group(self._bars, *(Text(line, no_wrap=True, overflow="ellipsis") for line in self._last))
