"""Which task run of a flow run took in the results of which others."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from messages.answers import DependenciesRead, Dependency
from messages.errors import ErrorCode, Refused
from messages.fields import Id
from messages.queries import ReadDependencies
from messages.runs import TaskRun
from messages.states import StateType
from store.reads.task_runs import flow_run_exists, task_runs_of
from workers.queries.asked import Asked


def list_dependencies(asked: Asked[ReadDependencies]) -> DependenciesRead:
    """One item for each task run of the flow run, highest id first.

    Raises:
        Refused: `not_found`.
    """
    flow_run_id = asked.data.flow_run_id
    if not flow_run_exists(asked.connection, flow_run_id):
        raise Refused(ErrorCode.NOT_FOUND, f"there is no flow run {flow_run_id}")
    task_runs = task_runs_of(asked.connection, flow_run_id)
    return DependenciesRead(items=[_dependency(run, asked.now) for run in task_runs])


def _dependency(run: TaskRun, now: datetime) -> Dependency:
    return Dependency(
        id=run.id,
        name=run.name,
        upstream_dependencies=_upstream(run.task_inputs),
        state=run.state,
        expected_start_time=run.expected_start_time,
        start_time=run.start_time,
        end_time=run.end_time,
        total_run_time=run.total_run_time,
        estimated_run_time=_estimated_run_time(run, now),
        untrackable_result=run.state is not None and run.state.state_details.untrackable_result,
    )


def _estimated_run_time(run: TaskRun, now: datetime) -> float:
    """Seconds. A clock behind the one that wrote the state takes nothing away."""
    if run.state_type is not StateType.RUNNING or run.state_timestamp is None:
        return run.total_run_time
    return run.total_run_time + max(0.0, (now - run.state_timestamp).total_seconds())


def _upstream(task_inputs: Mapping[str, Any]) -> list[Id]:
    """Task runs alone, each once: parameters and constants are inputs, but no dependencies."""
    inputs = (each for group in task_inputs.values() for each in group)
    return list(dict.fromkeys(UUID(each["id"]) for each in inputs if each["input_type"] == "task_run"))
