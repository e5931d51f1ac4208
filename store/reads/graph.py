"""What the graph of a flow run is drawn from: one statement for each kind of thing, however many."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, case, cast, exists, func, or_, select
from sqlalchemy import tuple_ as row_of

from messages.fields import Id
from store.tables.catalog import flow
from store.tables.runs import artifact, flow_run, flow_run_state, task_run
from store.transaction import Connection


class RunTimes(NamedTuple):
    """When a flow run began, or should, and when it ended."""

    start_time: datetime | None
    end_time: datetime | None


class NodeRow(NamedTuple):
    """A task run, or the subflow run that it stands for: `id` is the node's.

    `task_run` is the task run's id, and `subflow` its subflow run's if it has one, as texts: inputs name them so.
    """

    id: Id
    task_run: str
    subflow: str | None
    label: str
    state_type: str
    start_time: datetime
    end_time: datetime | None
    task_inputs: Mapping[str, Any]


class ArtifactRow(NamedTuple):
    """An artifact; `data` only if it is of type `progress`."""

    id: Id
    created: datetime
    key: str | None
    type: str
    is_latest: bool
    data: Any
    task_run_id: Id | None


class StateRow(NamedTuple):
    """One state of a flow run's history."""

    id: Id
    timestamp: datetime
    type: str
    name: str


_subflow = flow_run.alias("subflow")
_start: ColumnElement[datetime] = func.coalesce(
    _subflow.c.start_time,
    _subflow.c.expected_start_time,
    task_run.c.start_time,
    task_run.c.expected_start_time,
)
# Task runs that completed without having run (out of the cache) end when they should have begun.
_end: ColumnElement[datetime] = func.coalesce(
    _subflow.c.end_time,
    task_run.c.end_time,
    case((task_run.c.state_type == "COMPLETED", task_run.c.expected_start_time)),
)
_node_id: ColumnElement[Id] = func.coalesce(_subflow.c.id, task_run.c.id)
_other = artifact.alias("other")


def _nodes(*columns: ColumnElement[Any]) -> Select[Any]:
    """Task runs that have left PENDING and have a time, each with its subflow run if it has one."""
    subflows = task_run.outerjoin(_subflow, _subflow.c.parent_task_run_id == task_run.c.id)
    return (
        select(*columns)
        .select_from(subflows.outerjoin(flow, flow.c.id == _subflow.c.flow_id))
        .where(
            task_run.c.flow_run_id == bindparam("flow_run_id"),
            task_run.c.state_type != "PENDING",
            _start.is_not(None),
        )
    )


_TIMES = select(
    func.coalesce(flow_run.c.start_time, flow_run.c.expected_start_time), flow_run.c.end_time
).where(flow_run.c.id == bindparam("flow_run_id"))
_NODES = _nodes(
    _node_id,
    cast(task_run.c.id, Text),
    cast(_subflow.c.id, Text),
    case((_subflow.c.id.is_not(None), flow.c.name + " / " + _subflow.c.name), else_=task_run.c.name),
    func.coalesce(_subflow.c.state_type, task_run.c.state_type),
    _start,
    _end,
    task_run.c.task_inputs,
).order_by(_start, _end, _node_id)
_newer = exists(
    select(1)
    .select_from(_other)
    .where(
        _other.c.key == artifact.c.key,
        row_of(_other.c.created, _other.c.id) > row_of(artifact.c.created, artifact.c.id),
    )
    .correlate(artifact)
)
_ARTIFACTS = (
    select(
        artifact.c.id,
        artifact.c.created,
        artifact.c.key,
        artifact.c.type,
        or_(artifact.c.key.is_(None), ~_newer),
        case((artifact.c.type == "progress", artifact.c.data)),
        artifact.c.task_run_id,
    )
    # Never true of NULL: what has no type is not shown, and so most results are not.
    .where(and_(artifact.c.flow_run_id == bindparam("flow_run_id"), artifact.c.type != "result"))
    .order_by(artifact.c.created, artifact.c.id)
    .limit(bindparam("most"))
)
_STATES = (
    select(flow_run_state.c.id, flow_run_state.c.timestamp, flow_run_state.c.type, flow_run_state.c.name)
    .where(flow_run_state.c.flow_run_id == bindparam("flow_run_id"))
    .order_by(flow_run_state.c.timestamp)
)


def times(connection: Connection, flow_run_id: Id) -> RunTimes | None:
    """When the flow run began and ended; None if there is no such run."""
    row = connection.execute(_TIMES, {"flow_run_id": flow_run_id}).one_or_none()
    return None if row is None else RunTimes(*row)


def count_nodes(connection: Connection, flow_run_id: Id, since: datetime | None, most: int) -> int:
    """How many nodes had not ended before `since`; counts no further than `most`."""
    query = _nodes(task_run.c.id)
    if since is not None:
        query = query.where(or_(_end.is_(None), _end >= since))
    counted = select(func.count()).select_from(query.limit(most).subquery())
    return connection.execute(counted, {"flow_run_id": flow_run_id}).scalar_one()


def nodes(connection: Connection, flow_run_id: Id) -> Sequence[NodeRow]:
    """All nodes, ended or not, in the order of their start, then of their end (those that go on last)."""
    # All rows at once: one at a time, the driver would be called ten thousand times.
    return [*map(NodeRow._make, connection.execute(_NODES, {"flow_run_id": flow_run_id}).all())]


def artifacts(connection: Connection, flow_run_id: Id, most: int) -> Sequence[ArtifactRow]:
    """The oldest artifacts of the flow run and its task runs, results left out."""
    return [
        ArtifactRow(*row)
        for row in connection.execute(_ARTIFACTS, {"flow_run_id": flow_run_id, "most": most})
    ]


def states(connection: Connection, flow_run_id: Id) -> Sequence[StateRow]:
    """The states that the flow run has had, oldest first."""
    return [StateRow(*row) for row in connection.execute(_STATES, {"flow_run_id": flow_run_id})]
