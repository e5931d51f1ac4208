"""A run's graph as one SVG that stands for itself: no script, no font, nothing from elsewhere.

Made of elements, not of text: nothing that a run is called can be taken for markup.
"""

from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from messages.answers import Graph
from workers.cli.screen import printable
from workers.drawing import axis, described, edges, legend, text
from workers.drawing.bars import draw_artifact, draw_bar, draw_surroundings
from workers.drawing.edges import number
from workers.drawing.frame import Frame
from workers.drawing.layout import MARGIN, MOST_LABELLED, Layout, layout
from workers.drawing.palette import LOOKS
from workers.drawing.title import Title

_STYLE = """
.ig text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;fill:#1f2933}
.ig .ig-name{font-size:18px;font-weight:600}.ig .ig-soft{fill:#5b6773}
.ig .ig-out{paint-order:stroke;stroke:#fbfcfd;stroke-width:3px;stroke-linejoin:round}
.ig .ig-in{fill:#fff;font-weight:500}
.ig-page{fill:#fbfcfd;stroke:#d7dde4}.ig-grid{stroke:#e3e8ee;fill:none}.ig-sub{fill:none;stroke:#fff;stroke-opacity:.7}
.ig-edges{fill:none;stroke:#6b7a8c;stroke-width:1.3;stroke-opacity:.75}.ig-many{stroke-width:1;stroke-opacity:.4}
.ig-around{fill-opacity:.07;stroke-opacity:.45}.ig-mark{stroke:#fbfcfd;stroke-width:1.3}
@media (prefers-color-scheme: dark){.ig text{fill:#e6edf3}.ig .ig-soft{fill:#a3afbb}.ig .ig-in{fill:#fff}
.ig-page{fill:#12171e;stroke:#2a333d}.ig-grid{stroke:#2a333d}.ig-edges{stroke:#8b99a8}
.ig-mark,.ig .ig-out{stroke:#12171e}.ig-around{fill-opacity:.16}}
""".replace("\n", "")
# Of more edges each is drawn more faintly.
_MANY = 150


def as_svg(graph: Graph, *, now: datetime, title: Title | None = None) -> str:
    """The picture. `now` is where bars of nodes that go on end. Large graphs have thin rows and no labels."""
    drawn = layout(graph, now=now)
    if len(graph.nodes) <= MOST_LABELLED and (beyond := Frame(drawn).beyond) > 0:
        drawn = layout(graph, now=now, width=drawn.width - beyond)
    return svg_of(drawn, title or Title())


def svg_of(drawn: Layout, title: Title) -> str:
    """The picture of a layout."""
    frame = Frame(drawn)
    width, height = number(frame.width), number(frame.height)
    size = {"width": width, "height": height, "viewBox": f"0 0 {width} {height}"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "class": "ig", "role": "img"})
    SubElement(root, "title").text = f"{printable(title.name)}: {described.of_run(title, drawn.span)}"
    SubElement(root, "style").text = _STYLE
    page = {"x": ".5", "y": ".5", "width": number(frame.width - 1), "height": number(frame.height - 1)}
    SubElement(root, "rect", {**page, "rx": "10", "class": "ig-page"})
    _draw_title(root, frame, title)
    axis.draw(root, frame)
    draw_surroundings(root, frame)
    left_out = _draw_edges(root, frame)
    for bar in drawn.bars:
        draw_bar(root, frame, bar)
    for bar in drawn.bars:
        for artifact in bar.node.artifacts:
            draw_artifact(root, frame, artifact, frame.top(bar) + frame.bar_height)
    legend.draw(root, frame, left_out)
    return tostring(root, encoding="unicode")


def _draw_title(root: Element, frame: Frame, title: Title) -> None:
    group = SubElement(root, "g")
    left = float(MARGIN)
    if title.state_type is not None:
        look = LOOKS[title.state_type]
        SubElement(group, "circle", {"cx": number(left + 8), "cy": "30", "r": "8", "fill": look.colour})
        sign = {"x": number(left + 8), "y": "34.5", "text-anchor": "middle", "class": "ig-in"}
        SubElement(group, "text", sign).text = look.sign
        left += 24
    room = frame.width - left - MARGIN
    name = SubElement(group, "text", {"x": number(left), "y": "36", "class": "ig-name"})
    name.text = text.fitted(printable(title.name), room, 18)
    told = SubElement(group, "text", {"x": str(MARGIN), "y": "59", "class": "ig-soft"})
    told.text = text.fitted(described.of_run(title, frame.drawn.span), frame.width - 2 * MARGIN)


def _draw_edges(root: Element, frame: Frame) -> int:
    """Answers how many were left out."""
    shown, left_out = edges.chosen(frame)
    kind = "ig-edges ig-many" if len(shown) > _MANY else "ig-edges"
    group = SubElement(root, "g", {"class": kind})
    for parent, child in shown:
        SubElement(group, "path", {"d": edges.curve(frame, parent, child)})
    return left_out
