"""Sends messages to intake: many at the same time, each until it has an answer, none twice."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from deploy.cli.console import problem
from deploy.cli.importing.connection_pool import ConnectionPool
from deploy.cli.importing.mapping import ImportedMessage, Unusable
from deploy.cli.importing.rows import Row
from deploy.failure import FAILED, REFUSED, UNAVAILABLE, Failure

IN_FLIGHT = 32
PATIENCE_S = 30.0
LATER = (408, 409, 425, 429)
NOT_TAKEN = (400, 413, 415, 422)
Told = Callable[[Row, str, Any], None]


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
        headers = {"Idempotency-Key": message.key} if message.key else {}
        tries = AsyncRetrying(
            retry=retry_if_exception_type((NotNow, httpx.TransportError)),
            wait=wait_random_exponential(multiplier=0.1, max=3.0),
            stop=stop_after_delay(PATIENCE_S),
            reraise=True,
        )
        try:
            answer: httpx.Response = await tries(self._post, message.body, headers)
        except (NotNow, httpx.TransportError) as error:
            words = str(error) or type(error).__name__
            raise Failure(
                UNAVAILABLE, f"Intake at '{self.client.base_url}' does not take messages ({words})"
            ) from error
        return answer.headers.get("Idempotent-Replayed") == "true", _receipt(answer)

    async def _post(self, body: Any, headers: dict[str, str]) -> httpx.Response:
        answer = await self.client.post("/inquiries", json=body, headers=headers)
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
    rows: Iterable[Row], understood: Callable[[Row], ImportedMessage], sender: Sender, tally: Tally, told: Told
) -> None:
    """Send every row, counting into `tally`; `told(row, outcome, answer)` hears of each as it is known.

    The outcome is accepted, existing or rejected; the answer is intake's, or the sentence that says why not. Rows are
    read as fast as they are sent, so that a large file never lies in memory. At the first Failure no more rows are
    sent, but those under way are waited for: what was taken must be counted.
    """
    queue: asyncio.Queue[Row | None] = asyncio.Queue(maxsize=2 * IN_FLIGHT)
    failures: list[Failure] = []

    async def work() -> None:
        while (row := await queue.get()) is not None:
            if failures:
                continue
            try:
                outcome, answer = await settle(row, understood, sender)
                setattr(tally, outcome, getattr(tally, outcome) + 1)
                told(row, outcome, answer)
            except Failure as failure:
                failures.append(failure)

    async def read() -> None:
        try:
            for row in rows:
                if failures:
                    break
                tally.read += 1
                await queue.put(row)
        except Failure as failure:
            failures.append(failure)
        for _ in range(IN_FLIGHT):
            await queue.put(None)

    await asyncio.gather(read(), *(work() for _ in range(IN_FLIGHT)))
    if failures:
        raise failures[0]


async def settle(row: Row, understood: Callable[[Row], ImportedMessage], sender: Sender) -> tuple[str, Any]:
    """What becomes of one row."""
    try:
        existed, answer = await sender.send(understood(row))
    except Unusable as wrong:
        return "rejected", str(wrong)
    return ("existing" if existed else "accepted"), answer
