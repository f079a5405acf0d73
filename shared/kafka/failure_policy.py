"""The failure policy: what a subscription does when it cannot handle a record.

An invalid record becomes a dead letter at once. If a dependency is unavailable, the subscription waits in place, without
limit. After any other failure it retries, splits the batch until one record is left, and sends that record to the dead
letters after ATTEMPTS failures.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic

from shared.kafka import topics
from shared.kafka.dead_letters import dead_letter
from shared.kafka.failures import InvalidRecord, unavailable_dependency
from shared.kafka.options import Item, SubscriptionOptions
from shared.kafka.records import Record
from shared.runtime import metrics
from shared.runtime.logging import log

ATTEMPTS = 5
LONGEST_PAUSE_S = 5.0
Pair = tuple[Record, Item]
Act = Callable[[], Awaitable[None]]


class FailurePolicy(Generic[Item]):
    """The failure policy of one subscription. It calls `progressed` when a wait ends."""

    def __init__(self, options: SubscriptionOptions[Item], progressed: Callable[[], None]) -> None:
        self.options = options
        self.progressed = progressed
        self.dead_lettered_at: float | None = None
        self._waiting: dict[object, str] = {}
        self._parking_read_for: int | None = None

    @property
    def waiting_for(self) -> str | None:
        """The unavailable dependency that a batch waits for; None when no batch waits."""
        return next(iter(self._waiting.values()), None)

    async def items(self, records: Sequence[Record], assignment: int) -> list[Pair[Item]]:
        """The valid items of a batch. Sends invalid records to the dead letters, and parks items behind a parked one."""
        valid: list[Pair[Item]] = []
        for record in records:
            try:
                if record.unreadable and not self.options.answers_unreadable:
                    raise InvalidRecord(record.unreadable)
                item = self.options.read(record)
            except InvalidRecord as invalid:
                await self.send_to_dead_letters(record, "permanent", str(invalid), attempts=1)
            except Exception as error:
                # A defect in `read` must not stop the other records of the batch.
                await self.send_to_dead_letters(record, "permanent", f"It could not be read: {error!r}", attempts=1)
            else:
                if item is not None:
                    valid.append((record, item))
        return await self._not_parked(valid, assignment)

    async def settle(
        self,
        batch: Sequence[Pair[Item]],
        assignment: int,
        attempt: Callable[[Sequence[Pair[Item]]], Awaitable[Exception | None]],
    ) -> None:
        """Retry a failed batch, in halves from the second failure on, so that only the failing record is given up."""
        batch = await self._not_parked(batch, assignment)
        for number in range(1, ATTEMPTS + 1):
            if not batch or (failure := await attempt(batch)) is None:
                return
            if len(batch) > 1 and number > 1:
                middle = len(batch) // 2
                await self.settle(batch[:middle], assignment, attempt)
                await self.settle(batch[middle:], assignment, attempt)
                return
            self.log_failure(failure, number)
            await asyncio.sleep(min(0.05 * 2**number, LONGEST_PAUSE_S))
        record, item = batch[0]
        await self._give_up(record, item, "exhausted", repr(failure), attempts=ATTEMPTS)

    async def wait_in_place(self, act: Act) -> Exception | None:
        """Call `act` until no dependency is unavailable; return a failure that concerns the records."""
        pause_s = 0.05
        began = time.monotonic()
        try:
            while True:
                try:
                    await act()
                except Exception as error:
                    # Any failure: either a dependency is unavailable, or the caller decides about the records.
                    dependency = unavailable_dependency(error)
                    if dependency is None:
                        return error
                    if self._waiting.get(act) != dependency:
                        kind = type(error).__name__
                        log.warning(
                            "waiting for a dependency", group=self.options.group, dependency=dependency, error=kind
                        )
                    self._waiting[act] = dependency
                    await asyncio.sleep(pause_s)
                    metrics.BLOCKED_SECONDS.labels(self.options.service, dependency).inc(time.monotonic() - began)
                    began = time.monotonic()
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                else:
                    return None
        finally:
            self._waiting.pop(act, None)
            self.progressed()

    async def until_done(self, act: Act) -> None:
        """Call `act` until no dependency is unavailable; raises any other failure."""
        if (failure := await self.wait_in_place(act)) is not None:
            raise failure

    async def send_to_dead_letters(self, record: Record, kind: str, reason: str, attempts: int) -> None:
        """Publish a dead letter and wait until Kafka confirms it."""
        service = self.options.service
        letter = dead_letter(service, record, kind, reason, attempts)
        await self.until_done(lambda: self.options.publisher.publish_raw({topics.dead_letters(service): [letter]}))
        metrics.DEAD_LETTERS.labels(service, kind).inc()
        self.dead_lettered_at = time.monotonic()
        log.warning("a record was sent to dead letters", service=service, record=record.place, kind=kind)

    def log_failure(self, failure: Exception, attempt: int = 0) -> None:
        """Log the class of the failure only: its message may quote a resident's words."""
        log.warning("a batch failed", group=self.options.group, attempt=attempt, error=type(failure).__name__)

    async def _not_parked(self, batch: Sequence[Pair[Item]], assignment: int) -> list[Pair[Item]]:
        """The items that do not queue behind a parked one; parks the others."""
        if (parking := self.options.parking) is None:
            return list(batch)
        if self._parking_read_for != assignment:
            await self.until_done(parking.refresh)
            self._parking_read_for = assignment
        free: list[Pair[Item]] = []
        for record, item in batch:
            if (reason := parking.waits(item)) is None:
                free.append((record, item))
            else:
                await self._give_up(record, item, "parked", reason, attempts=0)
        return free

    async def _give_up(self, record: Record, item: Item, kind: str, reason: str, attempts: int) -> None:
        """Park the item first, then publish its dead letter: after a crash in between, no later input overtakes it."""
        if (parking := self.options.parking) is not None:
            await self.until_done(lambda: parking.park(record, item, kind, reason))
        await self.send_to_dead_letters(record, kind, reason, attempts)
