"""Decides batches of inputs: loads the cases, makes the decisions, inserts them, returns their messages."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from services.router.core.decision_metrics import count_decisions
from services.router.core.input_decoder import readable
from services.router.domain.case import Case, DecidedInput
from services.router.domain.city_index import CityIndex
from services.router.domain.decide import decide, with_distinct_id
from services.router.domain.decision import Decision, Input, Place, after
from services.router.domain.timers import next_ring
from services.router.stores.case_timers import Look
from services.router.stores.parked_inputs import Parked
from services.router.stores.store import RouterStore
from shared.contracts.case_commands import CaseErase, CaseReplay
from shared.contracts.envelope import Message
from shared.contracts.resident_inputs import InquiryReceived
from shared.kafka import topics
from shared.kafka.dead_letters import dead_letter
from shared.kafka.publisher import PreparedRecord, Publishable
from shared.kafka.records import Record
from shared.runtime import metrics
from shared.service.city_feed import CityFeed

INPUTS_PER_BATCH = 500
"""An input becomes many messages: with 500 inputs, the messages of two batches still fit into the processor's cache."""
DECISIONS_BETWEEN_YIELDS = 25
INPUTS_PER_INSERT = 125


@dataclass
class Core:
    """Decides inputs in the order of the log.

    Every step is safe to repeat: the insert fails for a decision that exists, and the stored one is published again.
    """

    store: RouterStore
    city: CityFeed[CityIndex]
    _replayed: dict[str, list[Parked]] = field(default_factory=dict)
    """By id of a `replay` command in this batch, the parked inputs that it takes."""

    async def decide_inputs(self, batch: Sequence[Input]) -> list[Publishable]:
        """Decide the inputs of a batch and return the messages to publish.

        Each round has at most one input of an inquiry, because the insert of its decision may lose a race against
        another process, and then the input must be decided again before the next one.
        """
        outputs: list[Publishable] = []
        for inputs in rounds(batch):
            replays = {given.inquiry_id: given.id for given in inputs if given.type == CaseReplay.type}
            taken = await self.store.parked.of(list(replays)) if replays else []
            for inquiry_id, id_ in replays.items():
                self._replayed[id_] = [one for one in taken if one.inquiry_id == inquiry_id]
            for one in taken:
                outputs += await self.take_parked(one)
            outputs += messages_of(await self.settle(inputs))
        return outputs

    async def unpark_replayed(self, batch: Sequence[Input]) -> None:
        """After the messages of the batch are published, delete the parked inputs that its `replay` commands took."""
        for given in batch:
            if given.type == CaseReplay.type and (taken := self._replayed.get(given.id)) is not None:
                await self.store.parked.remove(taken)
                del self._replayed[given.id]

    async def settle(self, inputs: Sequence[Input]) -> list[Decision]:
        """Decide inputs of different inquiries and return the decisions whose messages must be published.

        Stores one group of decisions while it decides the next. When an insert loses a race against another process, it
        loads the case again and decides again.
        """
        settled: list[Decision] = []
        new = frozenset(given.inquiry_id for given in inputs if given.type == InquiryReceived.type)
        while inputs:
            cases = await self.store.decisions.load([given.inquiry_id for given in inputs], new)
            directory = self.city.current()
            decided: list[Decision] = []
            places: list[tuple[str, int]] = []
            inserts: list[asyncio.Task[set[str]]] = []
            try:
                for start in range(0, len(inputs), INPUTS_PER_INSERT):
                    fresh, repeated = await decide_all(cases, inputs[start : start + INPUTS_PER_INSERT], directory)
                    inserts.append(asyncio.create_task(self._insert(cases, fresh, directory)))
                    decided += fresh
                    places += [
                        (case.inquiry_id, known.n) for case, known, at in repeated if must_publish_again(known, at)
                    ]
            finally:
                lost = await lost_inserts(inserts)
            settled += [one for one in decided if one.inquiry_id not in lost]
            settled += await self.store.decisions.at(places)
            inputs, new = [given for given in inputs if given.inquiry_id in lost], frozenset()
        return settled

    async def _insert(self, cases: Mapping[str, Case], decided: Sequence[Decision], directory: CityIndex) -> set[str]:
        """Insert and count decisions. Returns the inquiries whose insert lost a race."""
        made = [(cases[one.inquiry_id], one) for one in decided]
        # Before the decisions: after them nothing may fail but the publish, or a decided input could be given up.
        await self.store.timers.look(list(earlier_looks(made, directory)))
        lost = await self.store.decisions.insert(made)
        count_decisions([one for one in decided if one.inquiry_id not in lost])
        return lost

    # ── parking: an input that fails repeatedly blocks its own inquiry, and no other ─────────────

    async def refresh(self) -> None:
        """Load the ids of parked inquiries, because another process may have parked some."""
        self.store.parked.blocked = await self.store.parked.inquiries()

    def waits(self, given: Input) -> str | None:
        """Why this input must be parked behind an earlier one; None when it can be decided.

        A `replay` command unblocks its inquiry for the inputs after it. So does an erasure, which refuses all of them; the
        parked inputs are deleted with the words.
        """
        if given.type in (CaseReplay.type, CaseErase.type):
            self.store.parked.blocked.discard(given.inquiry_id)
        if given.inquiry_id not in self.store.parked.blocked:
            return None
        return f"An earlier input of {given.inquiry_id} is parked; this one queues behind it."

    async def park(self, record: Record, given: Input, kind: str, reason: str) -> None:
        """Store the input and block its inquiry. A `replay` command is not stored: the inputs that it takes stay parked.

        Does nothing for an erased inquiry.
        """
        if given.type == CaseReplay.type:
            self._replayed.pop(given.id, None)
        else:
            await self.store.parked.add(Parked(record, given.inquiry_id, kind, reason))
        self.store.parked.blocked.add(given.inquiry_id)
        # Checked after the insert: an erasure that ran before the insert has not deleted this input.
        if await self.store.tombstones.through_of([given.inquiry_id]):
            await self.store.parked.erase(given.inquiry_id)

    async def take_parked(self, parked: Parked) -> Sequence[Publishable]:
        """The messages of the decision on a parked input, or a dead letter when the input is still invalid."""
        if parked.discarded:
            return ()
        given = readable(parked.record)
        if isinstance(given, Input):
            return messages_of(await self.settle([given]))
        metrics.DEAD_LETTERS.labels("router", "permanent").inc()
        letter = dead_letter("router", parked.record, "permanent", str(given), 1)
        return [PreparedRecord(topics.dead_letters("router"), letter)]


