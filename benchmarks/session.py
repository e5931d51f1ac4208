"""What all parts of one session share: how much to measure, the stack, and what was measured before."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from benchmarks.figures import Figure
from benchmarks.flood import Flood, flood
from benchmarks.stack import Stack
from benchmarks.workload import Workload

_FIRST_GUESS = 4_000


@dataclass(slots=True)
class Session:
    """One session."""

    stack: Stack
    runs: int = 3
    seconds: float = 10.0
    commands: int | None = None
    window: int = 2_000
    measured: dict[str, Figure] = field(default_factory=dict)

    def enough(self, rate: float, share: float = 1.0) -> int:
        """How many of something that goes at this rate to measure."""
        return (
            max(1, int(self.commands * share))
            if self.commands
            else max(100, int(rate * self.seconds * share))
        )

    def workload(self, name: str, *, batch: int = 1, window: int | None = None) -> Workload:
        """As many commands as were asked for, or as take about the time that was asked for."""
        some = Workload(self.commands or _FIRST_GUESS, name, window or self.window, batch)
        if self.commands:
            return some
        return replace(some, commands=self.enough(flood(self.stack, some).rate))

    def maximum(self) -> float:
        """Single-message commands a second: measured before in this session, or now."""
        known = self.measured.get("single")
        if known is not None:
            return known.median
        self._warm_up()
        return flood(self.stack, self.workload("maximum")).rate

    def _warm_up(self) -> Flood:
        return flood(self.stack, Workload(_FIRST_GUESS, "warm-up", self.window))


@contextmanager
def without_crash(name: str, failures: list[str]) -> Iterator[None]:
    """One part that fails does not take the others with it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - told in the report, and by the exit code
        failures.append(f"{name}: {type(error).__name__}: {error}")
