"""What is told of nodes, states and artifacts in words: captions, and what is shown when one points at them."""

from datetime import UTC, datetime

from messages.answers import GraphArtifact, GraphNode, GraphState, NodeKind
from workers.cli.screen import printable
from workers.drawing.durations import in_words
from workers.drawing.palette import LOOKS
from workers.drawing.times import Span, is_open
from workers.drawing.title import Title

KINDS = {NodeKind.TASK_RUN: "task run", NodeKind.FLOW_RUN: "subflow run"}


def caption(node: GraphNode) -> str:
    """The sign of its state, and its name."""
    return f"{LOOKS[node.state_type].sign} {printable(node.label)}"


def clock(moment: datetime) -> str:
    """A date and time of day, in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")


def duration(node: GraphNode, now: datetime) -> str:
    """How long it took, or has taken so far; `ended, nobody knows when` if that is so."""
    if is_open(node):
        return f"{in_words(max(0.0, (now - node.start_time).total_seconds()))} so far"
    if node.end_time is None:
        return "ended, nobody knows when"
    return in_words(max(0.0, (node.end_time - node.start_time).total_seconds()))


def of_node(node: GraphNode, span: Span) -> str:
    """All of a node, in lines."""
    offset = (node.start_time - span.start).total_seconds()
    lines = [
        printable(node.label),
        f"{node.state_type.default_name} {KINDS[node.kind]}, {duration(node, span.end)}",
        f"began {in_words(offset)} after the start, {clock(node.start_time)}",
        str(node.id),
    ]
    return "\n".join(lines)


def of_artifact(artifact: GraphArtifact) -> str:
    """An artifact, in lines."""
    name = f" {printable(artifact.key)}" if artifact.key else ""
    progress = f": {artifact.data:g} %" if isinstance(artifact.data, int | float) else ""
    return f"artifact{name}, {printable(artifact.type)}{progress}\n{clock(artifact.created)}\n{artifact.id}"


def of_state(state: GraphState) -> str:
    """A state of the flow run, in lines."""
    return f"{printable(state.name)} ({state.type})\n{clock(state.timestamp)}"


def of_run(title: Title, span: Span) -> str:
    """State, duration and start of the run, on one line."""
    took = in_words((span.end - span.start).total_seconds())
    known = [printable(title.state_name) or (title.state_type.default_name if title.state_type else "")]
    known.append(f"{took} so far" if span.is_open else took)
    known.append(f"from {clock(span.start)}")
    return " · ".join(filter(None, known))
