"""Readiness: whether a service can do its work, and every reason why not, for `/readyz`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from shared.contracts.documented import Documented
from shared.kafka.health import NO_POLL_S
from shared.kafka.publisher import Publisher
from shared.kafka.subscription import Subscription
from shared.store.mongo import Database, StoreUnavailable, ping, refuses_login

START_GRACE_S = 10.0
DEAD_LETTER_WARNING_S = 600.0
PING_LIMIT_S = 2.0
Check = Callable[[], Awaitable[str | None]]


class Readiness(Documented):
    """The answer to `/readyz`: whether the service is ready, and every problem that it knows."""

    ready: bool
    """Whether the process can do its work."""
    reasons: list[str]
    """Every problem, one sentence each; a ready process may have some."""


class ReadinessChecks:
    """Checks everything that a service needs. With `works_without_kafka`, an unavailable Kafka is reported only."""

    def __init__(
        self,
        service: str,
        publisher: Publisher,
        database: Database,
        subscriptions: Sequence[Subscription[Any]],
        *,
        works_without_kafka: bool,
    ) -> None:
        self.service = service
        self.publisher = publisher
        self.database = database
        self.subscriptions = subscriptions
        self.works_without_kafka = works_without_kafka
        self.checks: list[Check] = [self._store_answers]
        self.remarks: list[Check] = []
        self.prepared_at: float | None = None
        self.forbidden: str | None = None
        self._has_read = False

    async def evaluate(self) -> tuple[bool, list[str]]:
        """Whether the service is ready, and a sentence for each problem; a ready service may have problems too."""
        kafka = await self._kafka_problems()
        others = [] if self.prepared_at else [f"{self.service} is starting"]
        for check in self.checks:
            if reason := await check():
                others.append(reason)
        # A service that works without Kafka waits for its first successful reading, but only for a while: Kafka may be
        # unavailable when the service starts.
        self._has_read = self._has_read or not kafka
        waited = self.prepared_at is not None and time.monotonic() - self.prepared_at > START_GRACE_S
        ready = not others and (not kafka or (self.works_without_kafka and (waited or self._has_read)))
        return ready, others + kafka + self._warnings() + await self._remarks()

    async def _kafka_problems(self) -> list[str]:
        problems: list[str] = []
        if self.publisher.refusal:
            problems.append(f"Kafka refuses what {self.service} writes: {self.publisher.refusal}")
        elif not await self.publisher.answers():
            problems.append("Kafka is unavailable")
        if (waited_s := self.publisher.unconfirmed_s()) > NO_POLL_S:
            problems.append(f"Kafka has not confirmed a message for {waited_s:.0f} s")
        if self.forbidden:
            problems.append(self.forbidden)
        return problems + [reason for one in self.subscriptions if (reason := one.health.why_not_ready())]

    def _warnings(self) -> list[str]:
        """Problems that do not make the service unready."""
        recent = time.monotonic() - DEAD_LETTER_WARNING_S
        warnings = []
        for one in self.subscriptions:
            failed_at = one.pipeline.policy.dead_lettered_at
            if failed_at is not None and failed_at > recent:
                name = one.options.name
                warnings.append(f"{name} recently sent records to dead letters: see `chorus dead-letters list`")
            warnings += one.health.open_transactions.warnings()
        return warnings

    async def _remarks(self) -> list[str]:
        """Further problems that do not make the service unready; an unavailable store is reported elsewhere."""
        found: list[str] = []
        for remark in self.remarks if self.prepared_at else ():
            with suppress(StoreUnavailable, TimeoutError):
                if reason := await asyncio.wait_for(remark(), PING_LIMIT_S):
                    found.append(reason)
        return found

    async def _store_answers(self) -> str | None:
        try:
            await asyncio.wait_for(ping(self.database), PING_LIMIT_S)
        except (StoreUnavailable, TimeoutError) as error:
            return "the store refuses the user name or password" if refuses_login(error) else "the store is unavailable"
        return None
