"""A run's graph as plain data, which the script in `data/` draws in a browser."""

from collections.abc import Mapping, Sequence
from typing import Any

from messages.answers import GraphArtifact
from workers.cli.screen import printable
from workers.drawing import described
from workers.drawing.durations import STEPS
from workers.drawing.layout import Bar, Layout
from workers.drawing.palette import LOOKS
from workers.drawing.title import Title

Data = Mapping[str, Any]


def as_data(drawn: Layout, title: Title) -> Data:
    """The picture as JSON can carry it. Times are in seconds from its beginning, but `begin`, which is in
    milliseconds since 1970; edges are pairs of places in `nodes`, one after the other."""
    graph, span = drawn.graph, drawn.span
    return {
        "id": title.run_id,
        "name": printable(title.name),
        "told": described.of_run(title, span),
        "begin": span.begin.timestamp() * 1000,
        "zero": span.zero,
        "seconds": span.seconds,
        "rows": drawn.rows,
        "nodes": [_node(bar) for bar in drawn.bars],
        "edges": [place for edge in drawn.edges for place in edge],
        "states": [
            {"at": span.at(each.timestamp), "type": each.type, "told": described.of_state(each)}
            for each in sorted(graph.states, key=lambda state: state.timestamp)
        ],
        "artifacts": _artifacts(drawn),
        "looks": {state: [look.colour, look.sign, state.default_name] for state, look in LOOKS.items()},
        "steps": STEPS,
    }


def _node(bar: Bar) -> Sequence[Any]:
    """id, label, state, kind, begin, end, whether it goes on, row, rows, place of the one around it or -1."""
    node, inside = bar.node, -1 if bar.inside is None else bar.inside
    times = [round(bar.begin, 6), round(bar.end, 6), int(bar.is_open)]
    kind = described.KINDS[node.kind]
    return [str(node.id), printable(node.label), node.state_type, kind, *times, bar.row, bar.rows, inside]


def _artifacts(drawn: Layout) -> list[Mapping[str, Any]]:
    """All artifacts; `node` is the place of theirs, -1 for those of the flow run itself."""
    groups: list[tuple[int, Sequence[GraphArtifact]]] = [(-1, drawn.graph.artifacts)]
    groups += [(place, bar.node.artifacts) for place, bar in enumerate(drawn.bars)]
    return [
        {"node": place, "at": drawn.span.at(each.created), "told": described.of_artifact(each)}
        for place, artifacts in groups
        for each in artifacts
    ]
