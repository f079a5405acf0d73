"""The course of the demo: residents write, departments answer, returned parts are assigned again, residents rate."""

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
from deploy.cli.demo.account import DemoCase, missing, missing_mails
from deploy.cli.demo.departments import Offices
from deploy.cli.demo.mails import Mails
from deploy.cli.demo.overdue import OverdueScene
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
    """The players, and the cases by the marks of their messages."""

    cases: Mapping[str, DemoCase]
    residents: Residents
    offices: Offices
    desk: httpx.AsyncClient
    mails: Mails
    tell: Callable[[str, DemoCase, str], None]
    dice: random.Random
    overdue: OverdueScene | None = None
    """Plays the messages that are `late`, before all others; None leaves the city's policies alone."""
    mails_late: bool = False
    _assigned: set[str] = field(default_factory=set)
    _confirmed: set[str] = field(default_factory=set)

    async def play(self, codes: Sequence[str]) -> None:
        """Play until all cases are complete or PLAY_S has passed; afterwards the cases show what is missing."""
        try:
            await self.offices.open(codes)
            work = asyncio.create_task(self.offices.work())
            with suppress(TimeoutError):
                async with asyncio.timeout(PLAY_S):
                    await self._play_overdue()
                    await asyncio.gather(self._file(), *(self._live(case) for case in self.cases.values()))
            await self._last_look()
            work.cancel()
        except KafkaError as error:
            raise kafka_login.to_failure(error, self.offices.kafka(codes[0])) from error
        finally:
            await self.offices.close()

    async def _play_overdue(self) -> None:
        for case in self.cases.values():
            if self.overdue is not None and case.message.late:
                await self.overdue.play(case)

    # ── sending ──────────────────────────────────────────────────────────────

    async def _file(self) -> None:
        cases = [case for case in self.cases.values() if case.message.way == "file"]
        await asyncio.sleep(self.dice.uniform(0, WRITING_S / 2))
        await self.residents.write_file(cases, Tally())
        for case in cases:
            self.tell("import", case, f"brings {case.message.language}")

    async def send_now(self, case: DemoCase) -> None:
        await self.residents.write(case)
        self.tell("resident", case, f"writes by {case.message.channel}")

    async def _send(self, case: DemoCase) -> None:
        """Send with retries. The form has no idempotency key, so it is retried only if the connection failed."""
        retriable = httpx.HTTPError if case.message.way == "api" else httpx.ConnectError
        tries = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, retriable)),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            stop=stop_after_delay(RETRY_S),
            reraise=True,
        )
        await asyncio.sleep(self.dice.uniform(0, WRITING_S))
        try:
            await tries(self.residents.write, case)
        except (httpx.HTTPError, ValueError) as error:
            self.tell("resident", case, f"could not write: {error}")
        else:
            self.tell("resident", case, f"writes by {case.message.channel}")

    # ── one case ─────────────────────────────────────────────────────────────

    async def _live(self, case: DemoCase) -> None:
        if case.message.way != "file" and case.inquiry_id is None:
            await self._send(case)
        while not case.settled:
            await asyncio.sleep(LOOK_S[0] if self._awaited(case) else LOOK_S[1])
            if case.inquiry_id is not None:
                with suppress(httpx.HTTPError):
                    await self._see(case)

    def _awaited(self, case: DemoCase) -> bool:
        """Whether a change is due soon, because all departments have finished their parts."""
        return case.message.way == "file" or all(part.text or part.returned for part in case.parts.values())

    async def _confirm(self, case: DemoCase) -> None:
        """Open the first mail and confirm the address, so that further mails contain the reply."""
        self.mails.look()
        link = next((mail.confirm_url for mail in case.mails if mail.confirm_url), None)
        if link and case.message.mark not in self._confirmed and await self.residents.confirm(link):
            self._confirmed.add(case.message.mark)
            self.tell("resident", case, "confirms the address")

    async def _see(self, case: DemoCase) -> None:
        await self._confirm(case)
        was_answered = case.answered
        await self.residents.look(case)
        if case.seen.get("state") == "triage" and case.message.desk and case.message.mark not in self._assigned:
            await self._assign(case)
        if case.answered and not was_answered:
            self.tell("resident", case, f"gets a {'joint ' if case.joint else ''}reply")
        if case.answered and case.message.rating is not None and not case.rated_in(case.round):
            await self._rate(case)

    async def _assign(self, case: DemoCase) -> None:
        lead, *others = case.message.desk
        body = {"type": "assign", "lead": lead, "co_handlers": others}
        key = {"Idempotency-Key": case.key}
        answer = await self.desk.post(f"/cases/{case.inquiry_id}/commands", json=body, headers=key)
        if answer.is_success:
            self._assigned.add(case.message.mark)
            self.tell("desk", case, f"assigns {lead}")

    async def _rate(self, case: DemoCase) -> None:
        """Send the rating of the round; it counts once the timeline contains it."""
        if not await self.residents.rate(case):
            return
        await self._read_facts(case)
        case.rated = case.rated_in(1)
        if case.rated_in(case.round):
            rating = case.message.rating if case.round == 1 else "yes"
            self.tell("resident", case, f"rates: {rating}" + (", reopened" if case.reopened >= case.round else ""))

    # ── the end ──────────────────────────────────────────────────────────────

    async def _last_look(self) -> None:
        """Wait a moment for duplicate offers and mails, then read every case again."""
        await asyncio.sleep(0.5)
        await self._await_mails()
        for case in self.cases.values():
            if case.inquiry_id is not None:
                with suppress(httpx.HTTPError):
                    await self.residents.look(case)
                    await self._read_facts(case)

    async def _await_mails(self) -> None:
        """Wait for missing mails while the notifier still sends mails; after MAILS_S they count as late, not as lost."""
        until = time.monotonic() + MAILS_S
        self.mails.look()
        while self.mails.kept and self._mails_missing() and self.mails.quiet_s < QUIET_S:
            if time.monotonic() > until:
                self.mails_late = True
                return
            await asyncio.sleep(0.3)
            self.mails.look()

    def _mails_missing(self) -> bool:
        return any(any(missing_mails(case)) for case in self.cases.values() if not any(missing(case)))

    async def _read_facts(self, case: DemoCase) -> None:
        answer = await self.desk.get(f"/cases/{case.inquiry_id}")
        if answer.is_success:
            found: dict[str, Any] = answer.json()
            case.facts = found["timeline"]
