"""Groups a capture by inquiry, with each record once; repeats under the same id are counted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.audit.capture import EVENTS, INPUTS, RESIDENTS, Accepted, Capture, Decision, Record
from tests.chaos.audit.findings import Findings


@dataclass
class Case:
    """One inquiry in topics and stores, each list in order of first appearance."""

    inquiry_id: str
    accepted: Accepted | None = None
    inputs: list[Record] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)
    told: list[Record] = field(default_factory=list)
    inbox: list[Record] = field(default_factory=list)
    outbox: list[Record] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    scored: list[Mapping[str, Any]] = field(default_factory=list)

    def events_of(self, kind: str) -> list[Record]:
        """Its events of one type."""
        return [one for one in self.events if one.kind == kind]

    def told_of(self, what: str) -> list[Record]:
        """The messages to its resident of one kind."""
        return [one for one in self.told if one.data.get("what") == what]

    @property
    def parts(self) -> dict[str, str]:
        """The valid parts with their departments: offered, neither returned nor withdrawn."""
        return {part: department for round_ in self.rounds for part, department in self.parts_of(round_).items()}

    @property
    def rounds(self) -> list[int]:
        """The rounds in which parts were offered."""
        return sorted({int(one.data.get("round", 1)) for one in self.events_of("part.offered")})

    def parts_of(self, round_: int) -> dict[str, str]:
        """The valid parts of a round with their departments."""
        gone = {one.data["part_id"] for kind in ("part.returned", "part.withdrawn") for one in self.events_of(kind)}
        offered = [one.data for one in self.events_of("part.offered") if one.data.get("round", 1) == round_]
        return {one["part_id"]: one["department"] for one in offered if one["part_id"] not in gone}


def lay_out(capture: Capture, findings: Findings) -> dict[str, Case]:
    """Every inquiry in the capture, by number."""
    cases: dict[str, Case] = {}

    def case(inquiry_id: str) -> Case:
        return cases.setdefault(inquiry_id, Case(inquiry_id))

    for accepted in capture.accepted:
        for inquiry_id in accepted.inquiry_ids:
            case(inquiry_id).accepted = accepted
    for record in once_each(capture.records, findings):
        if (pile := _pile(record.topic)) is not None:
            getattr(case(record.inquiry_id), pile).append(record)
    for decision in capture.decisions:
        case(decision.inquiry_id).decisions.append(decision)
    for event in capture.scored:
        case(event["inquiry_id"]).scored.append(event)
    return cases


def _pile(topic: str) -> str | None:
    match topic:
        case str() if topic.startswith("departments."):
            return topic.rpartition(".")[2]
        case _:
            return {INPUTS: "inputs", EVENTS: "events", RESIDENTS: "told"}.get(topic)


def once_each(records: Iterable[Record], findings: Findings) -> list[Record]:
    """The first record of every id on every topic; the same id with other bytes is a duplicate.

    A repeated input has another salt when the gate accepts it twice; messages of the core are repeated unchanged.
    """
    first: dict[tuple[str, str], Record] = {}
    for record in records:
        known = first.setdefault((record.topic, record.id), record)
        if known is record or record.topic.endswith(".dead-letters"):
            continue
        findings.repeated[_place(record.topic)] += 1
        if known.value != record.value:
            findings.double(record.inquiry_id, f"the id {record.id} in {record.topic} stands for two different texts")
        elif known.headers != record.headers and _of_the_core(record.topic):
            findings.wrong(record.inquiry_id, f"the id {record.id} in {record.topic} comes again with other headers")
    return list(first.values())


def _place(topic: str) -> str:
    return f"departments.*.{topic.rpartition('.')[2]}" if topic.startswith("departments.") else topic


def _of_the_core(topic: str) -> bool:
    return topic in (EVENTS, RESIDENTS) or topic.endswith(".inbox")
