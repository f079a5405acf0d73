"""The core: one decision for each input of the log."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from services.router.domain.case import Case
from services.router.domain.decide import decide, told_apart
from services.router.domain.decision import Decision, Input
from services.router.domain.directory import Directory
from services.router.store import Store
from shared import ids, metrics
from shared.cityfeed import CityFeed
from shared.events import INPUTS, InquiryReceived, PartMessage, Payload
from shared.logs import log
from shared.publishing import Publisher
from shared.records import Record, Wrong

DEPARTMENT_SOURCE = "departments/"
LABELS_MAX = 100


@dataclass
class Core:
    """Decides inputs in the order of the log; every step may be repeated, the insert tells what has happened."""

    store: Store
    publisher: Publisher
    city: CityFeed[Directory]

    async def decide_inputs(self, batch: Sequence[Input]) -> None:
        """Round by round: at most one input of each inquiry at a time, so that a lost race is seen before the next."""
        for inputs in rounds(batch):
            await self.settle(inputs)

    async def settle(self, inputs: Sequence[Input]) -> None:
        """Decide inputs of different inquiries; those whose place was taken meanwhile are loaded and decided again."""
        new = frozenset(given.inquiry_id for given in inputs if given.type == InquiryReceived.type)
        while inputs:
            cases = await self.store.load([given.inquiry_id for given in inputs], new)
            fresh, repeated = decide_all(cases, inputs, self.city.current())
            lost = await self.store.insert([(cases[one.inquiry_id], one) for one in fresh])
            won = [one for one in fresh if one.inquiry_id not in lost]
            again = await self.store.decisions_at(repeated)
            await self.publisher.publish(message for one in won + again for message in one.messages)
            tell(won)
            inputs, new = [given for given in inputs if given.inquiry_id in lost], frozenset()


def rounds(batch: Sequence[Input]) -> Iterator[list[Input]]:
    """All first inputs of the inquiries, then all second ones; the order within an inquiry is kept."""
    queues: dict[str, list[Input]] = defaultdict(list)
    for given in batch:
        queues[given.inquiry_id].append(given)
    for level in range(max(map(len, queues.values()), default=0)):
        yield [queue[level] for queue in queues.values() if len(queue) > level]


def decide_all(
    cases: Mapping[str, Case], inputs: Sequence[Input], directory: Directory
) -> tuple[list[Decision], list[tuple[str, int]]]:
    """New decisions, and where the decisions lie of inputs that were decided before."""
    fresh: list[Decision] = []
    repeated: list[tuple[str, int]] = []
    for given in inputs:
        case = cases[given.inquiry_id]
        one = told_apart(case, given)
        if one.id in case.causes:
            repeated.append((case.inquiry_id, case.causes[one.id][0]))
        else:
            fresh.append(decide(case, one, directory))
    return fresh, repeated


def tell(decisions: Sequence[Decision]) -> None:
    """Count and log what was decided, without anybody's words."""
    for decision in decisions:
        for fact in decision.facts:
            if fact.type == "part.offered":
                metrics.ASSIGNMENTS.labels(label(fact.data["department"])).inc()
            elif fact.type == "inquiry.answered" and len(fact.data["departments"]) > 1:
                metrics.JOINT_REPLIES.inc()
        outcome = "refused" if decision.refusal else ",".join(fact.type for fact in decision.facts)
        log.info("decided", extra={"inquiry_id": decision.inquiry_id, "n": decision.n, "outcome": outcome})


_labels: set[str] = set()


def label(department: str) -> str:
    """A department's label in metrics: the first hundred by name, all further ones as `other`."""
    if len(_labels) < LABELS_MAX:
        _labels.add(department)
    return department if department in _labels else "other"


def read_input(record: Record) -> Input | None:
    """An input from the log. Only doors write there, so whatever is not as they write it is wrong."""
    kind, id_, recorded_at = (record.header(name) for name in ("ce_type", "ce_id", "ce_recordedtime"))
    if not kind or not id_ or not recorded_at or record.value is None:
        raise Wrong("An input needs ce_type, ce_id, ce_recordedtime and a value.")
    if kind not in INPUTS:
        raise Wrong(f"{kind!r} is no type of input.")
    try:
        payload = INPUTS[kind].model_validate_json(record.value)
    except ValidationError as error:
        raise Wrong(f"This is no {kind}: {error}") from error
    inquiry_id = inquiry_of(payload)
    if inquiry_id is None or record.key != inquiry_id.encode():
        raise Wrong(f"The key {record.key!r} is not the inquiry {inquiry_id!r} that the value speaks of.")
    source = record.header("ce_source") or ""
    return Input(
        id=id_,
        type=kind,
        inquiry_id=inquiry_id,
        payload=payload,
        recorded_at=recorded_at,
        digest=record.header("ce_digest") or ids.digest(kind.encode() + b"\n" + record.value),
        department=source.removeprefix(DEPARTMENT_SOURCE) if source.startswith(DEPARTMENT_SOURCE) else None,
        origin=record.header("ce_causationid"),
    )


def inquiry_of(payload: Payload) -> str | None:
    """The inquiry a payload speaks of."""
    if isinstance(payload, PartMessage):
        return ids.inquiry_of(payload.part_id)
    return getattr(payload, "inquiry_id", None)
