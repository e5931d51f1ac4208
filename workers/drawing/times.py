"""When a picture begins and ends, and when each of its nodes does, in seconds from the picture's beginning."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from messages.answers import Graph, GraphNode
from messages.states import TERMINAL

#: A run that took no time is drawn as if it had taken this, in seconds.
SHORTEST_S = 1e-3
# States before the start are shown if they are not longer before it than this part of the run.
_LEAD = 0.15


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a picture goes. People count from `start`, when the run began; `is_open`: it goes on."""

    begin: datetime
    start: datetime
    end: datetime
    is_open: bool

    @property
    def seconds(self) -> float:
        return max((self.end - self.begin).total_seconds(), SHORTEST_S)

    @property
    def zero(self) -> float:
        """Where the run's start is, in seconds from the beginning."""
        return self.at(self.start)

    def at(self, moment: datetime) -> float:
        """Seconds from the beginning, within the picture."""
        return min(max((moment - self.begin).total_seconds(), 0.0), self.seconds)


def span_of(graph: Graph, now: datetime) -> Span:
    """All nodes, and the run itself: to its end, or till now while it goes on."""
    goes_on = _goes_on(graph)
    moments = list(_moments(graph))
    begin = min(moments, default=now)
    end = max((*moments, now)) if goes_on and begin <= now else max(moments, default=now)
    lead = timedelta(seconds=_LEAD * (end - begin).total_seconds())
    earlier = [state.timestamp for state in graph.states if begin - lead <= state.timestamp < begin]
    return Span(min(earlier, default=begin), graph.start_time or begin, end, goes_on)


def is_open(node: GraphNode) -> bool:
    """Whether it goes on, as far as anybody knows."""
    return node.end_time is None and node.state_type not in TERMINAL


def extent(node: GraphNode, span: Span) -> tuple[float, float]:
    """From when to when its bar goes. One that has ended nobody knows when has no length."""
    begin = span.at(node.start_time)
    if node.end_time is not None:
        return begin, max(begin, span.at(node.end_time))
    return begin, span.seconds if is_open(node) else begin


def _goes_on(graph: Graph) -> bool:
    if graph.end_time is not None:
        return False
    return not graph.states or graph.states[-1].type not in TERMINAL


def _moments(graph: Graph) -> Iterator[datetime]:
    if graph.start_time is not None:
        yield graph.start_time
    if graph.end_time is not None:
        yield graph.end_time
    elif graph.states and graph.states[-1].type in TERMINAL:
        yield graph.states[-1].timestamp
    for node in graph.nodes:
        yield node.start_time
        if node.end_time is not None:
            yield node.end_time
