"""What became of a few messages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Outcome:
    """How many were sent, ran to their end, are gone, are in nobody's hands, ran again; and how long they waited."""

    sent: int
    ran: int
    lost: int = 0
    stranded: int = 0
    twice: int = 0
    wait_p50_ms: float | None = None
    wait_p99_ms: float | None = None
    scripts_a_second: float | None = None

    def with_waits(self, p50_ms: float, p99_ms: float, scripts_a_second: float) -> "Outcome":
        """The same, and what an idle system does."""
        return replace(
            self,
            wait_p50_ms=round(p50_ms, 1),
            wait_p99_ms=round(p99_ms, 1),
            scripts_a_second=round(scripts_a_second, 2),
        )


def percentile(values: Sequence[float], percent: int) -> float:
    """By the nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
