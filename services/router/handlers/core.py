"""The core: one decision for each input of the log."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from pydantic import ValidationError

from services.router.domain.case import Case
from services.router.domain.decide import decide, told_apart
from services.router.domain.decision import Decision, Input
from services.router.domain.directory import Directory
from services.router.store import Parked, Store
from shared.contracts import ids
from shared.contracts.envelope import Payload
from shared.contracts.inputs import INPUTS, CaseReplay, InquiryReceived, PartMessage
from shared.kafka import topics
from shared.kafka.publisher import Publisher
from shared.kafka.records import InvalidRecord, Record, dead_letter
from shared.kafka.subscription import Confirm
from shared.runtime import metrics
from shared.runtime.logging import log
from shared.service.city_feed import CityFeed

DEPARTMENT_SOURCE = "departments/"
LABELS_MAX = 100
MOST_INPUTS = 500
"""An input becomes many messages: so few that what two batches hold stays close to the processor."""
AT_A_STRETCH = 25
STORED_TOGETHER = 125


@dataclass
class Core:
    """Decides inputs in the order of the log; every step may be repeated, the insert tells what has happened."""

    store: Store
    publisher: Publisher
    city: CityFeed[Directory]
    _parked: set[str] = field(default_factory=set)

    async def decide_inputs(self, batch: Sequence[Input]) -> Confirm:
        """Round by round: at most one input of each inquiry at a time, so that a lost race is seen before the next.

        What the decisions say is published when all of them are stored.
        """
        decisions: list[Decision] = []
        taken: list[Parked] = []
        for inputs in rounds(batch):
            replayed = [given.inquiry_id for given in inputs if given.type == CaseReplay.type]
            for one in await self.store.parked_of(replayed) if replayed else ():
                decisions += await self.take_parked(one)
                taken.append(one)
            decisions += await self.settle(inputs)

        async def confirm() -> None:
            await self.publisher.publish(chain.from_iterable([one.messages for one in decisions]))
            if taken:
                await self.store.unpark(taken)

        return confirm

    async def settle(self, inputs: Sequence[Input]) -> list[Decision]:
        """Decide inputs of different inquiries; those whose place was taken meanwhile are loaded and decided again.

        Some are being stored while the next are decided.
        """
        settled: list[Decision] = []
        new = frozenset(given.inquiry_id for given in inputs if given.type == InquiryReceived.type)
        while inputs:
            cases = await self.store.load([given.inquiry_id for given in inputs], new)
            directory = self.city.current()
            decided: list[Decision] = []
            places: list[tuple[str, int]] = []
            inserts: list[asyncio.Task[set[str]]] = []
            try:
                for start in range(0, len(inputs), STORED_TOGETHER):
                    fresh, repeated = await decide_all(cases, inputs[start : start + STORED_TOGETHER], directory)
                    inserts.append(asyncio.create_task(self._keep(cases, fresh)))
                    decided += fresh
                    places += repeated
            finally:
                lost = await everything(inserts)
            settled += [one for one in decided if one.inquiry_id not in lost]
            settled += await self.store.decisions_at(places)
            inputs, new = [given for given in inputs if given.inquiry_id in lost], frozenset()
        return settled

    async def _keep(self, cases: Mapping[str, Case], decided: Sequence[Decision]) -> set[str]:
        """Store decisions, and count them; the inquiries of those whose place was taken."""
        lost = await self.store.insert([(cases[one.inquiry_id], one) for one in decided])
        tell([one for one in decided if one.inquiry_id not in lost])
        return lost

    # ── parking: an input that fails for good holds up its own inquiry, and no other ─────────────

    async def refresh(self) -> None:
        """Which inquiries are parked: another process may have parked some."""
        self._parked = await self.store.parked_inquiries()

    def waits(self, given: Input) -> str | None:
        """An input of a parked inquiry queues behind; a replay lets go, and what comes after it goes on."""
        if given.type == CaseReplay.type:
            self._parked.discard(given.inquiry_id)
        if given.inquiry_id not in self._parked:
            return None
        return f"An earlier input of {given.inquiry_id} is parked; this one queues behind it."

    async def park(self, record: Record, given: Input, kind: str, reason: str) -> None:
        """Keep the input and hold its inquiry; a replay that failed leaves what it was to take where it is."""
        if given.type != CaseReplay.type:
            await self.store.park(Parked(record, given.inquiry_id, kind, reason))
        self._parked.add(given.inquiry_id)

    async def take_parked(self, parked: Parked) -> list[Decision]:
        """Decide one parked input now; what is still wrong becomes a dead letter once more."""
        if parked.discarded:
            return []
        given = readable(parked.record)
        if isinstance(given, Input):
            return await self.settle([given])
        letter = dead_letter("router", parked.record, "permanent", str(given), 1)
        await self.publisher.publish_raw({topics.dead_letters("router"): [letter]})
        metrics.DEAD_LETTERS.labels("router", "permanent").inc()
        return []


def rounds(batch: Sequence[Input]) -> Iterator[list[Input]]:
    """All first inputs of the inquiries, then all second ones; the order within an inquiry is kept."""
    queues: dict[str, list[Input]] = defaultdict(list)
    for given in batch:
        queues[given.inquiry_id].append(given)
    for level in range(max(map(len, queues.values()), default=0)):
        yield [queue[level] for queue in queues.values() if len(queue) > level]


async def decide_all(
    cases: Mapping[str, Case], inputs: Sequence[Input], directory: Directory
) -> tuple[list[Decision], list[tuple[str, int]]]:
    """New decisions, and where the decisions lie of inputs that were decided before.

    It lets go now and then, so that what the former batch says goes out meanwhile.
    """
    fresh: list[Decision] = []
    repeated: list[tuple[str, int]] = []
    for at, given in enumerate(inputs):
        if not at % AT_A_STRETCH:
            await asyncio.sleep(0)
        case = cases[given.inquiry_id]
        one = told_apart(case, given)
        if one.id in case.causes:
            repeated.append((case.inquiry_id, case.causes[one.id][0]))
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


def tell(decisions: Sequence[Decision]) -> None:
    """Count what was decided; which case, and what of it, stands in the decisions themselves."""
    offered: Counter[str] = Counter()
    joint = refused = 0
    for decision in decisions:
        refused += decision.refusal is not None
        for fact in decision.facts:
            if fact.type == "part.offered":
                offered[fact.data["department"]] += 1
            elif fact.type == "inquiry.answered" and len(fact.data["departments"]) > 1:
                joint += 1
    for department, parts in offered.items():
        metrics.ASSIGNMENTS.labels(label(department)).inc(parts)
    metrics.JOINT_REPLIES.inc(joint)
    if decisions:
        log.info("decided", extra={"decisions": len(decisions), "refused": refused})


_labels: set[str] = set()


def label(department: str) -> str:
    """A department's label in metrics: the first hundred by name, all further ones as `other`."""
    if len(_labels) < LABELS_MAX:
        _labels.add(department)
    return department if department in _labels else "other"


