"""The course of the morning: letters go out, departments work, the desk assigns what came back, residents rate."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka.errors import KafkaError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from deploy.cli import kafka_login
from deploy.cli.demo.account import DemoCase, missing, unmailed
from deploy.cli.demo.departments import Offices
from deploy.cli.demo.mails import Mails
from deploy.cli.demo.residents import Residents
from deploy.cli.importing.sending import Tally

PLAY_S = 70.0
MAILS_S = 15.0
QUIET_S = 5.0
RETRY_S = 15.0
LOOK_S = (0.3, 1.5)
WRITING_S = 4.0


@dataclass
class Morning:
    """Everything that plays, and the cases it plays with by the marks of their letters."""

    cases: Mapping[str, DemoCase]
    residents: Residents
    offices: Offices
    desk: httpx.AsyncClient
    mails: Mails
    tell: Callable[[str, DemoCase, str], None]
    dice: random.Random
    mails_late: bool = False
    _asked: set[str] = field(default_factory=set)

    async def play(self, codes: Sequence[str]) -> None:
        """Until everything has come back, or the time is over; what is missing then is seen in the cases."""
        try:
            await self.offices.open(codes)
            work = asyncio.create_task(self.offices.work())
            with suppress(TimeoutError):
                async with asyncio.timeout(PLAY_S):
                    await asyncio.gather(self._file(), *(self._live(case) for case in self.cases.values()))
            await self._last_look()
            work.cancel()
        except KafkaError as error:
            raise kafka_login.explained(error, self.offices.kafka(codes[0])) from error
        finally:
            await self.offices.close()

    # ── sending ──────────────────────────────────────────────────────────────

    async def _file(self) -> None:
        cases = [case for case in self.cases.values() if case.letter.way == "file"]
        await asyncio.sleep(self.dice.uniform(0, WRITING_S / 2))
        await self.residents.write_file(cases, Tally())
        for case in cases:
            self.tell("a file", case, f"brings {case.letter.language}")

    async def _send(self, case: DemoCase) -> None:
        """A repeat is harmless where it carries a key; the form has none, so it is sent again only if it never left."""
        harmless = httpx.HTTPError if case.letter.way == "api" else httpx.ConnectError
        tries = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, harmless)),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            stop=stop_after_delay(RETRY_S),
            reraise=True,
        )
        await asyncio.sleep(self.dice.uniform(0, WRITING_S))
        try:
            await tries(self.residents.write, case)
        except (httpx.HTTPError, ValueError) as error:
            self.tell("a resident", case, f"could not write in: {error}")
        else:
            self.tell("a resident", case, f"writes in by {case.letter.channel}")

    # ── one letter's life ────────────────────────────────────────────────────

    async def _live(self, case: DemoCase) -> None:
        if case.letter.way != "file":
            await self._send(case)
        while not case.settled:
            await asyncio.sleep(LOOK_S[0] if self._awaited(case) else LOOK_S[1])
            if case.inquiry_id is not None:
                with suppress(httpx.HTTPError):
                    await self._see(case)

    def _awaited(self, case: DemoCase) -> bool:
        """Whether something is about to be seen: all its departments have done their share."""
        return case.letter.way == "file" or all(part.text or part.returned for part in case.parts.values())

    async def _see(self, case: DemoCase) -> None:
        was_answered = case.answered
        await self.residents.look(case)
        if case.seen.get("state") == "triage" and case.letter.desk and case.letter.mark not in self._asked:
            await self._assign(case)
        if case.answered and not was_answered:
            self.tell("a resident", case, f"has {'a joint' if case.joint else 'an'} answer")
        if case.answered and case.letter.rating is not None and not case.rated:
            await self._rate(case)

    async def _assign(self, case: DemoCase) -> None:
        lead, *others = case.letter.desk
        body = {"type": "assign", "lead": lead, "co_handlers": others}
        key = {"Idempotency-Key": f"demo-{case.letter.mark}"}
        answer = await self.desk.post(f"/cases/{case.inquiry_id}/commands", json=body, headers=key)
        if answer.is_success:
            self._asked.add(case.letter.mark)
            self.tell("the desk", case, f"assigns {lead}")

    async def _rate(self, case: DemoCase) -> None:
        """A rating counts when it is on the record, not when it was sent."""
        if not await self.residents.rate(case):
            return
        await self._read_facts(case)
        case.rated = any(fact["type"].endswith("inquiry.rated") for fact in case.facts)
        if case.rated:
            self.tell("a resident", case, f"rates: {case.letter.rating}")

    # ── the end ──────────────────────────────────────────────────────────────

    async def _last_look(self) -> None:
        """A moment for what should not come: a second offer, a second mail; then the whole record."""
        await asyncio.sleep(0.5)
        await self._await_mails()
        for case in self.cases.values():
            if case.inquiry_id is not None:
                with suppress(httpx.HTTPError):
                    await self.residents.look(case)
                    await self._read_facts(case)

    async def _await_mails(self) -> None:
        """A mail that is missing while others still go out is late, behind what others are told; else it is lost."""
        until = time.monotonic() + MAILS_S
        self.mails.look()
        while self.mails.kept and self._mails_missing() and self.mails.quiet_s < QUIET_S:
            if time.monotonic() > until:
                self.mails_late = True
                return
            await asyncio.sleep(0.3)
            self.mails.look()

    def _mails_missing(self) -> bool:
        return any(any(unmailed(case)) for case in self.cases.values() if not any(missing(case)))

    async def _read_facts(self, case: DemoCase) -> None:
        answer = await self.desk.get(f"/cases/{case.inquiry_id}")
        if answer.is_success:
            found: dict[str, Any] = answer.json()
            case.facts = found["timeline"]
