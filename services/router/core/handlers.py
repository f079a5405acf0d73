"""The core: one decision for each input of the log."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from services.router.core.decision_metrics import count_decisions
from services.router.core.input_decoder import readable
from services.router.domain.case import Case, Decided
from services.router.domain.city_index import CityIndex
from services.router.domain.decide import decide, told_apart
from services.router.domain.decision import Decision, Input, Place
from services.router.stores.parked_inputs import Parked
from services.router.stores.store import RouterStore
from shared.contracts.envelope import Message
from shared.contracts.inputs import CaseReplay, InquiryReceived
from shared.kafka import topics
from shared.kafka.dead_letters import dead_letter
from shared.kafka.publisher import PreparedRecord, Publishable
from shared.kafka.records import Record
from shared.runtime import metrics
from shared.service.city_feed import CityFeed

MOST_INPUTS = 500
"""An input becomes many messages: so few that what two batches hold stays close to the processor."""
AT_A_STRETCH = 25
STORED_TOGETHER = 125


@dataclass
class Core:
    """Decides inputs in the order of the log. Every step is safe to repeat: the insert tells what has happened before."""

    store: RouterStore
    city: CityFeed[CityIndex]
    _replayed: dict[str, list[Parked]] = field(default_factory=dict)
    """For each replay in hand, the parked inputs that it has taken."""

    async def decide_inputs(self, batch: Sequence[Input]) -> list[Publishable]:
        """Decide round by round, at most one input of each inquiry a round, so that a lost race is seen before the next.

        Returns the messages of all decisions, new and repeated.
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
        """Once what follows is published, forget the parked inputs that replays of this batch have taken."""
        for given in batch:
            if given.type == CaseReplay.type and (taken := self._replayed.get(given.id)) is not None:
                await self.store.parked.remove(taken)
                del self._replayed[given.id]

    async def settle(self, inputs: Sequence[Input]) -> list[Decision]:
        """Decide inputs of different inquiries; those whose place was taken meanwhile are loaded and decided again.

        Some are being stored while the next are decided. Returns the decisions whose messages must go out.
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
                for start in range(0, len(inputs), STORED_TOGETHER):
                    fresh, repeated = await decide_all(cases, inputs[start : start + STORED_TOGETHER], directory)
                    inserts.append(asyncio.create_task(self._keep(cases, fresh)))
                    decided += fresh
                    places += [(case.inquiry_id, known.n) for case, known, at in repeated if unsaid(known, at)]
            finally:
                lost = await everything(inserts)
            settled += [one for one in decided if one.inquiry_id not in lost]
            settled += await self.store.decisions.at(places)
            inputs, new = [given for given in inputs if given.inquiry_id in lost], frozenset()
        return settled

    async def _keep(self, cases: Mapping[str, Case], decided: Sequence[Decision]) -> set[str]:
        """Store decisions, and count them; the inquiries of those whose place was taken."""
        lost = await self.store.decisions.insert([(cases[one.inquiry_id], one) for one in decided])
        count_decisions([one for one in decided if one.inquiry_id not in lost])
        return lost

    # ── parking: an input that fails for good holds up its own inquiry, and no other ─────────────

    async def refresh(self) -> None:
        """Which inquiries are parked: another process may have parked some."""
        self.store.parked.held = await self.store.parked.inquiries()

    def waits(self, given: Input) -> str | None:
        """An input of a parked inquiry queues behind; a replay lets go, and what comes after it goes on."""
        if given.type == CaseReplay.type:
            self.store.parked.held.discard(given.inquiry_id)
        if given.inquiry_id not in self.store.parked.held:
            return None
        return f"An earlier input of {given.inquiry_id} is parked; this one queues behind it."

    async def park(self, record: Record, given: Input, kind: str, reason: str) -> None:
        """Keep the input and hold its inquiry; a replay that failed leaves what it was to take where it is.

        Nothing is kept of an erased inquiry, and nothing held.
        """
        if given.type == CaseReplay.type:
            self._replayed.pop(given.id, None)
        else:
            await self.store.parked.add(Parked(record, given.inquiry_id, kind, reason))
        self.store.parked.held.add(given.inquiry_id)
        # Asked after the input is kept: an erasure that came in between has not seen it.
        if await self.store.tombstones.through_of([given.inquiry_id]):
            await self.store.parked.erase(given.inquiry_id)

    async def take_parked(self, parked: Parked) -> Sequence[Publishable]:
        """What follows from one parked input now: a decision's messages, or a dead letter again when it is still invalid."""
        if parked.discarded:
            return ()
        given = readable(parked.record)
        if isinstance(given, Input):
            return messages_of(await self.settle([given]))
        metrics.DEAD_LETTERS.labels("router", "permanent").inc()
        letter = dead_letter("router", parked.record, "permanent", str(given), 1)
        return [PreparedRecord(topics.dead_letters("router"), letter)]


def messages_of(decisions: Sequence[Decision]) -> list[Message]:
    """The messages of all these decisions, in order."""
    return list(chain.from_iterable([one.messages for one in decisions]))


def rounds(batch: Sequence[Input]) -> Iterator[list[Input]]:
    """All first inputs of the inquiries, then all second ones; the order within an inquiry is kept."""
    queues: dict[str, list[Input]] = defaultdict(list)
    for given in batch:
        queues[given.inquiry_id].append(given)
    for level in range(max(map(len, queues.values()), default=0)):
        yield [queue[level] for queue in queues.values() if len(queue) > level]


class Repeat(NamedTuple):
    """An input that was decided before, and where it lies this time."""

    case: Case
    known: Decided
    at: Place


def unsaid(known: Decided, at: Place) -> bool:
    """Whether what follows from a decision may never have gone out, so that a repeat of its input must say it again.

    Offsets are committed in the order of the log, after confirmation. So a copy further on in the same partition needs
    nothing: the first one is either committed, or will be read again itself. One that was parked is replayed from its
    own place.
    """
    return at.partition != known.partition or at.offset <= known.offset


async def decide_all(
    cases: Mapping[str, Case], inputs: Sequence[Input], directory: CityIndex
) -> tuple[list[Decision], list[Repeat]]:
    """New decisions, and the inputs that were decided before.

    It lets go now and then, so that what the former batch says goes out meanwhile.
    """
    fresh: list[Decision] = []
    repeated: list[Repeat] = []
    for at, given in enumerate(inputs):
        if not at % AT_A_STRETCH:
            await asyncio.sleep(0)
        case = cases[given.inquiry_id]
        one = told_apart(case, given)
        if one.id in case.causes:
            repeated.append(Repeat(case, case.causes[one.id], one.at))
        else:
            fresh.append(decide(case, one, directory))
    return fresh, repeated


async def everything(inserts: Sequence["asyncio.Task[set[str]]"]) -> set[str]:
    """Whose place was taken in any of them; all have ended when the first failure is raised."""
    lost: set[str] = set()
    for outcome in await asyncio.gather(*inserts, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        lost |= outcome
    return lost
