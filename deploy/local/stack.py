"""Runs a local stack: starts its components in order, writes `stack.json`, restarts processes, stops them in order."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deploy.local.orphans import record
from deploy.local.plan import Plan
from deploy.local.restart import POLICY, RestartPolicy
from deploy.local.screen import StackScreen
from deploy.local.stack_file import StackFile
from deploy.local.supervisor import Supervisor
from deploy.security.files import replace_file

# `make` may deliver Ctrl-C twice at once; only a later one kills the processes that are still stopping.
IMPATIENT_AFTER_S = 1.0


@dataclass(frozen=True)
class Steps:
    """Callbacks: `provision` runs before the services start, `apply_city` after, `ready` when all components are ready."""

    provision: Callable[[], Awaitable[None]]
    apply_city: Callable[[], Awaitable[None]]
    ready: Callable[[StackFile, float], None]


async def run(plan: Plan, steps: Steps, screen: StackScreen, policy: RestartPolicy = POLICY) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP, then stop all processes; raises Failure when the stack cannot start."""
    stack = _Stack(plan, steps, screen, policy)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # started with nohup: keep running when the terminal closes
        loop.add_signal_handler(number, stack.asked_to_stop, number, stop)
    bringing = asyncio.create_task(stack.bring_up())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({bringing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if bringing.done():
            bringing.result()
            await stopped
    finally:
        bringing.cancel()
        stopped.cancel()
        await stack.bring_down()


class _Stack:
    def __init__(self, plan: Plan, steps: Steps, screen: StackScreen, policy: RestartPolicy) -> None:
        self._plan = plan
        self._steps = steps
        self._screen = screen
        self._supervisor = Supervisor(screen, plan.folder.logs, self._started, policy)
        self._is_ready = False
        self._asked_at: float | None = None

    async def bring_up(self) -> None:
        began = time.monotonic()
        await self._supervisor.start(self._plan.backing)
        await self._supervisor.ready()
        await self._steps.provision()
        await self._supervisor.start(self._plan.services)
        await self._steps.apply_city()
        await self._supervisor.ready()
        self._is_ready = True
        self._started()
        self._steps.ready(self._file(), time.monotonic() - began)

    async def bring_down(self) -> None:
        self._screen.status("chorus", "stopping; the data is kept")
        await self._supervisor.stop()
        self._plan.folder.stack.unlink(missing_ok=True)
        self._plan.folder.processes.unlink(missing_ok=True)

    def asked_to_stop(self, number: signal.Signals, stop: asyncio.Event) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            stop.set()
        elif number == signal.SIGINT and now - self._asked_at > IMPATIENT_AFTER_S:
            self._supervisor.hurry()

    def _file(self) -> StackFile:
        return self._plan.stack_file(self._supervisor.pids())

    def _started(self) -> None:
        record(self._plan.folder.processes, self._supervisor.pids())
        if self._is_ready:
            replace_file(self._plan.folder.stack, self._file().model_dump_json(indent=1) + "\n")
