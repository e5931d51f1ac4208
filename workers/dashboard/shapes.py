"""Numbers as shapes of SVG: paths and widths, which templates put into attributes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from messages.states import StateType
from store.reads.figures import Runs, Use
from workers.figures.words import STATES

WIDTH, HEIGHT = 240, 48


@dataclass(frozen=True, slots=True)
class Spark:
    """A line of values, and the area below it."""

    line: str
    area: str
    peak: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar of length 1000."""

    state: StateType
    left: float
    width: float


def spark(values: Sequence[float]) -> Spark:
    """As wide as WIDTH and as high as HEIGHT; the highest value touches the top, nothing the bottom."""
    peak = max(values, default=0)
    step = WIDTH / max(1, len(values) - 1)
    top = HEIGHT - 2
    points = [
        f"{number * step:.1f},{HEIGHT - 1 - (value / peak * (top - 1) if peak else 0):.1f}"
        for number, value in enumerate(values)
    ]
    line = "M" + " L".join(points) if points else f"M0,{HEIGHT}"
    return Spark(line, f"{line} L{WIDTH},{HEIGHT} L0,{HEIGHT} Z", peak)


def pieces(runs: Runs) -> list[Piece]:
    """A bar of all runs, by state. Whatever there is can be seen."""
    counts = [(state, runs.by_state[state]) for state in STATES if runs.by_state[state]]
    total = sum(count for _, count in counts)
    widths = [max(6.0, count / total * 1000) for _, count in counts]
    scale = 1000 / sum(widths) if widths else 0.0
    made, left = [], 0.0
    for (state, _), width in zip(counts, widths, strict=True):
        made.append(Piece(state, round(left, 2), round(width * scale, 2)))
        left += width * scale
    return made


def share(use: Use) -> float:
    """How much of a bar of length 1000 is held; more than all is all, and something is never nothing."""
    held = min(1000.0, use.held / max(1, use.limit) * 1000)
    return round(max(held, 12.0), 1) if use.held else 0.0
