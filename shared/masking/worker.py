"""Masks in a separate process. It holds the lexical model, masks one case after another, and can be killed at any time.

So mails and messages never wait for masking. The worker starts the process for the first case, starts it again after it
has died, and ends it after some idle time.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import asdict
from typing import Protocol

from shared.masking.case import CaseTexts, Masked
from shared.masking.frames import HEAD, framed
from shared.runtime.logging import log

ANSWER_S = 60.0
IDLE_S = 600.0
LOOK_EVERY_S = 15.0
WAITING_MOST = 32
TRIES = 2
COMMAND = (sys.executable, "-m", "shared.masking")


class MaskingUnavailable(Exception):
    """The case could not be masked now: the process died or was too slow, or too many cases wait."""


class Masker(Protocol):
    """Masks the texts of a case. Raises `MaskingUnavailable`."""

    async def mask(self, case: CaseTexts) -> Masked: ...


class MaskingWorker:
    """Starts the masking process when it is needed."""

    def __init__(self, idle_s: float = IDLE_S, answer_s: float = ANSWER_S) -> None:
        self._idle_s = idle_s
        self._answer_s = answer_s
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._used_at = 0.0

    @property
    def pid(self) -> int | None:
        """The id of the process while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def mask(self, case: CaseTexts) -> Masked:
        """Masks the case; if the process dies, a new process tries once more."""
        if self._waiting >= WAITING_MOST:
            raise MaskingUnavailable(f"{self._waiting} cases wait to be masked already.")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._masked(framed(asdict(case)))
        finally:
            self._waiting -= 1

    async def tend(self) -> None:
        """Runs until cancelled: ends the process after some idle time, and when it is cancelled."""
        try:
            while True:
                await asyncio.sleep(min(LOOK_EVERY_S, self._idle_s))
                if self._process and time.monotonic() - self._used_at > self._idle_s and not self._turn.locked():
                    await self._end()
        finally:
            await self._end()

    async def _masked(self, request: bytes) -> Masked:
        for attempt in range(1, TRIES + 1):
            try:
                async with asyncio.timeout(self._answer_s):
                    answer = await self._ask(request)
            except (OSError, EOFError, TimeoutError) as error:
                log.warning("the process that masks is gone", error=type(error).__name__, attempt=attempt)
                await self._end()
            except BaseException:
                # The caller was cancelled. Its answer would otherwise be read as that of the next case.
                await self._end()
                raise
            else:
                self._used_at = time.monotonic()
                return Masked(**{name: tuple(texts) for name, texts in json.loads(answer).items()})
        raise MaskingUnavailable(
            f"The process that masks died, or gave no answer in {self._answer_s:.0f} s, {TRIES} times."
        )

    async def _ask(self, request: bytes) -> bytes:
        process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request)
        await process.stdin.drain()
        return await process.stdout.readexactly(*HEAD.unpack(await process.stdout.readexactly(HEAD.size)))

    async def _start(self) -> Process:
        # The process gets no settings, because they name the files of secrets.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
        self._process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE, env=environment)
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
