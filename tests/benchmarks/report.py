"""The result of a benchmark: JSON with fixed names, the same as Markdown tables, and goals kept or missed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import table
from tests.benchmarks.sections import Section

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Goal:
    """The goal of a ratio: a minimum or a maximum; None if it is only reported."""

    says: str
    least: float | None = None
    most: float | None = None

    def verdict(self, value: float | None) -> str:
        """`kept`, `missed` or `not measured`."""
        if value is None:
            return "not measured"
        if self.least is None and self.most is None:
            return "told"
        kept = value >= (self.least or 0) and (self.most is None or value <= self.most)
        return "kept" if kept else "MISSED"

    @property
    def words(self) -> str:
        """The goal as text."""
        if self.least is not None:
            return f"≥ {self.least:g}"
        return f"≤ {self.most:g}" if self.most is not None else ""


GOALS = {
    "core_vs_aiokafka": Goal("the core against a send loop over aiokafka", least=2),
    "core_vs_librdkafka": Goal("the core against a loop over librdkafka", least=0.9),
    "core_vs_quix": Goal("the core against Quix Streams", least=2),
    "core_vs_faust": Goal("the core against Faust", least=10),
    "core_vs_naive": Goal("the core against FastStream's naive handler", least=100),
    "stored_vs_upserts": Goal("the core with its store against a loop that upserts", least=3),
    "stored_vs_same": Goal("the core with its store against the same inserts by hand", least=0.9),
    "latency_p50": Goal("HTTP 202 to inbox, p50, against two bare hops; worst of three rates", most=2),
    "latency_p99": Goal("HTTP 202 to inbox, p99, against two bare hops; worst of three rates", most=2),
    "intake_vs_bare": Goal("intake against a bare endpoint with an insert; worst of two concurrencies", least=1.5),
    "backlog_growth": Goal("time for a backlog ten times as long", most=10.5),
    "two_routers": Goal("two cores against one"),
}


@dataclass(frozen=True)
class Result:
    """A whole run."""

    machine: Mapping[str, Any]
    versions: Mapping[str, Any]
    store: str
    sections: Mapping[str, Section]

    def document(self) -> dict[str, Any]:
        """The JSON; a ratio that was not measured is null."""
        ratios = self._ratios()
        return {
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "store": self.store,
            "figures": {name: section.figures for name, section in self.sections.items()},
            "ratios": {name: ratios.get(name) for name in GOALS},
        }

    def markdown(self) -> str:
        """The tables."""
        parts = [f"# How fast\n\n{self._where()}", self._goals()]
        for section in self.sections.values():
            parts += section.tables
            parts += ["\n".join(f"- {sentence}" for sentence in section.sentences)] if section.sentences else []
        return "\n\n".join(parts) + "\n"

    def write(self, name: str, folder: Path = RESULTS) -> None:
        """Both files."""
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(self.document(), indent=1, ensure_ascii=False) + "\n", "utf-8")
        (folder / f"{name}.md").write_text(self.markdown(), "utf-8")

    def _ratios(self) -> dict[str, float]:
        return {name: value for section in self.sections.values() for name, value in section.ratios.items()}

    def _goals(self) -> str:
        ratios = self._ratios()
        rows = [
            (goal.says, goal.words, f"{ratios[name]:.2f}" if name in ratios else "–", goal.verdict(ratios.get(name)))
            for name, goal in GOALS.items()
        ]
        return table("Goals", ("", "goal", "measured", ""), rows)

    def _where(self) -> str:
        facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.machine.items())
        own = ", ".join(f"{name} {value}" for name, value in self.versions.items() if isinstance(value, str))
        rivals = ", ".join(f"{name} {value}" for name, value in self.versions.get("rivals", {}).items())
        return (
            f"Machine: {facts}.\n\nStore: {self.store}.\n\nVersions: {own}.\n\n"
            f"In the rivals' environment: {rivals or 'nothing'}."
        )
