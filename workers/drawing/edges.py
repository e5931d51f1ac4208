"""The curves from parents to children."""

from workers.drawing.frame import Frame

#: Of a graph with more edges the shortest are drawn.
MOST = 40_000
_LEAST_BEND, _MOST_BEND, _TURN = 10.0, 90.0, 14.0
# Farther apart than this, other bars are likely to stand between two.
_FAR = 160.0
# In parts of a row.
_APART = 0.09
_BEHIND_LABEL = 4.0


def chosen(frame: Frame) -> tuple[list[tuple[int, int]], int]:
    """The edges to draw, and how many are left out: the longest, where there are more than can be seen."""
    bars, edges = frame.drawn.bars, list(frame.drawn.edges)
    if len(edges) <= MOST:
        return edges, 0
    edges.sort(key=lambda edge: abs(bars[edge[0]].row - bars[edge[1]].row))
    return edges[:MOST], len(edges) - MOST


def curve(frame: Frame, parent: int, child: int) -> str:
    """From the end of one bar to the beginning of another, as data of an SVG path. Places in `bars` are given.

    Where other bars may stand between the two it goes between the rows: it is not to look like an edge of theirs.
    """
    one, other = frame.drawn.bars[parent], frame.drawn.bars[child]
    x1, y1, x2, y2 = frame.right(one), frame.middle(one), frame.x(other.begin), frame.middle(other)
    if frame.following.get(parent) == child and x1 <= x2:
        begin = x1 if one.is_label_inside else min(frame.label_end(one) + _BEHIND_LABEL, x2)
        return f"M{_point(begin, y1)}H{number(x2)}"
    if x2 - x1 > _FAR or (y1 == y2 and x1 <= x2):
        return _between_rows(frame, (x1, y1), (x2, y2), (parent % 3 - 1) * _APART * frame.row_height)
    bend = min(max((x2 - x1) / 2, _LEAST_BEND), _MOST_BEND)
    return f"M{_point(x1, y1)}C{_point(x1 + bend, y1)} {_point(x2 - bend, y2)} {_point(x2, y2)}"


def _between_rows(frame: Frame, begin: tuple[float, float], end: tuple[float, float], aside: float) -> str:
    """Leaves a bar at its end, upwards or downwards, and comes to the other from the side. `aside` keeps edges that
    go between the same rows apart."""
    (x1, y1), (x2, y2) = begin, end
    side = -1 if y2 < y1 else 1
    along = y1 + side * frame.row_height / 2 + aside
    turn = min(max(abs(y2 - along) / 2, _TURN), _MOST_BEND, (x2 - x1) / 2)
    out = (
        f"M{_point(x1 - 4, y1 + side * frame.bar_height / 2)}Q{_point(x1 - 4, along)} {_point(x1 + 2, along)}"
    )
    return f"{out}H{number(x2 - turn)}C{_point(x2, along)} {_point(x2 - turn, y2)} {_point(x2, y2)}"


def _point(x: float, y: float) -> str:
    return f"{number(x)} {number(y)}"


def number(value: float) -> str:
    """A length in pixels, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")
