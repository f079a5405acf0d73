"""Whether a service does its work: what `/readyz` answers, and every reason why not."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from shared.contracts.documented import Documented
from shared.kafka.health import NO_POLL_S
from shared.kafka.publisher import Publisher
from shared.kafka.subscription import Subscription
from shared.store.mongo import Database, StoreAway, ping, refuses_login

READING_EXPECTED_S = 10.0
REMARKED_S = 600.0
PING_LIMIT_S = 2.0
Check = Callable[[], Awaitable[str | None]]


class Readiness(Documented):
    """The answer to `/readyz`: whether the service does its work, and whatever is not as it should be."""

    ready: bool
    """Whether the process can do its work."""
    reasons: list[str]
    """Every problem, one sentence each; a ready process may have some."""


class ReadinessChecks:
    """Asks everything that a service needs. `works_without_kafka`: intake is ready while Kafka is away, and says so."""

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
        self.prepared_at: float | None = None
        self.forbidden: str | None = None
        self._has_read = False

    async def look(self) -> tuple[bool, list[str]]:
        """Whether the service does its work, and everything that is not as it should be, in sentences.

        A service that works without Kafka says that it is away, and goes on.
        """
        reading: list[str] = []
        if self.publisher.refusal:
            reading.append(f"Kafka refuses what {self.service} writes: {self.publisher.refusal}")
        elif not await self.publisher.answers():
            reading.append("Kafka is away")
        if (waited_s := self.publisher.unconfirmed_s()) > NO_POLL_S:
            reading.append(f"Kafka has not confirmed a message for {waited_s:.0f} s")
        if self.forbidden:
            reading.append(self.forbidden)
        reading += [reason for one in self.subscriptions if (reason := one.health.why_not_ready())]
        others = [] if self.prepared_at else [f"{self.service} is starting"]
        for check in self.checks:
            if reason := await check():
                others.append(reason)
        self._has_read = self._has_read or not reading
        settled = self.prepared_at is not None and time.monotonic() - self.prepared_at > READING_EXPECTED_S
        ready = not others and (not reading or (self.works_without_kafka and (settled or self._has_read)))
        return ready, others + reading + self._remarks()

    def _remarks(self) -> list[str]:
        """What somebody should look at although the service does its work."""
        lately = time.monotonic() - REMARKED_S
        remarks = []
        for one in self.subscriptions:
            failed_at = one.pipeline.policy.dead_lettered_at
            if failed_at is not None and failed_at > lately:
                name = one.options.name
                remarks.append(f"{name} has sent messages to dead letters lately: see `chorus dead-letters list`")
            remarks += one.health.open_transactions.remarks()
        return remarks

    async def _store_answers(self) -> str | None:
        try:
            await asyncio.wait_for(ping(self.database), PING_LIMIT_S)
        except (*StoreAway, TimeoutError) as error:
            return "the store refuses the log-in" if refuses_login(error) else "the store is away"
        return None
