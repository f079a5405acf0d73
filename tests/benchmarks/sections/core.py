"""The core against other libraries: both without a store, and both with one."""

import subprocess
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from tests.benchmarks.contest import (
    REPOSITORY,
    RIVALS_PYTHON,
    Arena,
    Contender,
    Timed,
    differences,
    differences_in_store,
)
from tests.benchmarks.figures import Rounds, number, ratio, shown, table
from tests.benchmarks.sections import Bench, Section

PROGRAMS = "tests.benchmarks.programs."
OURS = Contender("chorus", PROGRAMS + "core", "router-core", words=("--memory",))
OURS_STORED = Contender("chorus, stored", PROGRAMS + "core", "router-core", stores=("chorus_router", "decisions"))
WITHOUT_STORE = {
    "core_vs_aiokafka": Contender("aiokafka, a send loop", PROGRAMS + "send_loop", "bench-send-loop"),
    "core_vs_librdkafka": Contender("librdkafka, a loop", PROGRAMS + "librdkafka", "bench-librdkafka"),
    "core_vs_quix": Contender("Quix Streams", PROGRAMS + "quix", "bench-quix", share=0.6, python=RIVALS_PYTHON),
    "core_vs_faust": Contender(
        "Faust", PROGRAMS + "faust_app", "bench-faust", words=("worker", "-l", "warn"), share=0.15, python=RIVALS_PYTHON
    ),
    "core_vs_naive": Contender("FastStream, naive", PROGRAMS + "naive", "bench-naive", share=0.02),
}
WITH_STORE = {
    "stored_vs_upserts": Contender(
        "upserts, a send loop", PROGRAMS + "upserts", "bench-upserts", share=0.3, stores=("bench", "cases")
    ),
    "stored_vs_same": Contender(
        "same inserts, by hand", PROGRAMS + "same", "bench-same", stores=("bench", "decisions")
    ),
}
PACKAGES = {"Quix Streams": "quixstreams", "Faust": "faust"}
WARM_UP = 0.2
WARM_ROUND = 0.5


@dataclass
class Contest:
    """One table: Chorus and its contenders, round by round; one that cannot run is excluded with the reason."""

    arena: Arena
    ours: Contender
    rivals: dict[str, Contender]
    timed: dict[str, list[Timed]] = field(default_factory=lambda: defaultdict(list))
    not_measured: dict[str, str] = field(default_factory=dict)
    not_the_same: dict[str, str] = field(default_factory=dict)

    @property
    def contenders(self) -> list[Contender]:
        """Those that can run, Chorus first."""
        return [one for one in (self.ours, *self.rivals.values()) if one.name not in self.not_measured]

    def check(self) -> None:
        """Half a round of each, as warm-up and to prove that all write and store the same."""
        self.not_measured |= {one.name: why for one in self.rivals.values() if (why := hindrance(one))}
        for one in self.contenders:
            short = replace(one, share=one.share * WARM_ROUND)
            with suppress(ValueError):  # too few to be timed; this run only checks
                self._run(short)
            if one.name in self.not_measured:
                continue
            if said := self._difference(short):
                self.not_the_same[one.name] = said
            self.arena.say(f"{one.name}: {said or 'does the very same job'}")

    def _difference(self, contender: Contender) -> str:
        count = self.arena.count_of(contender)
        said = differences(self.arena.expected(count), self.arena.found())
        if said or contender.stores is None:
            return said
        return differences_in_store(self.arena.expected_decisions(count), self.arena.found_decisions(contender.stores))

    def round(self) -> None:
        """One run of each."""
        for one in self.contenders:
            try:
                timed = self._run(one)
            except ValueError as error:
                self._leave_out(one, error)
                continue
            if timed is not None:
                self.timed[one.name].append(timed)
                self.arena.say(f"{one.name}: {number(timed.per_s)}/s")

    def _run(self, contender: Contender) -> Timed | None:
        self.arena.place.forget()
        try:
            return self.arena.run(contender)
        except RuntimeError as error:
            self._leave_out(contender, error)
            return None

    def _leave_out(self, contender: Contender, error: Exception) -> None:
        self.not_measured[contender.name] = str(error)
        self.timed.pop(contender.name, None)
        self.arena.say(f"{contender.name}: not measured: {error}")

    # ── what came of it ──────────────────────────────────────────────────────

    def rounds(self, contender: Contender) -> Rounds:
        """Its inquiries per second."""
        return Rounds(tuple(one.per_s for one in self.timed[contender.name]))

    @property
    def ratios(self) -> dict[str, float]:
        """Chorus divided by each contender."""
        ours = self.rounds(self.ours)
        return {
            name: ratio(ours, self.rounds(rival)) for name, rival in self.rivals.items() if self.timed.get(rival.name)
        }

    def figures(self) -> dict[str, Any]:
        """For the JSON, by contender."""
        found: dict[str, Any] = {}
        for one in (self.ours, *self.rivals.values()):
            if timed := self.timed.get(one.name):
                cpu_us = median(run.cpu_us for run in timed)
                found[one.name] = {"per_s": self.rounds(one).figures(), "cpu_us": round(cpu_us, 1)}
            else:
                found[one.name] = {"not_measured": self.not_measured.get(one.name, "it was not started")}
            if why := self.not_the_same.get(one.name):
                found[one.name]["not_the_same"] = why
        return found

    def table(self, title: str) -> str:
        """For the report."""
        ratios = {rival.name: self.ratios.get(name) for name, rival in self.rivals.items()}
        rows = [_row(name, figures, ratios.get(name)) for name, figures in self.figures().items()]
        return table(title, ("", "inquiries/s", "range", "ours is", "µs of processor each"), rows)


