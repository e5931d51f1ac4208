"""Nodes as bars, what is drawn in them, and their artifacts, as elements of an SVG."""

from xml.etree.ElementTree import Element, SubElement

from messages.answers import GraphArtifact, NodeKind
from workers.drawing import described, text
from workers.drawing.edges import number
from workers.drawing.frame import INSET, Frame
from workers.drawing.layout import Bar
from workers.drawing.palette import LOOKS

ARTIFACT = "#b45309"


def draw_bar(root: Element, frame: Frame, bar: Bar) -> None:
    """The bar, its label, and what a viewer shows when one points at it."""
    node, height = bar.node, frame.bar_height
    kind = str(node.kind)
    group = SubElement(root, "g", {"class": "ig-node", "data-kind": kind})
    SubElement(group, "title").text = described.of_node(node, frame.drawn.span)
    left, right, top = frame.x(bar.begin), frame.right(bar), frame.top(bar)
    colour = LOOKS[node.state_type].colour
    is_subflow = node.kind is NodeKind.FLOW_RUN
    radius = min(height / 2 if is_subflow else 3.5, (right - left) / 2, height / 2)
    if bar.is_open:
        SubElement(group, "path", {"d": _pointed(left, right, top, height), "fill": colour})
    else:
        SubElement(group, "rect", {**_box(left, top, right - left, height, radius), "fill": colour})
    if is_subflow and right - left > 10 and height > 8:
        inner = _box(left + 2, top + 2, right - left - (8 if bar.is_open else 4), height - 4, radius - 2)
        SubElement(group, "rect", {**inner, "class": "ig-sub"})
    if label := frame.label(bar):
        start = left if bar.is_label_inside else right
        place = {"x": number(start + text.PADDING), "y": number(frame.middle(bar) + 4.2)}
        place["class"] = "ig-in" if bar.is_label_inside else "ig-out"
        SubElement(group, "text", place).text = label


def draw_surroundings(root: Element, frame: Frame) -> None:
    """A frame around each bar that has others in it, the outer ones first."""
    holding = sorted((bar for bar in frame.drawn.bars if bar.rows > 1), key=lambda bar: bar.depth)
    if not holding:
        return
    ends = _ends(frame)
    group = SubElement(root, "g")
    for bar in holding:
        begin, end = ends[id(bar)]
        margin = max(INSET, 6.0 - bar.depth)
        top = frame.top(bar) - min(margin, (frame.row_height - frame.bar_height) / 2)
        height = frame.rows_top + (bar.row + bar.rows) * frame.row_height - top
        box = _box(begin - margin, top, end - begin + 2 * margin, height, 5)
        colour = LOOKS[bar.node.state_type].colour
        SubElement(group, "rect", {**box, "class": "ig-around", "fill": colour, "stroke": colour})


def draw_artifact(root: Element, frame: Frame, artifact: GraphArtifact, y: float) -> None:
    """A small diamond at the moment at which it was made."""
    x = frame.x(frame.drawn.span.at(artifact.created))
    size = min(5.0, max(2.0, frame.bar_height / 3))
    mark = SubElement(root, "path", {"d": diamond(x, y, size), "fill": ARTIFACT, "class": "ig-mark"})
    SubElement(mark, "title").text = described.of_artifact(artifact)


def diamond(x: float, y: float, size: float) -> str:
    """Data of an SVG path."""
    return f"M{number(x)} {number(y - size)}l{size:g} {size:g}-{size:g} {size:g}-{size:g}-{size:g}z"


def _ends(frame: Frame) -> dict[int, tuple[float, float]]:
    """From where to where each bar goes with all that is in it and its labels, by the bar's identity."""
    bars = frame.drawn.bars
    extents = [(frame.x(bar.begin), frame.label_end(bar)) for bar in bars]
    for place in sorted(range(len(bars)), key=lambda each: bars[each].depth, reverse=True):
        home = bars[place].inside
        if home is not None:
            begin, end = extents[place]
            extents[home] = (min(extents[home][0], begin), max(extents[home][1], end))
    return {id(bar): extent for bar, extent in zip(bars, extents, strict=True)}


def _box(x: float, y: float, width: float, height: float, radius: float) -> dict[str, str]:
    sizes = {"x": x, "y": y, "width": width, "height": height, "rx": max(radius, 0.0)}
    return {name: number(max(value, 0.0)) for name, value in sizes.items()}


def _pointed(left: float, right: float, top: float, height: float) -> str:
    """A bar that goes on: its right end is an arrow's."""
    tip = min(height / 2, right - left)
    middle, bottom = number(top + height / 2), number(top + height)
    back = number(right - tip)
    return f"M{number(left)} {number(top)}H{back}L{number(right)} {middle}L{back} {bottom}H{number(left)}z"
