"""Throughput of the product's own processes on given topics, by the broker's clock or their commits, and their memory."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.contest import Contender, running
from tests.benchmarks.figures import rate
from tests.benchmarks.place import Place

LIMIT_S = 300.0


@dataclass(frozen=True)
class Load:
    """This many records on these topics for one group; each becomes a record of this type on another topic."""

    group: str
    reads: Sequence[str]
    count: int
    warm_up: int
    writes: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Worked:
    """Items per second, and the maximum memory of one process in MiB."""

    per_s: float
    peak_mib: float


def work_off(place: Place, load: Load, *programs: Contender) -> Worked:
    """Run the programs until all records are committed."""
    place.broker.forget(load.group)
    looks: list[tuple[float, int]] = []
    with ExitStack() as ends:
        processes = [ends.enter_context(running(one, place)) for one in programs]

        def alive() -> None:
            for process in processes:
                process.alive()

        def seen(have: int) -> None:
            looks.append((time.monotonic(), have))

        place.broker.until_committed(load.group, load.reads, load.count, alive, LIMIT_S, seen)
        seen(load.count)
        peak_mib = max(process.peak_mib() for process in processes)
    return Worked(_appended(place, load) if load.writes else committed_rate(looks, load.warm_up), peak_mib)


def committed_rate(looks: Sequence[tuple[float, int]], warm_up: int) -> float:
    """Items per second from the first check after the warm-up to the last check.

    Raises ValueError when all work was done between two checks.
    """
    (began, before), (ended, count) = next(one for one in looks if one[1] >= warm_up), looks[-1]
    if count == before:
        raise ValueError(f"{count} records are too few to measure; take more.")
    return (count - before) / (ended - began)


def _appended(place: Place, load: Load) -> float:
    appended = [
        record.timestamp()[1]
        for record in place.broker.read([load.writes])
        if dict(record.headers())["ce_type"] == load.kind.encode()
    ]
    return rate(appended, load.warm_up, max(appended))
