"""Schedules: Hypothesis interleaves two router processes with crashes, rebalances, outages and repeats."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.router.core.input_decoder import readable
from services.router.domain.case import Case
from services.router.domain.decision import Input
from shared.kafka.records import Record
from tests.builders import (
    Step,
    accepted,
    assigned,
    contributed,
    given_by,
    input_record,
    link_requested,
    rated,
    received,
    replayed,
    replied,
    returned,
    withdrawn,
)
from tests.component.schedules.audit import violations
from tests.component.schedules.process import Made, Process
from tests.component.schedules.timeless import Timeless
from tests.component.schedules.world import PARTITIONS, How, World

INQUIRIES = ("20260316-0000000A", "20260316-0000000B", "20260316-0000000C")
NAMES = ("first", "second")
TURNS = 6
inquiries = st.sampled_from(INQUIRIES)
processes = st.sampled_from(NAMES)
partitions = st.sets(st.sampled_from(range(PARTITIONS)))
answers = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([How.ON] * 5 + list(How))), min_size=6, max_size=18)


def steps(inquiry_id: str) -> Mapping[str, Step]:
    """Inputs about an inquiry, whether they fit its state or not."""
    p1, p2 = f"{inquiry_id}-p1", f"{inquiry_id}-p2"
    return {
        "received for two": received("路灯和路面"),
        "received for one": received("水管"),
        "received for nobody yet": received("别的事"),
        "accepted": accepted("lighting", part=p1),
        "accepted by the other": accepted("roads", part=p2),
        "contributed": contributed("lighting", "亮了", part=p1),
        "contributed by the other": contributed("roads", "补了", part=p2),
        "returned": returned("roads", part=p2),
        "replied": replied("water", "在修", part=p1),
        "of nobody": accepted("parks", part=f"{inquiry_id}-p9"),
        "assigned": assigned("parks", "noise"),
        "withdrawn": withdrawn("roads"),
        "rated": rated(),
        "link requested": link_requested(),
    }


def agreed(amiss: Iterable[str]) -> None:
    """Fail with one sentence for every violated invariant."""
    if said := "; ".join(amiss):
        raise AssertionError(said)


WRONG: Mapping[str, tuple[bytes | None, bytes]] = {
    "no JSON": (b"{", b"chorus.inquiry.rated"),
    "tombstone": (None, b"chorus.inquiry.rated"),
    "unknown type": (b"{}", b"chorus.inquiry.sung"),
    "another's key": (b'{"inquiry_id": "20260316-0000000Z", "by": "x"}', b"chorus.case.replay"),
}


class Schedule(RuleBasedStateMachine):
    """At the end of every schedule all pending work is done; then nothing may be lost, duplicated or out of order."""

    made = Made()

    def __init__(self) -> None:
        super().__init__()
        self.world, self.loop = World(), Timeless()
        self.processes: dict[str, Process] = {}
        self.written = 0

    # ── what is written ──────────────────────────────────────────────────────

    @initialize(much=st.tuples(*[st.lists(st.sampled_from(list(steps(""))), max_size=6)] * len(INQUIRIES)))
    def begin(self, much: Sequence[Sequence[str]]) -> None:
        """Write the first inputs."""
        for inquiry_id, what in zip(INQUIRIES, much, strict=True):
            self.write(inquiry_id, ["received for two", *what])

    def put(self, inquiry_id: str, record: Record) -> None:
        self.world.append(INQUIRIES.index(inquiry_id) % PARTITIONS, record)

    def enter(self, inquiry_id: str, step: Step) -> None:
        self.written += 1
        self.put(inquiry_id, input_record(given_by(step, Case(inquiry_id), self.written)))

    @rule(inquiry_id=inquiries, what=st.lists(st.sampled_from(list(steps(""))), min_size=1, max_size=6))
    def write(self, inquiry_id: str, what: Sequence[str]) -> None:
        for one in what:
            self.enter(inquiry_id, steps(inquiry_id)[one])

    @rule(inquiry_id=inquiries, what=st.sampled_from(list(WRONG)))
    def write_what_is_wrong(self, inquiry_id: str, what: str) -> None:
        value, kind = WRONG[what]
        headers = [("ce_type", kind), ("ce_id", b"wrong"), ("ce_recordedtime", b"2026-03-16T04:00:00.000Z")]
        self.put(inquiry_id, Record("", 0, 0, 0, inquiry_id.encode(), value, headers))

    def inputs(self) -> list[tuple[Record, Input]]:
        """The inputs on the log."""
        read = [(record, readable(record)) for record in self.world.records()]
        return [(record, given) for record, given in read if isinstance(given, Input)]

    @rule(data=st.data())
    def write_again(self, data: st.DataObject) -> None:
        record, given = data.draw(st.sampled_from(self.inputs()))
        self.put(given.inquiry_id, record)

    @rule(data=st.data(), what=st.sampled_from(["rated", "accepted"]))
    def write_other_bytes_under_an_id(self, data: st.DataObject, what: str) -> None:
        _, given = data.draw(st.sampled_from(self.inputs()))
        step = replace(steps(given.inquiry_id)[what], id=given.id)
        self.put(given.inquiry_id, input_record(given_by(step, Case(given.inquiry_id), 99)))

    # ── what the processes do ────────────────────────────────────────────────

    @rule(name=processes, most=st.integers(1, 6), answers=answers)
    def take(self, name: str, most: int, answers: Sequence[tuple[int, How]]) -> None:
        """Poll the next records, and complete some of the pending operations in some way."""
        process = self.of(name)
        process.poll(most)
        for which, how in answers:
            if asked := process.hand.pending:
                process.answer(asked[which % len(asked)], how)

    @rule(name=processes, answers=answers)
    def take_all(self, name: str, answers: Sequence[tuple[int, How]]) -> None:
        """Take several batches."""
        for number in range(3):
            self.take(name, 2, answers[number::3])

    @rule(name=processes)
    def work(self, name: str) -> None:
        """Read to the end of the log, unless a dependency is unavailable."""
        process = self.of(name)
        for _ in range(TURNS):
            process.poll(8)
            process.work()

    @rule(name=processes, owned=partitions, answers=answers, how=st.sampled_from(["killed", "drains", "is cut off"]))
    def goes_and_comes(self, name: str, owned: set[int], answers: Sequence[tuple[int, How]], how: str) -> None:
        """Restart a process or move partitions; the other process may keep the same partitions."""
        self.take(name, 4, answers)
        if how == "killed":
            self.start(name, owned)
        else:
            if how == "drains":
                self.of(name).work()
            self.of(name).assign(owned)

    def of(self, name: str) -> Process:
        """The running process with this name."""
        if name not in self.processes:
            self.start(name, set(range(PARTITIONS)))
        return self.processes[name]

    def start(self, name: str, owned: set[int]) -> None:
        """Start a process in place of the previous one with this name."""
        self.kill(name)
        self.processes[name] = Process(self.world, self.loop, self.made)
        self.processes[name].assign(owned)

    def kill(self, name: str) -> None:
        """Kill a process; its pending operations have no effect."""
        if name in self.processes:
            self.processes.pop(name).kill()

    # ── what befalls them ────────────────────────────────────────────────────

    @rule(name=processes, what=st.sampled_from(["store", "broker"]), answers=answers)
    def outage(self, name: str, what: str, answers: Sequence[tuple[int, How]]) -> None:
        """Make a dependency unavailable for a while."""
        self.world.away = {what}
        self.take(name, 3, answers)
        self.world.away = set()

    @rule(data=st.data(), name=processes)
    def a_defect_shows(self, data: st.DataObject, name: str) -> None:
        """One input makes its decision fail until the bug is fixed."""
        _, given = data.draw(st.sampled_from(self.inputs()))
        self.world.poison = {given.id}
        self.world.poisoned.add(given.id)
        self.work(name)

    @rule(mended=st.booleans())
    def replay(self, mended: bool) -> None:
        """Deliver late records, and replay parked inputs."""
        if mended:
            self.world.poison = set()
        for rows in self.world.late:
            self.world.deliver(rows)
        self.world.late = []
        for inquiry_id in sorted(self.world.parked()):
            self.enter(inquiry_id, replayed())

    # ── what must be true ────────────────────────────────────────────────────

    @invariant()
    def nothing_is_amiss(self) -> None:
        agreed(self.world.violations)
        for name in [name for name, one in self.processes.items() if one.broken]:
            self.start(name, self.processes[name].consumer.owned)  # as a supervisor would

    def teardown(self) -> None:
        try:
            if not self.world.violations:
                self.end()
            agreed(violations(self.world))
        finally:
            self.loop.end()

    def end(self) -> None:
        """End all outages and faults, and replay parked inputs."""
        for name in NAMES:
            self.kill(name)
        self.replay(mended=True)
        self.start("first", set(range(PARTITIONS)))
        for _ in range(TURNS):
            while self.world.committed != [len(one) for one in self.world.log]:
                before = list(self.world.committed)
                self.work("first")
                assert self.world.committed != before, "no progress"
            self.replay(mended=True)
