"""The pipeline of one subscription: handle a batch, publish its messages, wait for confirmation, commit its offsets.

While Kafka confirms the messages of one batch, the next batch is handled. Commits stay in order and hold up no batch: one
commit covers all batches that were confirmed while the commit before it was running. At most two batches are in memory.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Generic, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.kafka.failure_policy import FailurePolicy, Pair
from shared.kafka.offsets import Offsets, Raw, offsets_after
from shared.kafka.options import Item, SubscriptionOptions
from shared.kafka.polling import Polling
from shared.kafka.publisher import Publishable
from shared.kafka.records import record_of
from shared.runtime import metrics
from shared.runtime.logging import log
from shared.runtime.tasks import cancel_and_wait

COMMIT_PAUSE_S = 0.1
"""Between two commits under load. Each commit of the core takes two journaled writes, for which its decisions would wait."""
UNCOMMITTED_BATCHES_MAX = 20
"""So many batches may be handled beyond the last commit; a killed process repeats them."""


class Confirmed(NamedTuple):
    """A batch whose effects are stored and whose messages are confirmed: the assignment under which it was read, and the
    offsets after its records."""

    assignment: int
    offsets: Offsets


class Pipeline(Generic[Item]):
    """The batches in progress of one subscription."""

    def __init__(
        self,
        options: SubscriptionOptions[Item],
        consumer: Callable[[], AIOKafkaConsumer | None],
        on_broken: Callable[[BaseException], None],
    ) -> None:
        self.options = options
        self.consumer = consumer
        self.on_broken = on_broken
        self.policy: FailurePolicy[Item] = FailurePolicy(options, self._progressed)
        self.polling = Polling(options.service, options.group, self.policy.send_to_dead_letters, on_broken)
        self.idle = asyncio.Event()
        self.idle.set()
        self.progressed_at = time.monotonic()
        self.oldest_ms: deque[dict[str, int]] = deque()
        """For each batch in progress, the timestamp of its oldest record by topic label."""
        self._assignment = 0
        self._resumed_for: int | None = None
        self._confirming: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._confirmed: list[Confirmed] = []

    async def resume(self, consumer: AIOKafkaConsumer) -> None:
        """Before the first poll after an assignment, seek to the store's offset; waits while a dependency is unavailable."""
        progress, assignment = self.options.progress, self._assignment
        if progress is None or self._resumed_for == assignment:
            return
        async with self._fatal_failures_end_the_process():
            await self.policy.until_done(lambda: self.polling.resume(consumer, progress))
        self._resumed_for = assignment

    async def consume(self, records: Sequence[Raw]) -> None:
        """Handle a batch; once the previous one is confirmed, start to publish and commit this one in the background."""
        if self.options.progress is not None and self._resumed_for != self._assignment:
            # Fetched before `resume` set the positions for this assignment: earlier records are missing. It is read again.
            return
        self.idle.clear()
        self._progressed()
        assignment = self._assignment
        self.oldest_ms.append({self.options.label(raw.topic): raw.timestamp for raw in reversed(records)})
        try:
            async with self._fatal_failures_end_the_process():
                await self._take(records, assignment)
        except asyncio.CancelledError:
            # Nothing finishes this batch any more, so it is no longer in progress.
            self.oldest_ms.pop()
            if not self.oldest_ms:
                self.idle.set()
            raise

    async def _take(self, records: Sequence[Raw], assignment: int) -> None:
        batch = await self.policy.items(list(map(record_of, records)), assignment)
        failure, outputs = await self._handle(batch)
        if self._confirming is not None:
            await asyncio.shield(self._confirming)
        while self._committing is not None and len(self.oldest_ms) > UNCOMMITTED_BATCHES_MAX:
            await asyncio.shield(self._committing)
        if failure is not None:
            self.policy.log_failure(failure)
            await self.policy.settle(batch, assignment, self._attempt)
            batch = []  # each item is now published, parked or a dead letter
        confirmed = Confirmed(assignment, offsets_after(records))
        confirm = self._confirm(batch, outputs, confirmed)
        self._confirming = asyncio.create_task(confirm, name=f"{self.options.group}-confirms")

    async def _handle(self, batch: Sequence[Pair[Item]]) -> tuple[Exception | None, Sequence[Publishable]]:
        """Handle a batch once; returns the failure, or the messages that follow."""
        if not batch:
            return None, ()
        outputs: Sequence[Publishable] = ()

        async def handle() -> None:
            nonlocal outputs
            outputs = await self.options.handle([item for _, item in batch]) or ()

        return await self.policy.wait_in_place(handle), outputs

    async def _publish(self, batch: Sequence[Pair[Item]], outputs: Sequence[Publishable]) -> Exception | None:
        """Publish the messages of a batch and wait until Kafka has confirmed all of them."""
        if not batch:
            return None

        async def publish() -> None:
            if outputs:
                await self.options.publisher.publish(outputs)
            if self.options.published is not None:
                await self.options.published([item for _, item in batch])

        return await self.policy.wait_in_place(publish)

    async def _attempt(self, batch: Sequence[Pair[Item]]) -> Exception | None:
        failure, outputs = await self._handle(batch)
        return failure or await self._publish(batch, outputs)

    async def _confirm(self, batch: Sequence[Pair[Item]], outputs: Sequence[Publishable], confirmed: Confirmed) -> None:
        async with self._fatal_failures_end_the_process():
            if await self._publish(batch, outputs) is not None:
                await self.policy.settle(batch, confirmed.assignment, self._attempt)
        self._confirmed.append(confirmed)
        if self._committing is None or self._committing.done():
            commits = self._commit_confirmed()
            self._committing = asyncio.create_task(commits, name=f"{self.options.group}-commits")

    async def _commit_confirmed(self) -> None:
        """Commit the confirmed batches until none is left. After a rebalance the partitions' new owner repeats them."""
        while self._confirmed:
            batches, self._confirmed = self._confirmed, []
            offsets: dict[TopicPartition, int] = {}
            for one in batches:
                if one.assignment == self._assignment:
                    offsets |= one.offsets
                else:
                    metrics.COMMIT_FAILURES.labels(self.options.service).inc()
            async with self._fatal_failures_end_the_process():
                if offsets:
                    await self.commit(offsets)
            metrics.LAST_PROCESSED.labels(self.options.service).set_to_current_time()
            self._progressed()
            for _ in batches:
                self.oldest_ms.popleft()
            if self.oldest_ms:
                await asyncio.sleep(COMMIT_PAUSE_S)
        if not self.oldest_ms:
            self.idle.set()

    async def commit_passed(self, consumer: AIOKafkaConsumer) -> None:
        """After a poll without records, commit the offsets of control records and aborted records at the end.

        Otherwise a tool that compares committed offsets with end offsets would show them as lag.
        """
        assignment = self._assignment
        not_resumed = self.options.progress is not None and self._resumed_for != assignment
        if self.options.group is None or not_resumed or not self.idle.is_set():
            return
        partitions, committed = sorted(consumer.assignment()), self.polling.committed
        try:
            unknown = [one for one in partitions if one not in committed and self.polling.passed(consumer, one)]
            found = await asyncio.gather(*map(consumer.committed, unknown))
        except (IllegalStateError, KafkaError):
            return  # the partitions were revoked, or Kafka is unavailable: a later poll repeats this
        if assignment != self._assignment or not self.idle.is_set():
            return
        committed |= {one: offset or 0 for one, offset in zip(unknown, found, strict=True)}
        now = {one: self.polling.passed(consumer, one) or 0 for one in partitions}
        further = {one: offset for one, offset in now.items() if offset > committed.get(one, offset)}
        if further:
            async with self._fatal_failures_end_the_process():
                await self.commit(further)

    async def commit(self, offsets: Offsets) -> None:
        """Commit these offsets. A failed commit of a revoked partition is counted: its owner repeats the records."""
        self.polling.go_on_from(offsets)
        consumer = self.consumer()
        if self.options.group is None or consumer is None:
            return
        if (progress := self.options.progress) is not None:
            noted = {partition.partition: offset for partition, offset in offsets.items()}
            await self.policy.until_done(lambda: progress.note(noted))

        async def commit() -> None:
            try:
                await consumer.commit(offsets)
                self.polling.committed |= offsets
            except (IllegalStateError, CommitFailedError):
                metrics.COMMIT_FAILURES.labels(self.options.service).inc()
            except KafkaError:
                metrics.COMMIT_FAILURES.labels(self.options.service).inc()
                raise

        # aiokafka raises nothing else here, so `wait_in_place` never returns a failure of the records.
        await self.policy.wait_in_place(commit)

    @asynccontextmanager
    async def _fatal_failures_end_the_process(self) -> AsyncIterator[None]:
        """Without this, FastStream would log the failure and go on, and the next commit would skip these records."""
        try:
            yield
        except Exception as error:
            log.error("a subscription failed; the process ends", exc_info=error, group=self.options.group)
            self.on_broken(error)
            self.idle.set()
            # Block: neither this batch nor a later one may be committed before the process has ended.
            await asyncio.Event().wait()

    def _progressed(self) -> None:
        self.progressed_at = time.monotonic()

    def forget(self) -> None:
        """After a rebalance: another member may have continued, so batches in progress are no longer committed."""
        self.polling.forget()
        self._assignment += 1

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The background tasks of the batches in progress."""
        return [one for one in (self._confirming, self._committing) if one is not None]

    async def drained(self, limit_s: float) -> None:
        """Wait at most `limit_s` seconds until all batches in progress are committed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.idle.wait(), limit_s)

    async def stop(self) -> None:
        """Cancel the background tasks. Batches that are not committed are read again."""
        await cancel_and_wait(self.tasks)
