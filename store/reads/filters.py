"""Filters as SQL: for each kind of object, which column or relation each criterion is about."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, FromClause, Table, and_, exists, false, or_, select, true

from messages.filters import (
    Exists,
    FlowRunOfTask,
    FlowRunState,
    IsNull,
    NameLike,
    ParentFlowRunId,
    TaskRunState,
    TextIn,
)
from messages.queries import RunFilters
from store.reads.criteria import Clause, Meaning, clause, containing, joined, of, of_tags, one_of, said_of
from store.tables.catalog import deployment, flow, work_pool, work_queue
from store.tables.runs import flow_run, task_run


def flow_runs_where(filters: RunFilters) -> Clause:
    """Which flow runs: every group that is given must hold, and what it is about must exist."""
    clauses = _of_flow_run(filters)
    if filters.task_runs is not None:
        tasks = clause(filters.task_runs, _TASK_RUN)
        clauses.append(_has(task_run, task_run.c.flow_run_id == flow_run.c.id, tasks, outer=flow_run))
    return and_(true(), *clauses)


def task_runs_where(filters: RunFilters) -> Clause:
    """Which task runs: any group but `task_runs` is about the task run's flow run, which then must exist."""
    clauses: list[Clause] = [true()]
    if filters.task_runs is not None:
        clauses.append(clause(filters.task_runs, _TASK_RUN))
    surroundings = _of_flow_run(filters)
    if surroundings:
        its_flow_run = flow_run.c.id == task_run.c.flow_run_id
        clauses.append(_has(flow_run, its_flow_run, *surroundings, outer=task_run))
    return and_(*clauses)


def _of_flow_run(filters: RunFilters) -> list[Clause]:
    """One clause for each group that is given, `task_runs` apart."""
    clauses = []
    if filters.flow_runs is not None:
        clauses.append(clause(filters.flow_runs, _FLOW_RUN))
    if filters.flows is not None:
        clauses.append(
            _has(flow, flow.c.id == flow_run.c.flow_id, clause(filters.flows, _FLOW), outer=flow_run)
        )
    if filters.deployments is not None:
        asked = clause(filters.deployments, _DEPLOYMENT)
        clauses.append(_has(deployment, deployment.c.id == flow_run.c.deployment_id, asked, outer=flow_run))
    queue = work_queue.c.id == flow_run.c.work_queue_id
    if filters.work_queues is not None:
        clauses.append(_has(work_queue, queue, clause(filters.work_queues, _WORK_QUEUE), outer=flow_run))
    if filters.work_pools is not None:
        pools = work_queue.join(work_pool, work_pool.c.id == work_queue.c.work_pool_id)
        clauses.append(_has(pools, queue, clause(filters.work_pools, _WORK_POOL), outer=flow_run))
    return clauses


def _has(what: FromClause, *clauses: Clause, outer: FromClause) -> Clause:
    return exists(select(1).select_from(what).where(*clauses).correlate(outer))


def _state_of(table: Table) -> Meaning:
    """A state filter joins all its lists by one operator, whichever of the two columns they are about."""

    def meaning(criteria: FlowRunState | TaskRunState) -> Clause:
        clauses = [] if criteria.type is None else said_of(table.c.state_type, criteria.type)
        clauses += [] if criteria.name is None else said_of(table.c.state_name, criteria.name)
        return joined(criteria, clauses)

    return meaning


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
_FLOW_RUN: Mapping[str, Meaning] = {
    "id": of(flow_run.c.id),
    "name": of(flow_run.c.name),
    "tags": of_tags(flow_run.c.tags),
    "deployment_id": of(flow_run.c.deployment_id),
    "work_queue_name": of(flow_run.c.work_queue_name),
    "state": _state_of(flow_run),
    "flow_version": of(flow_run.c.flow_version),
    "start_time": of(flow_run.c.start_time),
    "end_time": of(flow_run.c.end_time),
    "expected_start_time": of(flow_run.c.expected_start_time),
    "next_scheduled_start_time": of(flow_run.c.next_scheduled_start_time),
    "parent_flow_run_id": _started_from_flow_run,
    "parent_task_run_id": of(flow_run.c.parent_task_run_id),
    "idempotency_key": of(flow_run.c.idempotency_key),
}
_TASK_RUN: Mapping[str, Meaning] = {
    "id": of(task_run.c.id),
    "name": of(task_run.c.name),
    "tags": of_tags(task_run.c.tags),
    "state": _state_of(task_run),
    "start_time": of(task_run.c.start_time),
    "expected_start_time": of(task_run.c.expected_start_time),
    "subflow_runs": _has_subflow,
    "flow_run_id": _flow_run_of_task,
}
