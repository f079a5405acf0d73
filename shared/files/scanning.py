"""The virus scanner that a city may set: a command that reads the file on standard input, or an address that gets it.

command     exit status 0: passed, 1: infected, any other: no verdict (as `clamdscan --no-summary -` does)
address     answer 2xx: passed, 403, 406 or 422: infected, any other: no verdict
"""

import asyncio
import contextlib
import os
import shlex
from asyncio.subprocess import DEVNULL, PIPE
from typing import Literal, Protocol

import httpx

from shared.runtime.logging import log

SCANNING_S = 15.0
"""Less than the time for which proxies wait. Without a verdict, the file is scanned again later."""
INFECTED = (403, 406, 422)
Verdict = Literal["passed", "infected", "none"]


class Scanner(Protocol):
    """Scans a content. Without a verdict, the file waits and is not served."""

    async def scan(self, content: bytes) -> Verdict: ...


class NoScanner:
    """Passes every file, when the city has set no scanner."""

    async def scan(self, content: bytes) -> Verdict:
        return "passed"


class CommandScanner:
    """Runs a command for each file, without a shell and without the settings of the service."""

    def __init__(self, command: str, scanning_s: float = SCANNING_S) -> None:
        self._words = shlex.split(command)
        self._scanning_s = scanning_s

    async def scan(self, content: bytes) -> Verdict:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("CHORUS_", "AWS_"))}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, env=environment
            )
        except OSError as error:
            log.warning("the virus scanner cannot be started", error=type(error).__name__)
            return "none"
        try:
            async with asyncio.timeout(self._scanning_s):
                await process.communicate(content)
        except TimeoutError:
            log.warning("the virus scanner took too long", seconds=self._scanning_s)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return "passed" if process.returncode == 0 else "infected" if process.returncode == 1 else "none"


class AddressScanner:
    """Sends each file to an address."""

    def __init__(self, url: str, scanning_s: float = SCANNING_S) -> None:
        self._url = url
        self._scanning_s = scanning_s

    async def scan(self, content: bytes) -> Verdict:
        try:
            async with httpx.AsyncClient(timeout=self._scanning_s) as client:
                answer = await client.post(
                    self._url, content=content, headers={"Content-Type": "application/octet-stream"}
                )
        except httpx.HTTPError as error:
            log.warning("the virus scanner does not answer", error=type(error).__name__)
            return "none"
        if answer.is_success:
            return "passed"
        return "infected" if answer.status_code in INFECTED else "none"


def scanner_of(setting: str | None) -> Scanner:
    """The scanner of the setting CHORUS_FILES_SCAN."""
    if not setting:
        return NoScanner()
    if setting.startswith(("http://", "https://")):
        return AddressScanner(setting)
    return CommandScanner(setting)
