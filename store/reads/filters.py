"""Filters as SQL: for each kind of object, which column or relation each criterion is about.

What surrounds runs (flows, deployments, work queues and pools) is little beside them. Where a filter means few of
these, their ids are found first, so that runs are looked for by plain values, for which there are indexes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, or_, select, true

from messages.fields import Id
from messages.filters import (
    Exists,
    FlowRunOfTask,
    IsNull,
    NameLike,
    ParentFlowRunId,
    TextIn,
)
from messages.queries import RunFilters
from store.reads.criteria import Clause, Meaning, clause, containing, of, of_tags, one_of
from store.reads.resting import Scope, of_name, of_queue_name, of_tags_of_runs, of_time, state_of
from store.tables.catalog import deployment, flow, work_pool, work_queue
from store.tables.runs import flow_run, task_run
from store.transaction import Connection

#: Of what surrounds runs, by group: the ids that the group's filter means.
Surroundings = Mapping[str, Sequence[Id]]
_FEW = 100


def surroundings(connection: Connection, filters: RunFilters) -> Surroundings:
    """The ids that the filters of flows, deployments, work pools and queues mean, group by group; nothing of a
    group that means more than a hundred."""
    found: dict[str, Sequence[Id]] = {}
    for name, group in _GROUPS.items():
        criteria = getattr(filters, name)
        if criteria is not None:
            asked = select(group.id).select_from(group.of).where(clause(criteria, group.meanings))
            ids = connection.execute(asked.limit(_FEW + 1)).scalars().all()
            if len(ids) <= _FEW:
                found[name] = ids
    return found


def flow_runs_where(filters: RunFilters, known: Surroundings, scope: Scope) -> Clause:
    """Which flow runs of the scope: every group that is given must hold, and what it is about must exist."""
    clauses = _of_flow_run(filters, known, scope)
    if filters.task_runs is not None:
        tasks = clause(filters.task_runs, _TASK_RUN[Scope.ALL])
        clauses.append(_has(task_run, task_run.c.flow_run_id == flow_run.c.id, tasks, outer=flow_run))
    return and_(true(), *clauses)


def task_runs_where(filters: RunFilters, known: Surroundings, scope: Scope) -> Clause:
    """Which task runs of the scope: any group but `task_runs` is about the task run's flow run, which must exist."""
    clauses: list[Clause] = [true()]
    if filters.task_runs is not None:
        clauses.append(clause(filters.task_runs, _TASK_RUN[scope]))
    of_flow_run = _of_flow_run(filters, known, Scope.ALL)
    if of_flow_run:
        its_flow_run = flow_run.c.id == task_run.c.flow_run_id
        clauses.append(_has(flow_run, its_flow_run, *of_flow_run, outer=task_run))
    return and_(*clauses)


def _of_flow_run(filters: RunFilters, known: Surroundings, scope: Scope) -> list[Clause]:
    """One clause for each group that is given, `task_runs` apart."""
    clauses = [] if filters.flow_runs is None else [clause(filters.flow_runs, _FLOW_RUN[scope])]
    for name, group in _GROUPS.items():
        criteria = getattr(filters, name)
        if name in known:
            clauses.append(one_of(group.column, known[name]))
        elif criteria is not None:
            asked = clause(criteria, group.meanings)
            clauses.append(_has(group.of, group.id == group.column, asked, outer=flow_run))
    return clauses


def _has(what: FromClause, *clauses: Clause, outer: FromClause) -> Clause:
    return exists(select(1).select_from(what).where(*clauses).correlate(outer))


def _has_deployments(criteria: IsNull) -> Clause:
    if criteria.is_null_ is None:
        return true()
    other = deployment.alias("deployment_of_flow")
    found = _has(other, other.c.flow_id == flow.c.id, outer=flow)
    return ~found if criteria.is_null_ else found


def _flow_or_deployment_is_named(criteria: NameLike) -> Clause:
    if criteria.like_ is None:
        return true()
    its_flow = flow.alias("flow_of_deployment")
    named = containing(its_flow.c.name, criteria.like_)
    return or_(
        containing(deployment.c.name, criteria.like_),
        _has(its_flow, its_flow.c.id == deployment.c.flow_id, named, outer=deployment),
    )


def _started_from_flow_run(criteria: ParentFlowRunId) -> Clause:
    if criteria.any_ is None:
        return true()
    parent = task_run.alias("parent_task_run")
    return _has(
        parent,
        parent.c.id == flow_run.c.parent_task_run_id,
        one_of(parent.c.flow_run_id, criteria.any_),
        outer=flow_run,
    )


