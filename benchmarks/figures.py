"""Figures: several runs of one measurement, told as their median and their spread. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, once for each run."""

    name: str
    unit: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"{self.name} was not measured")

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)

    def as_json(self) -> dict[str, Any]:
        spread = {"median": self.median, "lowest": self.lowest, "highest": self.highest}
        return {**asdict(self), **spread}


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that is not exceeded by this share of them (nearest rank)."""
    if not samples:
        raise ValueError("no samples")
    return sorted(samples)[max(0, ceil(share * len(samples)) - 1)]


def across_runs(runs: Iterable[Iterable[Figure]]) -> list[Figure]:
    """Figures of the same name become one with all their values, in the order of the first run."""
    merged: dict[str, Figure] = {}
    for run in runs:
        for figure in run:
            before = merged.get(figure.name)
            values = figure.values if before is None else before.values + figure.values
            merged[figure.name] = Figure(figure.name, figure.unit, values)
    return list(merged.values())


def latencies(name: str, seconds: Sequence[float]) -> list[Figure]:
    """p50, p90, p99 and the longest of some latencies, in milliseconds."""
    shares = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
    return [Figure(f"{name} {label}", "ms", (percentile(seconds, share) * 1000,)) for label, share in shares]


def told(value: float) -> str:
    """A number as people read it: three digits that matter, thousands apart."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:.3g}"