def measure(bench: Bench) -> Section:
    """Both tables, with interleaved rounds."""
    arena = Arena(bench.place, bench.directory, bench.messages(bench.size), round(bench.size * WARM_UP), bench.say)
    contests = (Contest(arena, OURS, WITHOUT_STORE), Contest(arena, OURS_STORED, WITH_STORE))
    for contest in contests:
        contest.check()
    for at in range(bench.rounds):
        bench.say(f"core: round {at + 1} of {bench.rounds}")
        for contest in contests:
            contest.round()
    without, stored = contests
    share = 1 - ratio(stored.rounds(OURS_STORED), without.rounds(OURS))
    return Section(
        figures={"without_store": without.figures(), "with_store": stored.figures(), "store_share": round(share, 3)},
        ratios=without.ratios | stored.ratios,
        tables=[without.table("The core's job, without a store"), stored.table("The core's job, decisions stored")],
        sentences=[f"The store's share of the core's time is {share:.0%}.", *_left_out(contests)],
    )


def hindrance(contender: Contender) -> str:
    """Why a program cannot be measured here; empty when it can."""
    if not (REPOSITORY / f"{contender.module.replace('.', '/')}.py").exists():
        return f"there is no program {contender.module}"
    package = PACKAGES.get(contender.name)
    if package is None:
        return ""
    if not contender.python.exists():
        return f"its environment {contender.python.parents[1].name} does not exist; `make bench` creates it"
    tried = subprocess.run([contender.python, "-c", f"import {package}"], capture_output=True, text=True, check=False)
    return f"{package} is not installed in {contender.python.parents[1].name}" if tried.returncode else ""


def _left_out(contests: Sequence[Contest]) -> list[str]:
    missing = [f"Not measured: {name}: {why}." for one in contests for name, why in one.not_measured.items()]
    wrong = [f"NOT THE SAME JOB: {name}: {why}." for one in contests for name, why in one.not_the_same.items()]
    return missing + wrong


def _row(name: str, figures: dict[str, Any], ours_is: float | None) -> tuple[str, ...]:
    if "not_measured" in figures:
        return name, "not measured", "", "", ""
    times = f"{ours_is:.2f} ×" if ours_is is not None else ""
    return name, *shown(figures["per_s"]), times, number(figures["cpu_us"])