def _has_subflow(criteria: Exists) -> Clause:
    if criteria.exists_ is None:
        return true()
    subflow = flow_run.alias("subflow")
    found = _has(subflow, subflow.c.parent_task_run_id == task_run.c.id, outer=task_run)
    return found if criteria.exists_ else ~found


def _flow_run_of_task(criteria: FlowRunOfTask) -> Clause:
    column: ColumnElement[object] = task_run.c.flow_run_id
    if criteria.is_null_:
        return column.is_(None)
    if criteria.any_ is not None:
        return one_of(column, criteria.any_)
    return true() if criteria.is_null_ is None else column.is_not(None)


def _type_of_pool(criteria: TextIn) -> Clause:
    # Pools have no types here: to ask for one finds none.
    return true() if criteria.any_ is None else false()


_FLOW: Mapping[str, Meaning] = {
    "id": of(flow.c.id),
    "name": of(flow.c.name),
    "tags": of_tags(flow.c.tags),
    "deployment": _has_deployments,
}
# `concurrency_limit` is accepted and ignored.
_DEPLOYMENT: Mapping[str, Meaning] = {
    "id": of(deployment.c.id),
    "name": of(deployment.c.name),
    "flow_or_deployment_name": _flow_or_deployment_is_named,
    "paused": of(deployment.c.paused),
    "tags": of_tags(deployment.c.tags),
    "work_queue_name": of(deployment.c.work_queue_name),
}
_WORK_POOL: Mapping[str, Meaning] = {
    "id": of(work_pool.c.id),
    "name": of(work_pool.c.name),
    "type": _type_of_pool,
}
_WORK_QUEUE: Mapping[str, Meaning] = {
    "id": of(work_queue.c.id),
    "name": of(work_queue.c.name),
}


def _of_flow_runs(scope: Scope) -> Mapping[str, Meaning]:
    return {
        "id": of(flow_run.c.id),
        "name": of_name(flow_run, scope),
        "tags": of_tags_of_runs(flow_run, scope),
        "deployment_id": of(flow_run.c.deployment_id),
        "work_queue_name": of_queue_name(flow_run.c.work_queue_name),
        "state": state_of(flow_run, scope),
        "flow_version": of(flow_run.c.flow_version),
        "start_time": of_time(
            flow_run.c.start_time, flow_run.c.resting_start, scope, given=flow_run.c.resting_started
        ),
        "end_time": of(flow_run.c.end_time),
        "expected_start_time": of_time(
            flow_run.c.expected_start_time, flow_run.c.resting_expected_start, scope
        ),
        "next_scheduled_start_time": of(flow_run.c.next_scheduled_start_time),
        "parent_flow_run_id": _started_from_flow_run,
        "parent_task_run_id": of(flow_run.c.parent_task_run_id),
        "idempotency_key": of(flow_run.c.idempotency_key),
    }


def _of_task_runs(scope: Scope) -> Mapping[str, Meaning]:
    return {
        "id": of(task_run.c.id),
        "name": of_name(task_run, scope),
        "tags": of_tags_of_runs(task_run, scope),
        "state": state_of(task_run, scope),
        "start_time": of(task_run.c.start_time),
        "expected_start_time": of_time(
            task_run.c.expected_start_time, task_run.c.resting_expected_start, scope
        ),
        "subflow_runs": _has_subflow,
        "flow_run_id": _flow_run_of_task,
    }


_FLOW_RUN = {scope: _of_flow_runs(scope) for scope in Scope}
_TASK_RUN = {scope: _of_task_runs(scope) for scope in Scope}


class _Group(NamedTuple):
    """What surrounds flow runs: where it is found, and by which column a flow run belongs to it."""

    of: FromClause
    id: ColumnElement[Id]
    meanings: Mapping[str, Meaning]
    column: ColumnElement[Id]


_POOLS = work_queue.join(work_pool, work_pool.c.id == work_queue.c.work_pool_id)
_GROUPS: Mapping[str, _Group] = {
    "flows": _Group(flow, flow.c.id, _FLOW, flow_run.c.flow_id),
    "deployments": _Group(deployment, deployment.c.id, _DEPLOYMENT, flow_run.c.deployment_id),
    "work_queues": _Group(work_queue, work_queue.c.id, _WORK_QUEUE, flow_run.c.work_queue_id),
    "work_pools": _Group(_POOLS, work_queue.c.id, _WORK_POOL, flow_run.c.work_queue_id),
}
