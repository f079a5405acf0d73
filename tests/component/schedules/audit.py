"""The invariants that must hold after a schedule has ended."""

from collections.abc import Iterator

from services.router.core.input_decoder import readable
from services.router.domain.case import Case
from services.router.domain.decide import decide, with_distinct_id
from services.router.domain.decision import Decision, Input, after
from services.router.domain.timers import next_ring
from shared.contracts.case_commands import CaseReplay
from shared.kafka import topics
from shared.kafka.failures import InvalidRecord
from shared.kafka.records import Record
from shared.runtime import timestamps
from tests.builders import DIRECTORY
from tests.component.schedules.world import World, decided_as, decoded
from tests.fakes import header


def violations(world: World) -> Iterator[str]:
    """One sentence for every violated invariant."""
    yield from world.violations
    inputs: dict[str, list[Input]] = {}
    for record in world.records():
        given = readable(record)
        if isinstance(given, InvalidRecord):
            if record.place not in world.places_of_letters():
                yield f"{record.place} is wrong and has no dead letter"
        else:
            inputs.setdefault(given.inquiry_id, []).append(given)
    for inquiry_id, some in inputs.items():
        yield from of_an_inquiry(world, inquiry_id, some)
    yield from of_the_topics(world, inputs)
    yield from of_the_letters(world)
    if world.documents["parked"]:
        yield f"still parked: {sorted(world.documents['parked'])}"


def of_an_inquiry(world: World, inquiry_id: str, inputs: list[Input]) -> Iterator[str]:
    """Each input is decided once, in log order, with the result of the pure core."""
    decisions = world.decisions_of(inquiry_id)
    if [one.n for one in decisions] != list(range(1, len(decisions) + 1)):
        yield f"the decisions of {inquiry_id} are {[one.n for one in decisions]}"
    first_places: list[int] = []
    case = Case(inquiry_id)
    for decision in decisions:
        at = next(
            (n for n, given in enumerate(inputs) if decided_as(decision, given) and counts(decision, given)), None
        )
        if at is None:
            yield f"{decision.cause!r} was decided and is not on the log"
            return
        if decide(case, with_distinct_id(case, inputs[at]), DIRECTORY) != decision:
            yield f"decision {decision.n} of {inquiry_id} is not what follows from the ones before"
        first_places.append(at)
        case = after(case, decision)
    yield from of_the_timers(world, inquiry_id, case)
    if len(set(first_places)) != len(first_places):
        yield f"an input of {inquiry_id} was decided twice: {first_places}"
    # A replay that one process gave up does not block the inquiry: another process may still decide it.
    given_up = {header(row, "ce_id") for row in world.letters if header(row, "dl_kind") == "exhausted"}
    in_line = [n for n in first_places if inputs[n].type != CaseReplay.type or inputs[n].id not in given_up]
    if in_line != sorted(in_line):
        yield f"the inputs of {inquiry_id} were decided in the order {first_places}"
    for given in inputs:
        # An operator replays the dead letter of a failed replay again.
        if given.type != CaseReplay.type and not any(decided_as(one, given) for one in decisions):
            yield f"{given.id!r} was never decided"


def of_the_timers(world: World, inquiry_id: str, case: Case) -> Iterator[str]:
    """The router looks at a case no later than its next timer rings."""
    rings_at = next_ring(case, DIRECTORY)
    kept = world.documents["timers"].get(inquiry_id)
    look_at = decoded(kept).get("due_at") if kept else None
    if rings_at is not None and (look_at is None or timestamps.to_ms(look_at) > rings_at):
        yield f"the next timer of {inquiry_id} rings at {rings_at}, and the next look is at {look_at}"


def counts(decision: Decision, given: Input) -> bool:
    """Whether a decision may be made at this position: only the first copy of an input counts.

    A `replay` command is the exception: a process that gave up its first copy does not block the inquiry.
    """
    return given.type != CaseReplay.type or given.at == decision.at


def of_the_topics(world: World, inquiry_ids: dict[str, list[Input]]) -> Iterator[str]:
    """The published messages are exactly those of the decisions, byte for byte."""
    decisions: list[Decision] = [one for inquiry_id in inquiry_ids for one in world.decisions_of(inquiry_id)]
    expected = {
        (one.topic, one.id): (*one.record[:2], tuple(one.record[2]))
        for decision in decisions
        for one in decision.messages
    }
    said = {(topic, id_): row for topic, rows in world.topics.items() for id_, row in rows.items()}
    for topic, id_ in said.keys() ^ expected.keys():
        yield f"{id_!r} in {topic} was " + ("said by no decision" if (topic, id_) in said else "never said")
    for place, row in said.items():
        if expected.get(place, row) != row:
            yield f"{place} is not what its decision says"
    for inquiry_id in inquiry_ids:
        rows = [row for row in world.topics[topics.EVENTS].values() if row[0] == inquiry_id.encode()]
        sequences = sorted(int(header(row, "ce_sequence")) for row in rows)
        if sequences != list(range(1, len(sequences) + 1)):
            yield f"the events of {inquiry_id} are {sequences}"


def of_the_letters(world: World) -> Iterator[str]:
    """Dead letters are invalid records, undecidable inputs, and inputs parked behind them; nothing else."""
    # A process killed between parking and its dead letter finds the input parked, so the letter has the kind `parked`.
    defects = [
        given for given in map(readable, world.records()) if isinstance(given, Input) and given.id in world.poisoned
    ]
    given_up = {one.key for one in records_with(world, "exhausted")} | {one.inquiry_id.encode() for one in defects}
    for place, rows in world.places_of_letters().items():
        if len({row[:2] for row in rows}) != 1:
            yield f"the letters of {place} hold different bytes"
    for record in records_with(world, "permanent"):
        if not isinstance(readable(record), InvalidRecord):
            yield f"{record.place} was put aside as wrong, and is not"
    for record in records_with(world, "exhausted"):
        given = readable(record)
        replay = isinstance(given, Input) and given.type == CaseReplay.type
        if isinstance(given, InvalidRecord) or (given.id not in world.poisoned and not replay):
            yield f"{record.place} was given up without need"
    for record in records_with(world, "parked"):
        if record.key not in given_up:
            yield f"{record.place} queues behind nothing"


def records_with(world: World, kind: str) -> Iterator[Record]:
    """The records that have a dead letter of this kind."""
    letters = world.places_of_letters()
    for record in world.records():
        if any(header(row, "dl_kind") == kind for row in letters.get(record.place, ())):
            yield record
