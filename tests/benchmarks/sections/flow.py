"""Throughput of gate and scorer, a backlog ten times as long, and a second core process."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from shared.contracts.department_outbox import PartAccepted
from shared.contracts.envelope import PREFIX
from shared.kafka import topics
from shared.kafka.publisher import RawRecord
from tests.benchmarks.contest import Contender
from tests.benchmarks.figures import Rounds, number, ratio, shown, table
from tests.benchmarks.messages import ResidentMessage
from tests.benchmarks.sections import Bench, Section
from tests.benchmarks.workload import Load, Worked, work_off

REGISTERED = PREFIX + "inquiry.registered"
OFFERED = (PREFIX + "part.offered").encode()
CORE = Contender("core", "tests.benchmarks.programs.core", "router-core")
SECOND = Contender("core-2", "tests.benchmarks.programs.core", "router-core")
GATE = Contender("gate", "tests.benchmarks.programs.gate", "router-gate")
SCORER = Contender("scorer", "services.scorer", "scorer")
SHORT, LONG = 10_000, 100_000
QUICK_SHORT = 2_500
WARM_UP = 0.2
Found = dict[str, list[Worked]]


def measure(bench: Bench) -> Section:
    """Rounds of short and long backlogs with one process and with two; then gate and scorer on the result."""
    short, long = (QUICK_SHORT, QUICK_SHORT * LONG // SHORT) if bench.quick else (SHORT, LONG)
    messages = bench.messages(long)
    found: Found = defaultdict(list)
    names = (f"core, {short:,} waiting", f"core, {long:,} waiting", "core, one process", "core, two processes")
    # A long backlog varies less, so fewer rounds suffice.
    for at in range(max(bench.rounds // 2, 1)):
        for name, count in zip(names[:2], (short, long), strict=True):
            _note(bench, found, name, at, _core(bench, messages[:count], short // 5, CORE))
    for at in range(bench.fewer_rounds):
        for name, programs in zip(names[2:], ((CORE,), (CORE, SECOND)), strict=True):
            _note(bench, found, name, at, _core(bench, messages[: bench.size], round(bench.size * WARM_UP), *programs))
    for at in range(bench.fewer_rounds):
        _note(bench, found, "gate", at, _gate(bench))
        _note(bench, found, "scorer", at, _scorer(bench))
    return _section(found, names, long // short)


def _section(found: Found, names: tuple[str, ...], times: int) -> Section:
    rounds = {name: Rounds(tuple(one.per_s for one in worked)) for name, worked in found.items()}
    short, long, one, two = (rounds[name] for name in names)
    peaks = {name: max(one.peak_mib for one in worked) for name, worked in found.items()}
    figures: dict[str, Any] = {
        name: {"per_s": own.figures(), "peak_mib": round(peaks[name])} for name, own in rounds.items()
    }
    growth = round(times * ratio(short, long), 2)
    return Section(
        figures=figures,
        ratios={"backlog_growth": growth, "two_routers": ratio(two, one)},
        tables=[
            table(
                "The rest of the flow, everything stored",
                ("", "a second", "range", "peak MiB"),
                [(name, *shown(own.figures()), number(peaks[name])) for name, own in rounds.items()],
            )
        ],
        sentences=[
            f"A backlog {times} times as long takes {growth:g} times as long; "
            f"a process holds at most {peaks[names[0]]:.0f} MiB at the short one, {peaks[names[1]]:.0f} MiB at the long one."
        ],
    )


def _note(bench: Bench, found: Found, name: str, at: int, worked: Worked) -> None:
    found[name].append(worked)
    bench.say(f"flow: round {at + 1}: {name}: {number(worked.per_s)}/s, {worked.peak_mib:.0f} MiB")


def _core(bench: Bench, messages: list[ResidentMessage], warm_up: int, *programs: Contender) -> Worked:
    bench.fresh()
    bench.place.broker.write((topics.INPUTS, one.record) for one in messages)
    load = Load(CORE.group, [topics.INPUTS], len(messages), warm_up, topics.EVENTS, REGISTERED)
    return work_off(bench.place, load, *programs)


def _gate(bench: Bench) -> Worked:
    """Every offered part is accepted by its department."""
    broker = bench.place.broker
    broker.renew([one for one in bench.topics if one.name == topics.INPUTS or one.name.endswith(".outbox")])
    accepted = list(_acceptances(bench))
    broker.write(accepted)
    outboxes = [topics.outbox(one.code) for one in bench.city.active]
    warm_up = round(len(accepted) * WARM_UP)
    load = Load(GATE.group, outboxes, len(accepted), warm_up, topics.INPUTS, PartAccepted.type)
    return work_off(bench.place, load, GATE)


def _acceptances(bench: Bench) -> Iterator[tuple[str, RawRecord]]:
    for offered in bench.place.broker.read(bench.inboxes):
        headers = dict(offered.headers())
        if headers["ce_type"] == OFFERED:
            word = PartAccepted(part_id=json.loads(offered.value())["part_id"]).model_dump_json(exclude_none=True)
            about = [("ce_type", PartAccepted.type.encode()), ("ce_id", headers["ce_id"])]
            yield topics.outbox(topics.department_of(offered.topic())), (offered.key(), word.encode(), about)


def _scorer(bench: Bench) -> Worked:
    """Every event of the core."""
    bench.place.forget("chorus_scorer")
    count = sum(bench.place.broker.ends([topics.EVENTS]).values())
    return work_off(bench.place, Load(SCORER.group, [topics.EVENTS], count, round(count * WARM_UP)), SCORER)