def read_input(record: Record) -> Input:
    """An input from the log. Only doors write there, so whatever is not as they write it is wrong."""
    headers = record.attributes()
    kind, id_, recorded_at = headers.get("ce_type"), headers.get("ce_id"), headers.get("ce_recordedtime")
    if not kind or not id_ or not recorded_at or record.value is None:
        raise InvalidRecord("An input needs ce_type, ce_id, ce_recordedtime and a value.")
    if kind not in INPUTS:
        raise InvalidRecord(f"{kind!r} is no type of input.")
    try:
        payload = INPUTS[kind].model_validate_json(record.value)
    except ValidationError as error:
        raise InvalidRecord(f"This is no {kind}: {error}") from error
    inquiry_id = inquiry_of(payload)
    if inquiry_id is None or record.key != inquiry_id.encode():
        raise InvalidRecord(f"The key {record.key!r} is not the inquiry {inquiry_id!r} that the value speaks of.")
    source = headers.get("ce_source", "")
    return Input(
        id=id_,
        type=kind,
        inquiry_id=inquiry_id,
        payload=payload,
        recorded_at=recorded_at,
        digest=headers.get("ce_digest") or ids.digest(kind.encode() + b"\n" + record.value),
        department=source.removeprefix(DEPARTMENT_SOURCE) if source.startswith(DEPARTMENT_SOURCE) else None,
        origin=headers.get("ce_causationid"),
    )


def readable(record: Record) -> Input | InvalidRecord:
    """The input that a record holds, or what is wrong with it."""
    try:
        given = read_input(record)
    except InvalidRecord as wrong:
        return wrong
    return given


def inquiry_of(payload: Payload) -> str | None:
    """The inquiry a payload speaks of."""
    if isinstance(payload, PartMessage):
        return ids.inquiry_of(payload.part_id)
    return getattr(payload, "inquiry_id", None)
