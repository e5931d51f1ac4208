"""The graph of a flow run: its task runs and subflow runs, and what took in the results of what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from messages.answers import Graph, GraphArtifact, GraphNode, GraphRead, GraphState, NodeKind
from messages.errors import ErrorCode, Refused, fault
from messages.fields import Id
from messages.queries import ReadGraph
from messages.states import StateType
from store.reads import graph as stored
from workers.queries.asked import Asked

#: The key of `task_inputs` that names the task runs within which this one was called.
ENCAPSULATING = "__parents__"
_TYPES = {each.value: each for each in StateType}


def read_graph(asked: Asked[ReadGraph]) -> GraphRead:
    """The graph, in five statements whatever its size.

    Raises:
        Refused: `not_found`, `graph_too_large`; `invalid_message` for a run without even an expected start.
    """
    connection, flow_run_id, since = asked.connection, asked.data.flow_run_id, asked.data.since
    times = _times(asked)
    _check_size(asked)
    artifacts = _artifacts(stored.artifacts(connection, flow_run_id, asked.limits.graph_max_artifacts))
    nodes = _nodes(stored.nodes(connection, flow_run_id), artifacts)
    shown = [each for each in nodes if since is None or each.end_time is None or each.end_time >= since]
    graph = Graph(
        start_time=times.start_time,
        end_time=times.end_time,
        root_node_ids=[each.id for each in shown if not each.parents],
        nodes=shown,
        artifacts=artifacts.get(None, []),
        states=_states(stored.states(connection, flow_run_id)),
    )
    return GraphRead(graph=graph)


def _times(asked: Asked[ReadGraph]) -> stored.RunTimes:
    flow_run_id = asked.data.flow_run_id
    times = stored.times(asked.connection, flow_run_id)
    if times is None:
        raise Refused(ErrorCode.NOT_FOUND, f"there is no flow run {flow_run_id}")
    if times.start_time is None:
        message = (
            f"flow run {flow_run_id} has no start yet, not even an expected one: there is nothing to draw"
        )
        raise Refused(ErrorCode.INVALID_MESSAGE, message, [fault(message, "data", "flow_run_id")])
    return times


def _check_size(asked: Asked[ReadGraph]) -> None:
    data, most = asked.data, asked.limits.graph_max_nodes
    if stored.count_nodes(asked.connection, data.flow_run_id, data.since, most + 1) > most:
        message = f"the graph of flow run {data.flow_run_id} has more than {most} nodes"
        raise Refused(ErrorCode.GRAPH_TOO_LARGE, message)


def _artifacts(found: Iterable[stored.ArtifactRow]) -> dict[Id | None, list[GraphArtifact]]:
    """Those of each task run; those of the flow run itself under None."""
    grouped: dict[Id | None, list[GraphArtifact]] = defaultdict(list)
    for row in found:
        values = row._asdict()
        grouped[values.pop("task_run_id")].append(GraphArtifact(**values))
    return grouped


def _states(found: Iterable[stored.StateRow]) -> list[GraphState]:
    return [
        GraphState(id=row.id, timestamp=row.timestamp, type=StateType(row.type), name=row.name)
        for row in found
    ]


def _nodes(
    found: Sequence[stored.NodeRow], artifacts: Mapping[Id | None, list[GraphArtifact]]
) -> list[GraphNode]:
    """All nodes with their edges. Numbers are places in `found`: to sort them is to sort by start."""
    nodes = [_node(row, artifacts) for row in found]
    places = _places(found)
    for node, row in zip(nodes, found, strict=True):
        inputs = row.task_inputs
        if around := inputs.get(ENCAPSULATING):
            node.encapsulating.extend(nodes[each].id for each in _resolve([around], places))
            inputs = {key: group for key, group in inputs.items() if key != ENCAPSULATING}
        for parent in _resolve(inputs.values(), places) if inputs else ():
            node.parents.append(nodes[parent].id)
            nodes[parent].children.append(node.id)
    return nodes


def _node(row: stored.NodeRow, artifacts: Mapping[Id | None, list[GraphArtifact]]) -> GraphNode:
    return GraphNode(
        id=row.id,
        kind=NodeKind.TASK_RUN if row.subflow is None else NodeKind.FLOW_RUN,
        label=row.label,
        state_type=_TYPES[row.state_type],
        start_time=row.start_time,
        end_time=row.end_time,
        # UUID works its hash out in Python: most graphs have no artifacts.
        artifacts=artifacts.get(row.id, []) if artifacts else [],
    )


def _places(found: Sequence[stored.NodeRow]) -> Mapping[str, list[int]]:
    """Where the nodes stand that an input can mean: a task run's id also means its subflow runs."""
    places: dict[str, list[int]] = {}
    for number, row in enumerate(found):
        places.setdefault(row.task_run, []).append(number)
        if row.subflow is not None:
            places.setdefault(row.subflow, []).append(number)
    return places


def _resolve(inputs: Iterable[Sequence[Mapping[str, Any]]], places: Mapping[str, list[int]]) -> list[int]:
    """The nodes that these inputs mean, each once. What is no node of this graph is left out."""
    return sorted(
        {place for group in inputs for each in group for place in places.get(each.get("id", ""), ())}
    )
