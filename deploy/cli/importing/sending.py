"""Sends messages to intake: many at the same time, each until it has an answer, none twice."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from deploy.cli.console import problem
from deploy.cli.importing.connection_pool import ConnectionPool
from deploy.cli.importing.mapping import ImportedMessage, Unusable
from deploy.cli.importing.row import Row
from deploy.failure import FAILED, REFUSED, UNAVAILABLE, Failure

IN_FLIGHT = 32
PATIENCE_S = 30.0
LATER = (408, 409, 425, 429)
NOT_TAKEN = (400, 413, 415, 422)
# So many rows are read ahead of the one whose answer is waited for, and no more of their bytes.
WAITING_ROWS = 4 * IN_FLIGHT
WAITING_BYTES = 1 << 20
Outcome = Literal["accepted", "existing", "rejected"]


@dataclass
class Tally:
    """What became of the rows so far."""

    read: int = 0
    accepted: int = 0
    existing: int = 0
    rejected: int = 0

    def document(self) -> dict[str, int]:
        """As `--json` shows it."""
        return asdict(self)


@dataclass(frozen=True)
class Settled:
    """What became of a row: what intake answered, or why it was rejected."""

    row: Row
    outcome: Outcome
    answer: Mapping[str, Any] = field(default_factory=dict)
    external_id: str = ""
    why: str = ""


Told = Callable[[Settled], None]


class Sending(Protocol):
    """Whatever answers a message as intake does."""

    async def send(self, message: ImportedMessage) -> tuple[bool, dict[str, Any]]:
        """The answer to a message, and whether it was there before. Raises Unusable, or Failure."""
        ...


class NotNow(Exception):
    """Intake cannot take it at the moment: worth another try."""


@dataclass(frozen=True)
class Sender:
    """One client of intake, with the operator's token."""

    client: httpx.AsyncClient

    async def send(self, message: ImportedMessage) -> tuple[bool, dict[str, Any]]:
        """The answer to a message, and whether it was there before. Raises Unusable when intake says it is wrong.

        Raises Failure 3 when intake stays away for PATIENCE_S.
        """
        headers = {"Content-Type": "application/json"}
        if message.key:
            headers["Idempotency-Key"] = message.key
        tries = AsyncRetrying(
            retry=retry_if_exception_type((NotNow, httpx.TransportError)),
            wait=wait_random_exponential(multiplier=0.1, max=3.0),
            stop=stop_after_delay(PATIENCE_S),
            reraise=True,
        )
        try:
            answer: httpx.Response = await tries(self._post, message.content, headers)
        except (NotNow, httpx.TransportError) as error:
            words = str(error) or type(error).__name__
            raise Failure(
                UNAVAILABLE, f"Intake at '{self.client.base_url}' does not take messages ({words})"
            ) from error
        return answer.headers.get("Idempotent-Replayed") == "true", _receipt(answer)

    async def _post(self, content: bytes, headers: dict[str, str]) -> httpx.Response:
        answer = await self.client.post("/inquiries", content=content, headers=headers)
        if answer.status_code in LATER or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise NotNow(f"{answer.status_code}: {problem(answer)}")
        if answer.status_code in NOT_TAKEN:
            raise Unusable(problem(answer))
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise Failure(REFUSED, f"Intake does not know this operator's token ({problem(answer)})")
        if not answer.is_success:
            raise Failure(FAILED, f"Intake answered {answer.status_code} ({problem(answer)}); is that intake?")
        return answer


def _receipt(answer: httpx.Response) -> dict[str, Any]:
    try:
        receipt: dict[str, Any] = answer.json()
    except ValueError as error:
        raise Failure(FAILED, f"{str(answer.url)!r} answered without a ticket; is that intake?") from error
    return receipt


def client(intake: str, token: str) -> httpx.AsyncClient:
    """A client with as many connections as messages are in flight."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=intake, headers=headers, transport=ConnectionPool(IN_FLIGHT), timeout=30.0)


async def send_all(
    rows: Iterable[Row], understood: Callable[[Row], ImportedMessage], sender: Sending, tally: Tally, told: Told
) -> None:
    """Send every row, counting into `tally`; `told(settled)` hears of each in the order of the file.

    Rows are read as fast as they are sent, so that a large file is never in memory. At the first Failure no more rows
    are sent, but those under way are waited for: what was taken must be counted.
    """
    line = _Line(sender, tally, told)
    try:
        for row in rows:
            tally.read += 1
            await line.append(row, understood)
            if line.failures:
                break
    except Failure as failure:
        line.failures.append(failure)
    await line.until(0)
    if line.failures:
        raise line.failures[0]


class _Line:
    """The rows under way, oldest first; never more of them, nor more bytes, than fit into memory."""

    def __init__(self, sender: Sending, tally: Tally, told: Told) -> None:
        self.failures: list[Failure] = []
        self._sender = sender
        self._tally = tally
        self._told = told
        self._lanes = asyncio.Semaphore(IN_FLIGHT)
        self._rows: deque[tuple[Row, asyncio.Task[Settled | None]]] = deque()
        self._bytes = 0

    async def append(self, row: Row, understood: Callable[[Row], ImportedMessage]) -> None:
        try:
            message: ImportedMessage | Unusable = understood(row)
        except Unusable as wrong:
            message = wrong
        self._rows.append((row, asyncio.create_task(self._settled(row, message))))
        self._bytes += row.size
        await self.until(WAITING_ROWS, WAITING_BYTES)

    async def until(self, rows: int, size: int = 0) -> None:
        """Wait until no more than so many rows, and bytes, are under way."""
        while len(self._rows) > rows or (self._rows and self._bytes > size):
            row, task = self._rows.popleft()
            settled = await task
            self._bytes -= row.size
            if settled is not None:
                setattr(self._tally, settled.outcome, getattr(self._tally, settled.outcome) + 1)
                try:
                    self._told(settled)
                except Failure as failure:
                    self.failures.append(failure)

    async def _settled(self, row: Row, message: ImportedMessage | Unusable) -> Settled | None:
        """What becomes of one row; None where it was not sent because an earlier one failed."""
        if isinstance(message, Unusable):
            return Settled(row, "rejected", why=str(message))
        async with self._lanes:
            if self.failures:
                return None
            try:
                existed, answer = await self._sender.send(message)
            except Unusable as wrong:
                return Settled(row, "rejected", why=str(wrong))
            except Failure as failure:
                self.failures.append(failure)
                return None
        outcome: Outcome = "existing" if existed else "accepted"
        return Settled(row, outcome, answer, message.external_id)
