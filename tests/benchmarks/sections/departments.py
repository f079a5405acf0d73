"""A thousand departments: the first message to each, and throughput once their inboxes are known."""

import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from deploy.local.city import city_folder, read_city
from shared.kafka import topics
from tests.benchmarks.contest import Contender, Process, running
from tests.benchmarks.figures import Rounds, number, shown, table
from tests.benchmarks.messages import ResidentMessage
from tests.benchmarks.sections import Bench, Section

DEPARTMENTS, QUICK_DEPARTMENTS = 1_000, 200
CORE = Contender("core of a thousand", "tests.benchmarks.programs.core", "router-core")
WARM_UP = 100
LIMIT_S = 120.0


def measure(bench: Bench) -> Section:
    """A new core in each round, which knows no inbox: one message to each department, again, then many."""
    number_of = QUICK_DEPARTMENTS if bench.quick else DEPARTMENTS
    folder = bench.place.folder / "city-of-many"
    write_city(folder, number_of)
    many = replace(bench, city=read_city(folder))
    cold, again, warm = [], [], []
    for at in range(bench.fewer_rounds):
        first_s, second_s, per_s = _round(many, folder, number_of)
        cold.append(number_of / first_s)
        again.append(number_of / second_s)
        warm.append(per_s)
        bench.say(
            f"departments: round {at + 1}: cold {number(first_s)} s, again {number(second_s)} s, {number(per_s)}/s"
        )
    rows = {
        "first message to each": Rounds(tuple(cold)),
        "one more to each": Rounds(tuple(again)),
        f"{bench.size:,} more": Rounds(tuple(warm)),
    }
    return Section(
        figures={name: one.figures() for name, one in rows.items()},
        tables=[
            table(
                f"{number_of:,} departments, everything stored",
                ("", "a second", "range"),
                [(name, *shown(one.figures())) for name, one in rows.items()],
            )
        ],
    )


def write_city(folder: Path, number_of: int) -> None:
    """The benchmark city with this many departments."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(city_folder(), folder)
    missing = number_of - len(read_city(folder).departments)
    lines = (
        f"- {{code: office-{at:04}, name: {{zh: 第{at}办事处, en: Office {at}}}, kind: bureau}}\n"
        for at in range(missing)
    )
    with (folder / "departments.yaml").open("a", encoding="utf-8") as file:
        file.writelines(["\n", *lines])


def _round(bench: Bench, folder: Path, number_of: int) -> tuple[float, float, float]:
    """Seconds for one message to each department, twice; then inquiries per second."""
    broker = bench.place.broker
    bench.place.forget()
    broker.renew([one for one in bench.topics if not one.name.endswith(".outbox")])
    broker.forget(CORE.group)
    codes = [one.code for one in bench.city.active]
    messages = bench.messages(2 * number_of + bench.size, codes)
    with ExitStack() as ends:
        core = ends.enter_context(running(CORE, bench.place, CHORUS_CITY=str(folder)))
        # Messages to one department: afterwards the core runs, and knows only the inboxes of its rules.
        early = replace(bench, seed=bench.seed + 1).messages(WARM_UP, codes[:1])
        done = _take(bench, core, early, 0)[1]
        spans = []
        for first, last in ((0, number_of), (number_of, 2 * number_of), (2 * number_of, len(messages))):
            span_s, done = _take(bench, core, messages[first:last], done)
            spans.append(span_s)
    return spans[0], spans[1], bench.size / spans[2]


def _take(bench: Bench, core: Process, messages: list[ResidentMessage], done: int) -> tuple[float, int]:
    """Seconds from the first input to the last inbox message, and how many are done by then."""
    began_ms = time.time() * 1000
    bench.place.broker.write((topics.INPUTS, one.record) for one in messages)
    done += len(messages)
    bench.place.broker.until_committed(CORE.group, [topics.INPUTS], done, core.alive, LIMIT_S)
    return (bench.place.broker.last_append_ms(bench.inboxes) - began_ms) / 1000, done
