"""Answers: what the results of queries hold (contract, section 4)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from messages.catalog import ConcurrencyLimit, Deployment, Flow, NotificationPolicy
from messages.fields import Id, JsonObject
from messages.runs import FlowRun, TaskRun
from messages.states import State, StateType


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRunFound:
    """The answer to `flow_run.read`."""

    found: bool
    flow_run: FlowRun | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRunFound:
    """The answer to `task_run.read`."""

    found: bool
    task_run: TaskRun | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFound:
    """The answer to `flow.read`."""

    found: bool
    flow: Flow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFound:
    """The answer to `deployment.read`."""

    found: bool
    deployment: Deployment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrencyLimitFound:
    """The answer to `concurrency_limit.read`."""

    found: bool
    concurrency_limit: ConcurrencyLimit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFound:
    """The answer to `command.read`: the `data` of the stored result; found without it: not finished."""

    found: bool
    result: JsonObject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPolicies:
    """The answer to `notification_policy.list`."""

    items: list[NotificationPolicy]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRunPage:
    """A page of flow runs, whole or in the columns asked for; `next` is the cursor of the page after."""

    items: list[FlowRun | JsonObject]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRunPage:
    """A page of task runs, whole or in the columns asked for; `next` is the cursor of the page after."""

    items: list[TaskRun | JsonObject]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many there are."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """The states of a run, oldest first; none where there is no such run."""

    items: list[State]


class NodeKind(StrEnum):
    """What stands at a node of the graph."""

    FLOW_RUN = "flow-run"
    TASK_RUN = "task-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphArtifact:
    """An artifact in the graph; `data` only for those of type `progress`."""

    id: Id
    created: datetime
    key: str | None
    type: str
    is_latest: bool
    data: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphState:
    """A state of the flow run, in short."""

    id: Id
    timestamp: datetime
    type: StateType
    name: str


# Not frozen: edges are added to nodes, and ten thousand of them are made in half the time.
@dataclass(slots=True, kw_only=True)
class GraphNode:
    """A task run, or the flow run that it started. Edges are ids of nodes, even of left out ones."""

    id: Id
    kind: NodeKind
    label: str
    state_type: StateType
    start_time: datetime
    end_time: datetime | None
    parents: list[Id] = field(default_factory=list)
    children: list[Id] = field(default_factory=list)
    encapsulating: list[Id] = field(default_factory=list)
    artifacts: list[GraphArtifact] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A flow run as a graph; nodes in the order of their start, then their end."""

    start_time: datetime | None
    end_time: datetime | None
    root_node_ids: list[Id]
    nodes: list[GraphNode]
    artifacts: list[GraphArtifact]
    states: list[GraphState]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRead:
    """The answer to `flow_run.graph`."""

    graph: Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A task run, and the runs whose results it took in; `total_run_time` is in seconds.

    `estimated_run_time`, in seconds, is `total_run_time` and, while the run is RUNNING, the time since then.
    """

    id: Id
    name: str
    upstream_dependencies: list[Id]
    state: State | None
    expected_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float
    estimated_run_time: float
    untrackable_result: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DependenciesRead:
    """The answer to `flow_run.dependencies`: one item for each task run of the flow run."""

    items: list[Dependency]
