"""Statistics of measurements: medians, ranges, percentiles, ratios, and their format."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Rounds:
    """Repeated measurements of one figure."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median; of an even number the mean of the middle two."""
        return median(self.values)

    def figures(self) -> dict[str, Any]:
        """The values for the JSON result."""
        rounded = [round(value, 4) for value in self.values]
        return {"median": round(self.median, 4), "min": min(rounded), "max": max(rounded), "rounds": rounded}


def ratio(ours: Rounds, theirs: Rounds) -> float:
    """The median over rounds of our value divided by theirs: both ran one after the other in a round.

    Raises ValueError when the numbers of rounds differ.
    """
    return round(median(one / other for one, other in zip(ours.values, theirs.values, strict=True)), 3)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def spread(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99."""
    return {name: round(percentile(values, share), 3) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def rate(appended_ms: Sequence[int], warm_up: int, end_ms: int) -> float:
    """Items per second by the broker's clock: `appended_ms` has the time of each append, `end_ms` that of the last output.
    Counting starts at the append that completed the warm-up.
    """
    ordered = sorted(appended_ms)
    began = ordered[warm_up - 1]
    counted = sum(1 for at in ordered if at > began)
    if not counted or end_ms <= began:
        raise ValueError(f"{len(ordered)} records are too few to measure after a warm-up of {warm_up}; take more.")
    return counted * 1000 / (end_ms - began)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns after the first are right-aligned."""
    widths = [max(len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
    line = "|".join("-" * (width + 1) + (":" if at else "-") for at, width in enumerate(widths))
    return "\n".join([f"### {title}", "", _line(columns, widths), f"|{line}|", *(_line(row, widths) for row in rows)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if at == 0 else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


def number(value: float) -> str:
    """A number with thousands separators and significant digits only."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def shown(rounds: Mapping[str, Any]) -> tuple[str, str]:
    """Median and range of figures from `Rounds`."""
    return number(rounds["median"]), f"{number(rounds['min'])} – {number(rounds['max'])}"
