"""Intake: accepted messages per second against a bare endpoint with single inserts; and without Kafka."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvloop

from tests.benchmarks.figures import Rounds, number, ratio, shown, table
from tests.benchmarks.load import Address, pressed, requests_of
from tests.benchmarks.place import Place
from tests.benchmarks.sections import Bench, Section
from tests.benchmarks.served import listening

CONCURRENCIES = (64, 256)
WARM_UP_S, SPAN_S, QUICK_SPAN_S = 1.0, 3.0, 1.0
MESSAGES = 2_000
OURS, BARE, KAFKA_DOWN = "intake", "bare endpoint, insert_one", "intake, Kafka down"


def measure(bench: Bench) -> Section:
    """Each side alone, one after the other in every round."""
    measured: dict[tuple[str, int], list[float]] = defaultdict(list)
    sides: dict[str, Callable[[Place], Iterator[Address]]] = {OURS: _intake, BARE: _bare}
    if bench.place.kafka_component is not None:
        sides[KAFKA_DOWN] = _intake_alone
    messages = bench.messages(MESSAGES)
    span_s = QUICK_SPAN_S if bench.quick else SPAN_S
    for at in range(bench.rounds):
        for name, side in sides.items():
            bench.fresh()
            with contextmanager(side)(bench.place) as address:
                requests = requests_of(messages, address)
                for concurrency in CONCURRENCIES:
                    per_s = uvloop.run(pressed(address, requests, concurrency, WARM_UP_S, span_s))
                    measured[name, concurrency].append(per_s)
                    bench.say(f"intake: round {at + 1}: {name}, {concurrency} at once: {number(per_s)}/s")
    return _section({key: Rounds(tuple(values)) for key, values in measured.items()})


def _section(rounds: dict[tuple[str, int], Rounds]) -> Section:
    ratios = {
        (name, concurrency): ratio(own, rounds[BARE, concurrency])
        for (name, concurrency), own in rounds.items()
        if name != BARE
    }
    rows = [
        (f"{name}, {at_once} at once", *shown(own.figures()), _times(ratios.get((name, at_once))))
        for (name, at_once), own in rounds.items()
    ]
    figures = {f"{name}, {at_once} at once": own.figures() for (name, at_once), own in rounds.items()}
    left_out = (
        []
        if (KAFKA_DOWN, CONCURRENCIES[0]) in rounds
        else [f"Not measured: {KAFKA_DOWN}: the broker is not ours to stop."]
    )
    return Section(
        figures=figures,
        ratios={"intake_vs_bare": min(ratios[OURS, one] for one in CONCURRENCIES)},
        tables=[table("Intake: messages accepted", ("", "accepted/s", "range", "of the bare endpoint"), rows)],
        sentences=left_out,
    )


def _times(value: float | None) -> str:
    return f"{value:.2f} ×" if value is not None else ""


def _intake(place: Place) -> Iterator[Address]:
    with listening(place, "services.intake") as address:
        yield address


def _bare(place: Place) -> Iterator[Address]:
    with listening(place, "tests.benchmarks.programs.bare") as address:
        yield address


def _intake_alone(place: Place) -> Iterator[Address]:
    """Stop the broker when intake is ready, and start it again before intake stops."""
    assert place.kafka_component is not None
    with listening(place, "services.intake") as address:
        place.kafka_component.stop()
        try:
            yield address
        finally:
            place.kafka_component.start()
