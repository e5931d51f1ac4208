"""The figures to reach, and the reference beside each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class Reference:
    """What a figure is compared with: measured in this session if it was, else as the design tells it."""

    name: str
    otherwise: float | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure to reach: at least, or at most, so much."""

    figure: str
    wanted: float
    unit: str
    at_most: bool = False
    #: the figure is divided by this one first
    share_of: str | None = None
    reference: Reference | None = None

    @property
    def title(self) -> str:
        return self.figure if self.share_of is None else f"{self.figure} / {self.share_of}"

    def reached(self, value: float) -> bool:
        return value <= self.wanted if self.at_most else value >= self.wanted


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the summary."""

    goal: Goal
    value: float
    reference: float | None
    reference_name: str

    @property
    def ratio(self) -> float | None:
        """How many times better than the reference."""
        if not self.reference or not self.value:
            return None
        return self.reference / self.value if self.goal.at_most else self.value / self.reference


_PREFECT = Reference("prefect", 55.0)
_PLAIN_P50 = Reference("plain: round trip, idle: p50")
# A stock worker that has nothing else to do looks for the messages of dead ones as late as that.
_STOCK_RECOVERY = Reference("stock dramatiq", 13 * 60.0)
_PLAIN_P99 = Reference("plain: round trip, idle: p99")

GOALS = (
    Goal("single", 5_500, "commands/s", reference=_PREFECT),
    Goal("single", 5_500, "commands/s", reference=Reference("plain")),
    Goal("bulk", 8_000, "commands/s", reference=_PREFECT),
    Goal("bulk", 8_000, "commands/s", reference=Reference("plain")),
    Goal("single", 0.5, "", share_of="floor"),
    Goal("bulk", 0.7, "", share_of="floor"),
    Goal("single", 0.5, "", share_of="floor, two connections"),
    Goal("bulk", 0.7, "", share_of="floor, two connections"),
    Goal("round trip of set_state, idle: p50", 2.5, "ms", at_most=True, reference=_PLAIN_P50),
    Goal("round trip of set_state, idle: p99", 10, "ms", at_most=True, reference=_PLAIN_P99),
    Goal("round trip of a query, idle: p50", 2.5, "ms", at_most=True, reference=_PLAIN_P50),
    Goal("round trip of set_state, loaded: p50", 15, "ms", at_most=True, reference=_PLAIN_P50),
    Goal("round trip of set_state, loaded: p99", 50, "ms", at_most=True, reference=_PLAIN_P99),
    Goal("event after its result, idle: p99", 50, "ms", at_most=True),
    Goal("event after its result, loaded: p99", 50, "ms", at_most=True),
    Goal("idle: Redis commands", 40, "commands/s", at_most=True),
    Goal("idle: CPU of worker", 1, "% of a core", at_most=True),
    Goal("idle: CPU of relay", 1, "% of a core", at_most=True),
    Goal("idle: CPU of clock", 1, "% of a core", at_most=True),
    Goal("2 ms away, batches of 10: 1 to 4 processes", 3.2, "times"),
    Goal("2 ms away, full batches: 1 to 4 processes", 3.2, "times"),
    Goal("memory: worker after 4 of 4 parts", 150, "MiB", at_most=True),
    Goal("memory of bulk: worker after 4 of 4 parts", 150, "MiB", at_most=True),
    Goal("slowest list or count: p99", 50, "ms", at_most=True),
    Goal("graph of 100 task runs: p50", 10, "ms", at_most=True),
    Goal("graph of 10,000 task runs: p50", 1_000, "ms", at_most=True),
    Goal("commands, full", 0.85, "", share_of="commands, empty"),
    Goal("recovery after kill -9 of a worker: longest", 30, "s", at_most=True, reference=_STOCK_RECOVERY),
    Goal("faults: injections", 1_000, ""),
    Goal("faults: commands lost", 0, "", at_most=True),
    Goal("faults: commands applied twice", 0, "", at_most=True),
)


def summary(figures: Mapping[str, Figure]) -> list[Line]:
    """A line for each goal whose figures were measured."""
    lines: list[Line] = []
    for goal in GOALS:
        value = _value(goal, figures)
        if value is None:
            continue
        line = Line(goal, value, *_reference(goal, figures))
        told = any(each.goal.title == goal.title for each in lines)
        if not told or line.reference is not None:
            lines.append(line)
    return lines


def _value(goal: Goal, figures: Mapping[str, Figure]) -> float | None:
    figure = figures.get(goal.figure)
    if figure is None or goal.share_of is None:
        return None if figure is None else figure.median
    whole = figures.get(goal.share_of)
    return None if whole is None else figure.median / whole.median


def _reference(goal: Goal, figures: Mapping[str, Figure]) -> tuple[float | None, str]:
    if goal.reference is None:
        return None, ""
    measured = figures.get(goal.reference.name)
    if measured is not None:
        return measured.median, goal.reference.name
    if goal.reference.otherwise is None:
        return None, ""
    return goal.reference.otherwise, f"{goal.reference.name} (not measured here)"
