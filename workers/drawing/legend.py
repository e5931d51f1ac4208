"""What the colours and forms in a picture mean, and what is left out of it."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement

from messages.answers import NodeKind
from workers.drawing import text
from workers.drawing.bars import ARTIFACT, diamond
from workers.drawing.edges import number
from workers.drawing.frame import Frame
from workers.drawing.layout import MARGIN
from workers.drawing.palette import LOOKS


def draw(root: Element, frame: Frame, edges_left_out: int) -> None:
    """One line below the rows; only what is in the picture is explained."""
    group = SubElement(root, "g", {"class": "ig-legend"})
    x, y = float(MARGIN), frame.height - 20
    for shape, words in _items(frame):
        SubElement(group, "path", {**shape, "transform": f"translate({number(x)} {number(y)})"})
        SubElement(group, "text", {"x": number(x + 18), "y": number(y + 4), "class": "ig-soft"}).text = words
        x += 18 + text.width(words) + 14
    if note := _note(frame, edges_left_out):
        place = {"x": number(x), "y": number(y + 4), "class": "ig-soft"}
        SubElement(group, "text", place).text = text.fitted(note, frame.width - x - MARGIN)


def _items(frame: Frame) -> Iterator[tuple[dict[str, str], str]]:
    graph, bars = frame.drawn.graph, frame.drawn.bars
    found = {bar.node.state_type for bar in bars} | {state.type for state in graph.states}
    square = "M2 -6H10a2 2 0 0 1 2 2V4a2 2 0 0 1-2 2H2a2 2 0 0 1-2-2V-4a2 2 0 0 1 2-2z"
    for state_type, look in LOOKS.items():
        if state_type in found:
            yield {"d": square, "fill": look.colour}, f"{look.sign} {state_type.default_name}"
    grey = "#8594a5"
    if any(bar.node.kind is NodeKind.FLOW_RUN for bar in bars):
        yield {"d": "M5 -5H9a5 5 0 0 1 0 10H5a5 5 0 0 1 0-10z", "fill": grey}, "subflow run"
    if any(bar.is_open for bar in bars):
        yield {"d": "M0 -5H8L13 0 8 5H0z", "fill": grey}, "goes on"
    if any(bar.rows > 1 for bar in bars):
        yield {"d": "M0 -6H13V6H0z", "fill": grey, "class": "ig-around", "stroke": grey}, "called within"
    if graph.artifacts or any(bar.node.artifacts for bar in bars):
        yield {"d": diamond(6, 0, 6), "fill": ARTIFACT}, "artifact"


def _note(frame: Frame, edges_left_out: int) -> str:
    graph = frame.drawn.graph
    if not graph.nodes:
        return "No task run has begun."
    if edges_left_out:
        return f"The longest {edges_left_out} of {len(frame.drawn.edges)} edges are left out."
    if not frame.has_labels or any(not frame.label(bar) for bar in frame.drawn.bars):
        return "Point at a bar to see what has no room here."
    return ""
