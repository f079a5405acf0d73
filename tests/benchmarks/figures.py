"""What the measured numbers say: medians, ranges, percentiles, ratios, and how they are shown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Rounds:
    """The same thing measured several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one; of an even number the mean of the middle two."""
        return median(self.values)

    def figures(self) -> dict[str, Any]:
        """As it stands in the result."""
        rounded = [round(value, 4) for value in self.values]
        return {"median": round(self.median, 4), "min": min(rounded), "max": max(rounded), "rounds": rounded}


def ratio(ours: Rounds, theirs: Rounds) -> float:
    """The median over rounds of ours divided by theirs: neighbours in a round had the same machine to themselves.

    Raises ValueError when they were not measured the same number of times.
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
    """Things a second, told from outside by the broker's clock: `appended_ms` is when each was appended, `end_ms` when the
    last of all outputs was. Counting begins at the append with which the warm-up was complete.
    """
    ordered = sorted(appended_ms)
    began = ordered[warm_up - 1]
    counted = sum(1 for at in ordered if at > began)
    if not counted or end_ms <= began:
        raise ValueError(f"{len(ordered)} records are too few to measure after a warm-up of {warm_up}; take more.")
    return counted * 1000 / (end_ms - began)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that is Markdown and reads well on a screen too; columns after the first are aligned to the right."""
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
    """A number for people: thousands apart, and no more digits than mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def shown(rounds: Mapping[str, Any]) -> tuple[str, str]:
    """Median and range of figures that `Rounds` made."""
    return number(rounds["median"]), f"{number(rounds['min'])} – {number(rounds['max'])}"
