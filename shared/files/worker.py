"""Runs the process that cleans a file, with a limit of time, and few at once."""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from typing import BinaryIO, Protocol

from shared.files.cleaned import Cleaned
from shared.files.refusals import CODES, FileRefused
from shared.runtime.logging import log

COMMAND = (sys.executable, "-m", "shared.files")
CLEANING_S = 30.0
AT_ONCE = 1
"""A process of a service cleans one file at a time: the largest picture takes half a gigabyte."""
WAITING_MOST = 16


class CleaningUnavailable(Exception):
    """The file cannot be cleaned now, because too many files wait."""


class Cleaner(Protocol):
    """Cleans files. Raises FileRefused and CleaningUnavailable."""

    async def clean(self, file: BinaryIO) -> Cleaned: ...


class CleaningProcesses:
    """One process for each file, and few at a time."""

    def __init__(self, cleaning_s: float = CLEANING_S) -> None:
        self._cleaning_s = cleaning_s
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def clean(self, file: BinaryIO) -> Cleaned:
        """The cleaned file. A process that dies, or takes too long, counts as a refusal: the file is to blame."""
        if self._waiting >= WAITING_MOST:
            raise CleaningUnavailable(f"{self._waiting} files wait to be checked already.")
        self._waiting += 1
        try:
            async with self._turns:
                return await self._cleaned(file)
        finally:
            self._waiting -= 1

    async def _cleaned(self, file: BinaryIO) -> Cleaned:
        # The process gets no settings, because they name the files of secrets.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("CHORUS_", "AWS_"))}
        file.seek(0)
        with tempfile.TemporaryFile() as output:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, stdin=file, stdout=output, stderr=DEVNULL, env=environment
            )
            await self._ended(process)
            output.seek(0)
            return answer(output, process.returncode)

    async def _ended(self, process: Process) -> None:
        """Wait for the end of the process. Raises FileRefused when it takes too long. Leaves no process behind."""
        try:
            async with asyncio.timeout(self._cleaning_s):
                await process.wait()
        except TimeoutError as error:
            raise FileRefused("too-long") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def answer(output: BinaryIO, status: int | None) -> Cleaned:
    """The file that the process has written. Raises FileRefused."""
    line = output.readline()
    if status != 0 or not line.endswith(b"\n"):
        log.warning("a process that cleans files died", status=status)
        raise FileRefused("too-long" if status in (-9, -24, -25) else "broken")
    head = json.loads(line)
    if (code := head.get("refused")) in CODES:
        raise FileRefused(code)
    content = output.read(head["content"])
    return Cleaned(head["type"], content, output.read(head["thumbnail"]) or None)
