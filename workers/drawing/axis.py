"""The time axis: marks at round distances from the start, the run's own states, and its artifacts."""

from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement

from messages.answers import GraphState
from workers.drawing import described, text
from workers.drawing.bars import draw_artifact
from workers.drawing.durations import in_words, ticks
from workers.drawing.edges import number
from workers.drawing.frame import HEAD, Frame
from workers.drawing.layout import MARGIN
from workers.drawing.palette import LOOKS

_TICK_EVERY = 100
_STRIP_TOP, _STRIP = HEAD + 25.0, 9.0


def draw(root: Element, frame: Frame) -> None:
    """The whole axis, with a line through all rows at each mark."""
    group = SubElement(root, "g")
    span = frame.drawn.span
    bottom = number(frame.rows_end)
    counted = span.seconds - span.zero
    for seconds in ticks(counted, max(2, int(frame.drawn.width * counted / span.seconds / _TICK_EVERY))):
        middle = frame.x(span.zero + seconds)
        x = number(middle)
        SubElement(group, "path", {"d": f"M{x} {HEAD + 20}V{bottom}", "class": "ig-grid"})
        place = {"x": x, "y": str(HEAD + 14), "class": "ig-soft", "text-anchor": "middle"}
        label = in_words(seconds)
        if middle - text.width(label) / 2 < MARGIN:
            place |= {"x": str(MARGIN), "text-anchor": "start"}
        SubElement(group, "text", place).text = label
    _draw_states(SubElement(root, "g"), frame)
    for artifact in frame.drawn.graph.artifacts:
        draw_artifact(root, frame, artifact, _STRIP_TOP + _STRIP / 2)


def _draw_states(group: Element, frame: Frame) -> None:
    """A strip in the colours of the states that the run has had. What was before the picture is not in it."""
    states = sorted(frame.drawn.graph.states, key=lambda state: state.timestamp)
    span = frame.drawn.span
    for state, following in pairwise([*states, None]):
        if state is not None:
            begin = frame.x(span.at(state.timestamp))
            end = frame.x(span.seconds if following is None else span.at(following.timestamp))
            _draw_state(group, state, begin, end)


def _draw_state(group: Element, state: GraphState, begin: float, end: float) -> None:
    both = SubElement(group, "g", {"class": "ig-state"})
    SubElement(both, "title").text = described.of_state(state)
    colour = LOOKS[state.type].colour
    box = {"x": number(begin), "y": number(_STRIP_TOP), "width": number(end - begin)}
    SubElement(both, "rect", {**box, "height": number(_STRIP), "fill": colour, "fill-opacity": ".45"})
    middle = number(_STRIP_TOP + _STRIP / 2)
    SubElement(
        both, "circle", {"cx": number(begin), "cy": middle, "r": "5.5", "fill": colour, "class": "ig-mark"}
    )