def messages_of(decisions: Sequence[Decision]) -> list[Message]:
    return list(chain.from_iterable([one.messages for one in decisions]))


def rounds(batch: Sequence[Input]) -> Iterator[list[Input]]:
    """The first input of each inquiry, then the second of each, and so on, in order within each inquiry."""
    queues: dict[str, list[Input]] = defaultdict(list)
    for given in batch:
        queues[given.inquiry_id].append(given)
    for level in range(max(map(len, queues.values()), default=0)):
        yield [queue[level] for queue in queues.values() if len(queue) > level]


def look_at(case: Case, directory: CityIndex) -> Look:
    """When the timer loop must look at the case."""
    return Look(case.inquiry_id, case.sequence, next_ring(case, directory))


def earlier_looks(decided: Iterable[tuple[Case, Decision]], directory: CityIndex) -> Iterator[Look]:
    """The looks at cases whose next timer these decisions have brought forward.

    For the others the loop looks too early and finds that out: a write for each decision would cost more.
    """
    for before, decision in decided:
        look, known = look_at(after(before, decision), directory), next_ring(before, directory)
        if look.ring_at is not None and (known is None or look.ring_at < known):
            yield look


class Repeat(NamedTuple):
    """An input that was decided before, and the position at which it was read this time."""

    case: Case
    known: DecidedInput
    at: Place


def must_publish_again(known: DecidedInput, at: Place) -> bool:
    """Whether a repeat must publish the messages of its decision, because they may not have been published.

    The router commits offsets in the order of the log, after Kafka has confirmed the messages. So a copy at a later
    offset of the same partition publishes nothing: the first copy is either committed, or the router reads it again.
    A parked input is replayed from its own offset.
    """
    return at.partition != known.partition or at.offset <= known.offset


async def decide_all(
    cases: Mapping[str, Case], inputs: Sequence[Input], directory: CityIndex
) -> tuple[list[Decision], list[Repeat]]:
    """New decisions, and the inputs that were decided before."""
    fresh: list[Decision] = []
    repeated: list[Repeat] = []
    for at, given in enumerate(inputs):
        if not at % DECISIONS_BETWEEN_YIELDS:
            # Let the event loop send the messages of the previous batch.
            await asyncio.sleep(0)
        case = cases[given.inquiry_id]
        one = with_distinct_id(case, given)
        if one.id in case.causes:
            repeated.append(Repeat(case, case.causes[one.id], one.at))
        else:
            fresh.append(decide(case, one, directory))
    return fresh, repeated


async def lost_inserts(inserts: Sequence["asyncio.Task[set[str]]"]) -> set[str]:
    """Inquiries whose insert lost a race. Waits for all inserts, then raises the first failure."""
    lost: set[str] = set()
    for outcome in await asyncio.gather(*inserts, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        lost |= outcome
    return lost
