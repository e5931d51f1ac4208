"""Durations counted in classes, so that those of many processes can be added up. Pure.

A class is as wide as a factor of the square root of two: a percentile read from it is off by a sixth at most, and
a hundred thousand durations take as much room as ten.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

#: the upper bounds of the classes, in seconds, from half a millisecond to six minutes; above them is one more class
BOUNDS_S: tuple[float, ...] = tuple(round(0.0005 * 2 ** (number / 2), 6) for number in range(40))


@dataclass(slots=True)
class Histogram:
    """How many durations fell into each class, and the sum of them all in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    @property
    def total(self) -> int:
        """How many durations there were."""
        return sum(self.counts)

    def add(self, seconds: float, times: int = 1) -> None:
        """Counts a duration; one that is negative (clocks that differ) counts as none."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(BOUNDS_S, seconds)] += times
        self.sum_s += seconds * times

    def add_all(self, durations_s: Iterable[float]) -> None:
        """Counts many."""
        for seconds in durations_s:
            self.add(seconds)

    def merge(self, counts: Mapping[int, int]) -> None:
        """Adds what another process has counted, by the numbers of the classes. Unknown classes count as the last."""
        for number, count in counts.items():
            self.counts[min(max(number, 0), len(BOUNDS_S))] += count

    def since(self, before: "Histogram") -> dict[int, int]:
        """What was counted after this histogram was `before`: only the classes that grew."""
        grown = ((now - then) for now, then in zip(self.counts, before.counts, strict=True))
        return {number: count for number, count in enumerate(grown) if count}

    def copy(self) -> "Histogram":
        """The same, from now on by itself."""
        return Histogram(list(self.counts), self.sum_s)

    def quantile(self, share: float) -> float | None:
        """The duration in seconds which this share (0 to 1) did not exceed; None if nothing was counted.

        Within a class durations are taken to be spread evenly. Above the last bound: that bound.
        """
        wanted = share * self.total
        below = 0
        for number, count in enumerate(self.counts):
            if count and below + count >= wanted:
                return _within(number, (wanted - below) / count)
            below += count
        return None

    def coarse(self) -> list[tuple[str, float]]:
        """(upper bound, how many were not longer) for every second bound, and for infinity: as Prometheus counts."""
        up_to = list(accumulate(self.counts))
        bounds = [(str(bound), float(up_to[number])) for number, bound in enumerate(BOUNDS_S)][1::2]
        return [*bounds, ("+Inf", float(up_to[-1]))]


def _within(number: int, share: float) -> float:
    if number >= len(BOUNDS_S):
        return BOUNDS_S[-1]
    low, high = tuple(pairwise((0.0, *BOUNDS_S)))[number]
    return low + (high - low) * min(max(share, 0.0), 1.0)
