"""Where everything in a picture stands: in rows from above, and in seconds from the left. Values in, values out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from messages.answers import Graph, GraphNode
from workers.drawing import lanes, nesting, text, times
from workers.drawing.described import caption
from workers.drawing.times import Span

# In units of the picture, which are pixels as long as nobody zooms.
MARGIN = 24
BAR_WIDTH = 6
_GAP = 14
#: Larger graphs are drawn with labels only where there happens to be room.
MOST_LABELLED = 400
# What is kept free for labels, and what they take if there is more.
_KEPT_FOR_LABELS, _WIDEST_LABEL = 220.0, 340.0
_WIDTHS = ((80, 1200), (150, 1600), (1_000, 2400))
_WIDEST = 3600


@dataclass(frozen=True, slots=True)
class Bar:
    """A node: when it begins and ends (seconds from the left), its row, and how many rows it takes with what is
    drawn in it. `inside` is the place of the bar around it; `room` the width for its label, in pixels, and
    `is_label_inside` where that is."""

    node: GraphNode
    begin: float
    end: float
    is_open: bool
    row: int
    rows: int
    depth: int
    inside: int | None
    room: float
    is_label_inside: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture. `edges` are pairs of places in `bars`, parent and child. `width` is that of the time axis for which
    the rows were chosen, in pixels: drawn as wide or wider, no two bars overlap."""

    graph: Graph
    span: Span
    bars: Sequence[Bar]
    edges: Sequence[tuple[int, int]]
    rows: int
    width: float

    def x(self, seconds: float) -> float:
        """Seconds as pixels from the beginning of the axis."""
        return seconds / self.span.seconds * self.width


def layout(graph: Graph, *, now: datetime, width: float | None = None) -> Layout:
    """Chooses the rows. `now` is where bars of nodes that go on end; `width` that of the time axis, in pixels."""
    nodes = graph.nodes
    span = times.span_of(graph, now)
    if width is None:
        width = next((fits for most, fits in _WIDTHS if len(nodes) <= most), _WIDEST) - 2 * MARGIN
    shape = nesting.shape_of(nodes)
    extents = [times.extent(node, span) for node in nodes]
    scale = width / span.seconds
    taken = [_taken(node, extent, scale, len(nodes)) for node, extent in zip(nodes, extents, strict=True)]
    rows, heights = _rows(shape, taken)
    room = _room(nodes, rows, extents, scale)
    bars = [
        Bar(
            node=node,
            begin=extents[place][0],
            end=extents[place][1],
            is_open=times.is_open(node),
            row=rows[place],
            rows=heights[place],
            depth=shape.depth[place],
            inside=shape.inside[place],
            room=room[place][0],
            is_label_inside=room[place][1],
        )
        for place, node in enumerate(nodes)
    ]
    total = max((bar.row + bar.rows for bar in bars), default=0)
    return Layout(graph, span, bars, shape.edges, total, width)


def _taken(node: GraphNode, extent: tuple[float, float], scale: float, number: int) -> tuple[float, float]:
    """From where to where nothing else may be in its row, in pixels."""
    begin = extent[0] * scale
    width = max(extent[1] * scale - begin, BAR_WIDTH)
    if number <= MOST_LABELLED:
        label = min(text.width(caption(node)), _KEPT_FOR_LABELS) + 2 * text.PADDING
        if label > width:
            width += label
        return begin, begin + width + _GAP
    return begin, begin + width + 1


def _rows(shape: nesting.Shape, taken: Sequence[tuple[float, float]]) -> tuple[Sequence[int], Sequence[int]]:
    """The row of each node, and how many rows it takes. What is drawn in a node stands below it."""
    members: dict[int | None, list[int]] = defaultdict(list)
    for place, home in enumerate(shape.inside):
        members[home].append(place)
    ties = _ties(shape)
    relative, heights, extents = [0] * len(taken), [1] * len(taken), list(taken)
    homes = sorted(members, key=lambda home: -1 if home is None else shape.depth[home], reverse=True)
    for home in homes:
        group = members[home]
        number = {place: each for each, place in enumerate(group)}
        near = {number[place]: [number[other] for other in ties[place]] for place in group if place in ties}
        blocks = [lanes.Block(*extents[place], heights[place]) for place in group]
        for place, row in zip(group, lanes.place(blocks, near), strict=True):
            relative[place] = row + (0 if home is None else 1)
        if home is not None:
            heights[home] = 1 + max(relative[place] - 1 + heights[place] for place in group)
            begins, ends = zip(*(extents[place] for place in (home, *group)), strict=True)
            extents[home] = (min(begins), max(ends) + _GAP)
    rows = [0] * len(taken)
    for home in reversed(homes):
        for place in members[home]:
            rows[place] = relative[place] + (0 if home is None else rows[home])
    return rows, heights


def _ties(shape: nesting.Shape) -> Mapping[int, Sequence[int]]:
    """Who should be near whom: for each edge the nodes around its ends that are drawn in the same."""
    ties: dict[int, list[int]] = defaultdict(list)
    for parent, child in shape.edges:
        one, other = _apart(shape, parent, child)
        if one != other:
            ties[one].append(other)
            ties[other].append(one)
    return ties


def _apart(shape: nesting.Shape, one: int, other: int) -> tuple[int, int]:
    above, beside = [one], [other]
    for chain in (above, beside):
        while (home := shape.inside[chain[-1]]) is not None:
            chain.append(home)
    while len(above) > 1 and len(beside) > 1 and above[-1] == beside[-1]:
        above.pop()
        beside.pop()
    return above[-1], beside[-1]


def _room(
    nodes: Sequence[GraphNode], rows: Sequence[int], extents: Sequence[tuple[float, float]], scale: float
) -> Sequence[tuple[float, bool]]:
    """How wide the label of each bar may be, and whether it is best within the bar."""
    following: dict[int, float] = {}
    room: list[tuple[float, bool]] = [(0.0, True)] * len(rows)
    for place in sorted(range(len(rows)), key=lambda each: extents[each][0], reverse=True):
        begin, end = (each * scale for each in extents[place])
        end = max(end, begin + BAR_WIDTH)
        beside = min(following.get(rows[place], float("inf")) - end - _GAP / 2, _WIDEST_LABEL)
        within = end - begin
        following[rows[place]] = begin
        wanted = text.width(caption(nodes[place])) + 2 * text.PADDING
        room[place] = (within, True) if within >= min(wanted, max(beside, 0.0)) else (beside, False)
    return room
