"""Graphs for tests, and any graph at all."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import strategies as st

from messages.answers import Graph, GraphArtifact, GraphNode, GraphState, NodeKind
from messages.states import StateType
from workers.drawing.title import Title

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOSTILE = "</script><img src=x onerror=alert(1)>'\"&amp;]]>\u202e\x00\x1b[31m\ud800 漢字 \u2028"
TITLE = Title(
    run_id=str(UUID(int=1)),
    run_name="witty-otter",
    flow_name="orders",
    state_type=StateType.RUNNING,
    state_name="Running",
)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def node(
    number: int,
    begin: float,
    end: float | None = None,
    *,
    state: StateType | None = None,
    parents: Sequence[int] = (),
    inside: Sequence[int] = (),
    label: str | None = None,
    kind: NodeKind = NodeKind.TASK_RUN,
    artifacts: Sequence[GraphArtifact] = (),
) -> GraphNode:
    """A node, known by its number; without an end it is running, unless a state is given."""
    usual = StateType.RUNNING if end is None else StateType.COMPLETED
    return GraphNode(
        id=UUID(int=number),
        kind=kind,
        label=f"task-{number}" if label is None else label,
        state_type=state or usual,
        start_time=at(begin),
        end_time=None if end is None else at(end),
        parents=[UUID(int=each) for each in parents],
        encapsulating=[UUID(int=each) for each in inside],
        artifacts=list(artifacts),
    )


def artifact(number: int, seconds: float, key: str | None = "report") -> GraphArtifact:
    return GraphArtifact(
        id=UUID(int=number), created=at(seconds), key=key, type="markdown", is_latest=True, data=None
    )


def state(number: int, seconds: float, type_: StateType, name: str | None = None) -> GraphState:
    return GraphState(id=UUID(int=number), timestamp=at(seconds), type=type_, name=name or type_.default_name)


def graph(
    *nodes: GraphNode,
    start: datetime | None = NOON,
    end: float | None = None,
    states: Sequence[GraphState] = (),
    artifacts: Sequence[GraphArtifact] = (),
) -> Graph:
    """A graph of these nodes, in the order in which they would be told, and with the children of their parents."""
    known = {each.id: each for each in nodes}
    for each in nodes:
        for parent in each.parents:
            if parent in known:
                known[parent].children.append(each.id)
    return Graph(
        start_time=start,
        end_time=None if end is None else at(end),
        root_node_ids=[each.id for each in nodes if not each.parents],
        nodes=sorted(nodes, key=lambda each: (each.start_time, each.end_time or at(1e9))),
        artifacts=list(artifacts),
        states=list(states),
    )


def large(number: int, at_once: int = 12, seed: int = 1) -> Graph:
    """A run of so many task runs, some of them in subflow runs' places, each with up to three parents."""
    random = Random(seed)
    free = [0.0] * at_once
    nodes: list[GraphNode] = []
    for each in range(1, number + 1):
        lane = min(range(at_once), key=lambda lane: free[lane])
        begin = free[lane] + random.random() * 0.3
        free[lane] = begin + random.expovariate(0.4)
        done = [other for other in nodes[-40:] if other.end_time is not None and other.end_time <= at(begin)]
        parents = random.sample(done, min(len(done), random.choice([0, 1, 1, 2, 3])))
        ended = random.choices([StateType.COMPLETED, StateType.FAILED], [9, 1])[0]
        numbers = [other.id.int for other in parents]
        nodes.append(node(each, begin, free[lane], state=ended, parents=numbers))
    return graph(*nodes, end=max(free))


_NUMBERS = st.lists(st.integers(1, 14), max_size=4, unique=True)
# Edges may lead anywhere, also in circles: a picture has to stand that.
_NODE = st.builds(
    node,
    number=st.integers(1, 12),
    begin=st.floats(-5, 100),
    end=st.none() | st.floats(-5, 200),
    state=st.none() | st.sampled_from(StateType),
    parents=_NUMBERS,
    inside=_NUMBERS,
    label=st.text(max_size=60) | st.just(HOSTILE),
    kind=st.sampled_from(NodeKind),
    artifacts=st.lists(st.builds(artifact, st.integers(100, 900), st.floats(-9, 300)), max_size=2),
)
_STATE = st.builds(
    state, st.integers(1, 999), st.floats(-1e4, 300), st.sampled_from(StateType), st.text(max_size=9)
)
GRAPHS = st.builds(
    lambda nodes, end, states, artifacts: graph(*nodes, end=end, states=states, artifacts=artifacts),
    st.lists(_NODE, max_size=12, unique_by=lambda each: each.id),
    st.none() | st.floats(0, 300),
    st.lists(_STATE, max_size=4),
    st.lists(st.builds(artifact, st.integers(100, 900), st.floats(-9, 300)), max_size=2),
)
