"""Which task run of a flow run took in the results of which others."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from messages.answers import DependenciesRead, Dependency
from messages.errors import ErrorCode, Refused
from messages.fields import Id
from messages.queries import ReadDependencies
from messages.runs import TaskRun
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
    return DependenciesRead(items=[_dependency(run) for run in task_runs_of(asked.connection, flow_run_id)])


def _dependency(run: TaskRun) -> Dependency:
    return Dependency(
        id=run.id,
        name=run.name,
        upstream_dependencies=_upstream(run.task_inputs),
        state=run.state,
        expected_start_time=run.expected_start_time,
        start_time=run.start_time,
        end_time=run.end_time,
        total_run_time=run.total_run_time,
        untrackable_result=run.state is not None and run.state.state_details.untrackable_result,
    )


def _upstream(task_inputs: Mapping[str, Any]) -> list[Id]:
    """Task runs alone, each once: parameters and constants are inputs, but no dependencies."""
    inputs = (each for group in task_inputs.values() for each in group)
    return list(dict.fromkeys(UUID(each["id"]) for each in inputs if each["input_type"] == "task_run"))
