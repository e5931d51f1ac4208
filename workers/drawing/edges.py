"""The curves from parents to children."""

from workers.drawing.frame import Frame
from workers.drawing.layout import Bar

#: Of a graph with more edges the shortest are drawn.
MOST = 40_000
_LEAST_BEND, _MOST_BEND = 10.0, 90.0


def chosen(frame: Frame) -> tuple[list[tuple[int, int]], int]:
    """The edges to draw, and how many are left out: the longest, where there are more than can be seen."""
    bars, edges = frame.drawn.bars, list(frame.drawn.edges)
    if len(edges) <= MOST:
        return edges, 0
    edges.sort(key=lambda edge: abs(bars[edge[0]].row - bars[edge[1]].row))
    return edges[:MOST], len(edges) - MOST


def curve(frame: Frame, parent: Bar, child: Bar) -> str:
    """From the end of one to the beginning of the other, as data of an SVG path."""
    x1, y1, x2, y2 = frame.right(parent), frame.middle(parent), frame.x(child.begin), frame.middle(child)
    if y1 == y2 and x1 <= x2:
        return f"M{number(x1)} {number(y1)}H{number(x2)}"
    bend = min(max((x2 - x1) / 2, _LEAST_BEND), _MOST_BEND)
    return (
        f"M{number(x1)} {number(y1)}C{number(x1 + bend)} {number(y1)} "
        f"{number(x2 - bend)} {number(y2)} {number(x2)} {number(y2)}"
    )


def number(value: float) -> str:
    """A length in pixels, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")
