"""Supervises the components of a stack: starts them, shows their output, restarts processes that end, stops them in order."""

import asyncio
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

from deploy.local.component import Component, spawn_arguments
from deploy.local.logfile import LogFile
from deploy.local.restart import POLICY, RestartPolicy
from deploy.local.screen import StackScreen

POLL_S = 0.1
SLOW_POLL_S = 0.5
REMIND_EVERY_S = 15.0
LONGEST_LINE_BYTES = 64 * 1024


class Child:
    """A component and its current process."""

    def __init__(self, component: Component, log: LogFile) -> None:
        self.component = component
        self.log = log
        self.process: Process | None = None
        self.reason = "not started"
        self.spawning = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The id of the running process; None while no process runs."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None


class Supervisor:
    """Use it from the main thread only: processes end with the thread that started them.

    The supervisor calls `on_start` after each start and restart of a process.
    """

    def __init__(
        self, screen: StackScreen, logs: Path, on_start: Callable[[], None], policy: RestartPolicy = POLICY
    ) -> None:
        self._screen = screen
        self._logs = logs
        self._on_start = on_start
        self._policy = policy
        self._children: dict[str, Child] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()

    def pids(self) -> dict[str, int]:
        """The ids of the running processes, by component name."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    async def start(self, components: Iterable[Component]) -> None:
        """Prepare and start the components, and restart their processes until `stop`."""
        components = tuple(components)
        for component in components:
            self._screen.status(component.name, "starting")
        await asyncio.gather(*(asyncio.to_thread(component.prepare) for component in components))
        for component in components:
            child = Child(component, LogFile(self._logs / f"{component.name}.log"))
            self._children[component.name] = child
            self._keepers.append(asyncio.create_task(self._keep(child), name=f"keep {component.name}"))

    async def ready(self) -> None:
        """Wait until all started components are ready at the same time."""
        loop = asyncio.get_running_loop()
        began = reminded = loop.time()
        while waiting := await self._waiting():
            if loop.time() - reminded > REMIND_EVERY_S:
                reminded = loop.time()
                named = ", ".join(f"{name} ({why})" for name, why in waiting.items())
                self._screen.status("chorus", f"has waited {reminded - began:.0f} s for {named}")
            await asyncio.sleep(POLL_S)

    async def stop(self) -> None:
        """Stop all components in ascending order of stage; kill a process that does not end within its `stop_s`."""
        self._stopping.set()
        by_stage = sorted(self._children.values(), key=_stage)
        for _, children in groupby(by_stage, key=_stage):
            await asyncio.gather(*map(self._end, children))
        await asyncio.gather(*self._keepers)

    def hurry(self) -> None:
        """Kill the processes that `stop` still waits for."""
        self._hurry.set()

    async def _waiting(self) -> dict[str, str]:
        """The reasons of components that are not ready; once all have been ready, they are probed again together."""
        if reasons := {name: child.reason for name, child in self._children.items() if child.reason}:
            return reasons
        answers = await asyncio.gather(*(asyncio.to_thread(child.component.ready) for child in self._children.values()))
        return {name: why for name, why in zip(self._children, answers, strict=True) if why}

    async def _keep(self, child: Child) -> None:
        loop, wait_s = asyncio.get_running_loop(), None
        while (process := await self._spawn(child)) is not None:
            started = loop.time()
            watch = asyncio.create_task(self._watch(child))
            code = await self._shown_to_the_end(child, process)
            watch.cancel()
            child.reason = "not running"
            if self._stopping.is_set():
                break
            wait_s = self._policy.wait_s(wait_s, loop.time() - started)
            self._screen.status(child.component.name, f"{_ended(code)}; restarting in {wait_s:g} s")
            await _within(self._stopping, wait_s)
        child.log.close()

    async def _spawn(self, child: Child) -> Process | None:
        async with child.spawning:
            if self._stopping.is_set():
                return None
            command, arguments = spawn_arguments(child.component)
            child.process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT, **arguments)
        child.reason = "starting"
        self._on_start()
        return child.process

    async def _watch(self, child: Child) -> None:
        started = asyncio.get_running_loop().time()
        pause_s = POLL_S
        while reason := await asyncio.to_thread(child.component.ready):
            child.reason = reason
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.2, SLOW_POLL_S)
        child.reason = ""
        self._screen.status(child.component.name, f"ready in {asyncio.get_running_loop().time() - started:.1f} s")

    async def _shown_to_the_end(self, child: Child, process: Process) -> int:
        assert process.stdout is not None
        rest = b""
        while read := await process.stdout.read(LONGEST_LINE_BYTES):
            child.log.write(read)
            *lines, rest = (rest + read).split(b"\n")
            if len(rest) > LONGEST_LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._screen.line(child.component.name, line.decode("utf-8", "replace").rstrip("\r"))
        if rest:
            self._screen.line(child.component.name, rest.decode("utf-8", "replace"))
        return await process.wait()

    async def _end(self, child: Child) -> None:
        async with child.spawning:
            process = child.process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        ending = asyncio.ensure_future(process.wait())
        hurried = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait({ending, hurried}, timeout=child.component.stop_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if process.returncode is None:
            self._screen.status(child.component.name, f"did not stop within {child.component.stop_s:g} s; killing it")
            process.kill()
        await ending
        self._screen.status(child.component.name, "stopped")


def _stage(child: Child) -> int:
    return child.component.stage


def _ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
