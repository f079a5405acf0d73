"""Latency from HTTP 202 to the department's inbox, against two bare hops with two journaled inserts."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import uvloop

from tests.benchmarks.contest import Contender, running
from tests.benchmarks.figures import Rounds, number, percentile, ratio, table
from tests.benchmarks.load import Accepted, Address, at_once, on_schedule, requests_of
from tests.benchmarks.sections import Bench, Section
from tests.benchmarks.served import inbox_watch, intake_and_router, listening

OURS, BARE = "chorus", "two bare hops"
SLOW, STEADY = 10.0, 100.0
SHARE_OF_MAXIMUM = 0.8
MAXIMUM_MESSAGES, MAXIMUM_AT_ONCE = 3_000, 64
WARM_UP_MESSAGES = 200
SPAN_S = {SLOW: 12.0, STEADY: 6.0}
SPAN_AT_MAXIMUM_S = 5.0
QUICK = 0.4
ARRIVES_S = 30.0
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
Arrivals = Callable[[], dict[str, float]]


@dataclass(frozen=True)
class Journey:
    """One message: milliseconds from its response, and from its scheduled time, to the first department."""

    answered_ms: float
    due_ms: float


@dataclass(frozen=True)
class Side:
    """One path from HTTP to an inbox."""

    address: Address
    arrivals: Arrivals

    def at_rate(self, requests: Sequence[bytes], per_s: float, seed: int) -> list[Journey]:
        """Send this many per second, and time each arrival."""
        return self._journeys(uvloop.run(on_schedule(self.address, requests, per_s, seed)))

    def maximum(self, requests: Sequence[bytes]) -> float:
        """Messages per second from the first request to the last arrival, at full load."""
        accepted = uvloop.run(at_once(self.address, requests, MAXIMUM_AT_ONCE))
        arrived = self._all(accepted)
        return len(accepted) / (max(arrived[one.inquiry_id] for one in accepted) - min(one.due for one in accepted))

    def _journeys(self, accepted: Sequence[Accepted]) -> list[Journey]:
        arrived = self._all(accepted)
        return [
            Journey((at - one.answered) * 1000, (at - one.due) * 1000)
            for one in accepted
            for at in (arrived[one.inquiry_id],)
        ]

    def _all(self, accepted: Sequence[Accepted]) -> dict[str, float]:
        until = time.monotonic() + ARRIVES_S
        while missing := {one.inquiry_id for one in accepted} - (arrived := self.arrivals()).keys():
            if time.monotonic() > until:
                raise RuntimeError(f"{len(missing)} of {len(accepted)} messages have come to no inbox.")
            time.sleep(0.1)
        return arrived


def measure(bench: Bench) -> Section:
    """First the maximum of both sides, then every rate on each side, in rounds. Few rounds of many messages."""
    maxima = {name: _maximum(bench, name) for name in (OURS, BARE)}
    top = round(min(maxima.values()) * SHARE_OF_MAXIMUM)
    found: dict[tuple[str, float], list[list[Journey]]] = defaultdict(list)
    for at in range(bench.fewer_rounds):
        for name in (OURS, BARE):
            with _side(bench, name) as side:
                for per_s in (SLOW, STEADY, top):
                    journeys = side.at_rate(_requests(bench, side, per_s), per_s, bench.seed + at)
                    found[name, per_s].append(journeys)
                    p50 = percentile([one.answered_ms for one in journeys], 0.5)
                    bench.say(f"latency: round {at + 1}: {name}, {per_s:g}/s: p50 {number(p50)} ms")
    return _section(maxima, found)


def _section(maxima: dict[str, float], found: dict[tuple[str, float], list[list[Journey]]]) -> Section:
    told = {key: _figures(rounds) for key, rounds in found.items()}
    rates = sorted({per_s for _, per_s in found})
    ratios = {
        f"{per_s:g}/s": {
            name: ratio(_rounds(found[OURS, per_s], name), _rounds(found[BARE, per_s], name)) for name in ("p50", "p99")
        }
        for per_s in rates
    }
    rows = [_row(f"{name}, {per_s:g}/s", told[name, per_s]) for per_s in rates for name in (OURS, BARE)]
    ratio_rows = [(rate, *(f"{one[name]:.2f} ×" for name in ("p50", "p99"))) for rate, one in ratios.items()]
    return Section(
        figures={
            "maximum_per_s": {name: round(value) for name, value in maxima.items()},
            "answer_to_inbox_ms": {f"{name}, {per_s:g}/s": one for (name, per_s), one in told.items()},
            "ratios": ratios,
        },
        ratios={f"latency_{name}": max(one[name] for one in ratios.values()) for name in ("p50", "p99")},
        tables=[
            table("HTTP 202 → inbox, ms", ("", "p50", "p95", "p99", "from when it was due: p50", "p99"), rows),
            table("HTTP 202 → inbox, of two bare hops", ("", "p50", "p99"), ratio_rows),
        ],
        sentences=[
            "At most "
            + ", ".join(f"{number(value)}/s ({name})" for name, value in maxima.items())
            + f"; the highest rate is {SHARE_OF_MAXIMUM:.0%} of the lower one."
        ],
    )


def _row(name: str, figures: dict[str, Any]) -> tuple[str, ...]:
    cells = (*(figures[one]["median"] for one in SHARES), figures["due_p50"]["median"], figures["due_p99"]["median"])
    return name, *(number(cell) for cell in cells)


def _figures(rounds: Sequence[Sequence[Journey]]) -> dict[str, Any]:
    answered = {name: _rounds(rounds, name).figures() for name in SHARES}
    due = {
        f"due_{name}": Rounds(
            tuple(percentile([one.due_ms for one in some], SHARES[name]) for some in rounds)
        ).figures()
        for name in SHARES
    }
    return {"messages": sum(map(len, rounds)), **answered, **due}


def _rounds(rounds: Sequence[Sequence[Journey]], name: str) -> Rounds:
    return Rounds(tuple(percentile([one.answered_ms for one in some], SHARES[name]) for some in rounds))


def _maximum(bench: Bench, name: str) -> float:
    """The second of two runs; the first warms up."""
    messages = bench.messages(MAXIMUM_MESSAGES // (3 if bench.quick else 1), _codes(bench))
    with _side(bench, name) as side:
        found = [side.maximum(requests_of(messages, side.address)) for _ in range(2)]
    bench.say(f"latency: {name}: at most {number(found[-1])}/s")
    return found[-1]


def _requests(bench: Bench, side: Side, per_s: float) -> list[bytes]:
    span_s = SPAN_S.get(per_s, SPAN_AT_MAXIMUM_S) * (QUICK if bench.quick else 1)
    return requests_of(bench.messages(round(per_s * span_s), _codes(bench)), side.address)


def _codes(bench: Bench) -> list[str]:
    """Every message names a department, so that both sides deliver to an inbox."""
    return [one.code for one in bench.city.active]


@contextmanager
def _side(bench: Bench, name: str) -> Iterator[Side]:
    """One side alone, with empty topics and store, after a warm-up."""
    bench.fresh()
    with ExitStack() as ends:
        if name == OURS:
            address = ends.enter_context(intake_and_router(bench.place, bench.city))
        else:
            address = ends.enter_context(listening(bench.place, "tests.benchmarks.programs.bare", "--hop"))
            bench.place.broker.forget("bench-hop")
            hop = Contender("hop", "tests.benchmarks.programs.bare_hop", "bench-hop")
            ends.enter_context(running(hop, bench.place))
        side = Side(address, ends.enter_context(inbox_watch(bench.place, bench.inboxes)))
        side.at_rate(requests_of(bench.messages(WARM_UP_MESSAGES, _codes(bench)), address), STEADY, bench.seed)
        yield side
