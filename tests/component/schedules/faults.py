"""Planted faults; each must violate an invariant in some schedule."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any

from aiokafka.errors import KafkaError

from services.router.core.handlers import Core
from services.router.domain.case import Case
from services.router.domain.decision import Decision, Input
from services.router.stores.case_timers import CaseTimers, Look
from services.router.stores.decisions import Decisions
from services.router.stores.parked_inputs import Parked, ParkedInputs
from shared.kafka.failure_policy import FailurePolicy
from shared.kafka.offsets import offsets_after
from shared.kafka.pipeline import Confirmed, Pipeline
from shared.kafka.publisher import Publishable
from shared.kafka.records import Record
from shared.store.mongo import StoreUnavailable
from tests.component.schedules.process import Made

Raw = Any


class CommitsFirst(Pipeline[Input]):
    """Commits before handling."""

    async def consume(self, records: Sequence[Raw]) -> None:
        await self.commit(offsets_after(records))
        await super().consume(records)


class CommitsUnconfirmed(Pipeline[Input]):
    """Commits after storing the decisions, before the messages are confirmed."""

    async def _confirm(self, batch: Any, outputs: Any, confirmed: Confirmed) -> None:
        await self.commit(confirmed.offsets)
        await super()._confirm(batch, outputs, confirmed)


class ForgetsWhatIsWrong(FailurePolicy[Input]):
    """Skips invalid records without a dead letter."""

    async def send_to_dead_letters(self, record: Record, kind: str, reason: str, attempts: int) -> None:
        if kind != "permanent":
            await super().send_to_dead_letters(record, kind, reason, attempts)


class GivesUpAtOnce(FailurePolicy[Input]):
    """Treats an outage as an error of the record."""

    async def wait_in_place(self, act: Callable[[], Awaitable[None]]) -> Exception | None:
        try:
            await act()
        except Exception as error:  # noqa: BLE001  the fault
            return error
        return None


class FreshIds(Core):
    """Gives repeated messages new ids."""

    async def settle(self, inputs: Sequence[Input]) -> list[Decision]:
        before = {(given.inquiry_id, given.id) for given in inputs}
        before &= {
            (given.inquiry_id, cause)
            for given in inputs
            for cause in (await self.store.decisions.load([given.inquiry_id]))[given.inquiry_id].causes
        }
        settled = await super().settle(inputs)
        return [renamed(one) if (one.inquiry_id, one.cause) in before else one for one in settled]


numbers = count()


def renamed(decision: Decision) -> Decision:
    """The decision with other ids in its messages."""
    messages = tuple(one._replace(id=f"fresh-{next(numbers)}") for one in decision.messages)
    return replace(decision, messages=messages)


class SwallowsPublishErrors(Pipeline[Input]):
    """Ignores publish errors."""

    async def _publish(self, batch: Any, outputs: Any) -> Exception | None:
        with suppress(KafkaError):
            await self.options.publisher.publish(outputs)
        return None


class RepeatsSayNothing(Core):
    """Does not publish the messages of inputs that are decided already."""

    async def settle(self, inputs: Sequence[Input]) -> list[Decision]:
        known = {
            given.inquiry_id: set(case.causes)
            for given in inputs
            for case in (await self.store.decisions.load([given.inquiry_id])).values()
        }
        settled = await super().settle(inputs)
        return [one for one in settled if one.cause not in known[one.inquiry_id]]


class NeverAsksWhatIsParked(Core):
    """Knows only the inputs that this process parked itself."""

    async def refresh(self) -> None:
        return


class ReplaysWithoutWhatIsParked(Core):
    """Continues an inquiry after a replay without its other parked inputs."""

    async def take_parked(self, parked: Parked) -> list[Publishable]:
        return []


class TrustsItsMemory(Decisions):
    """Treats a decision as stored although another process took its number."""

    async def insert(self, decided: Sequence[tuple[Case, Decision]]) -> set[str]:
        await super().insert(decided)
        return set()


class KeepsTheOldCase(Decisions):
    """Keeps a cached case after losing the race for a decision."""

    async def insert(self, decided: Sequence[tuple[Case, Decision]]) -> set[str]:
        lost = await super().insert(decided)
        for case, decision in decided:
            if decision.inquiry_id in lost:
                self._remember(case)
        return lost


class WritesOver(Decisions):
    """Stores a decision under a number that cannot collide."""

    async def insert(self, decided: Sequence[tuple[Case, Decision]]) -> set[str]:
        collection: Any = self.collection
        taken = collection.documents
        free = [
            (case, replace(one, n=next(n for n in count(one.n) if f"{one.inquiry_id}/{n}" not in taken)))
            for case, one in decided
        ]
        return await super().insert(free)


class ForgetsToPark(ParkedInputs):
    """Writes a dead letter without parking the input."""

    async def add(self, parked: Parked) -> None:
        return


class ForgetsTimers(CaseTimers):
    """Goes on when the store does not confirm when to look at a case."""

    async def look(self, looks: Sequence[Look]) -> None:
        with suppress(StoreUnavailable):
            await super().look(looks)


FAULTS: dict[str, Made] = {
    "commits first": Made(pipeline=CommitsFirst),
    "commits what is not confirmed": Made(pipeline=CommitsUnconfirmed),
    "forgets what is wrong": Made(policy=ForgetsWhatIsWrong),
    "gives up at once": Made(policy=GivesUpAtOnce),
    "fresh ids on repeat": Made(core=FreshIds),
    "swallows publish errors": Made(pipeline=SwallowsPublishErrors),
    "repeats say nothing": Made(core=RepeatsSayNothing),
    "never asks what is parked": Made(core=NeverAsksWhatIsParked),
    "replays without what is parked": Made(core=ReplaysWithoutWhatIsParked),
    "trusts its memory": Made(decisions=TrustsItsMemory),
    "writes over": Made(decisions=WritesOver),
    "forgets to park": Made(parked=ForgetsToPark),
    "forgets timers": Made(timers=ForgetsTimers),
}
