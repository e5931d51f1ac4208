"""What a batch of commands may touch: collected from their data, so that all can be loaded at once. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from messages.commands.catalog import (
    DeleteDeployment,
    UpsertDeployment,
    UpsertFlow,
    UpsertWorkPool,
    UpsertWorkQueue,
)
from messages.commands.flow_runs import (
    CreateFlowRun,
    DeleteFlowRun,
    FlowReference,
    SetFlowRunLabels,
    SetFlowRunState,
    UpdateFlowRun,
)
from messages.commands.limits import (
    AcquireSlots,
    DeleteConcurrencyLimit,
    ReleaseSlots,
    UpsertConcurrencyLimit,
)
from messages.commands.notifications import DeleteNotificationPolicy, UpsertNotificationPolicy
from messages.commands.task_runs import CreateTaskRun, DeleteTaskRun, SetTaskRunState, UpdateTaskRun
from messages.fields import Id
from messages.states import ProposedState
from workers.pipeline.command import Command


@dataclass(slots=True)
class Needs:
    """Ids and keys, by what they name."""

    flow_names: set[str] = field(default_factory=set)
    flow_ids: set[Id] = field(default_factory=set)
    pool_names: set[str] = field(default_factory=set)
    deployment_ids: set[Id] = field(default_factory=set)
    #: (flow id, flow name, deployment name): one of the first two is None
    deployment_keys: set[tuple[Id | None, str | None, str]] = field(default_factory=set)
    #: their planned runs are dropped
    deployments_to_clear: set[Id] = field(default_factory=set)
    flow_run_ids: set[Id] = field(default_factory=set)
    #: may be deleted, and all their task runs with them
    flow_runs_to_delete: set[Id] = field(default_factory=set)
    #: (flow id, flow name, idempotency key): one of the first two is None
    idempotency_keys: set[tuple[Id | None, str | None, str]] = field(default_factory=set)
    task_run_ids: set[Id] = field(default_factory=set)
    task_keys: set[tuple[Id | None, str, str]] = field(default_factory=set)
    #: read, not locked
    parents_of_tasks: set[Id] = field(default_factory=set)
    limit_names: set[str] = field(default_factory=set)
    #: all leases of these are needed
    whole_limits: set[str] = field(default_factory=set)
    lease_ids: set[Id] = field(default_factory=set)
    policy_ids: set[Id] = field(default_factory=set)
    cache_keys: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    #: (run id, timestamp) of states that bring their own time
    timestamps: set[tuple[Id, datetime]] = field(default_factory=set)
    #: flow runs whose failed task runs an old client's rules look at
    of_old_clients: set[Id] = field(default_factory=set)
    catalog_changes: bool = False
    deletes_runs: bool = False
    flow_runs_move: bool = False
    runs_move: bool = False


def needs_of(commands: Iterable[Command]) -> Needs:
    """What these commands may touch."""
    needs = Needs()
    for command in commands:
        if command.data is not None:
            collect = _COLLECTORS.get(type(command.data))
            if collect is not None:
                collect(needs, command.data)
    return needs


def _flow(needs: Needs, data: FlowReference) -> None:
    if data.flow_id is not None:
        needs.flow_ids.add(data.flow_id)
    if data.flow_name is not None:
        needs.flow_names.add(data.flow_name)


def _upsert_flow(needs: Needs, data: UpsertFlow) -> None:
    needs.flow_names.add(data.name)
    needs.catalog_changes = True


def _upsert_deployment(needs: Needs, data: UpsertDeployment) -> None:
    _flow(needs, data)
    needs.deployment_keys.add((data.flow_id, data.flow_name, data.name))
    if data.id is not None:
        needs.deployment_ids.add(data.id)
        needs.limit_names.add(f"deployment:{data.id}")
    if data.work_pool_name is not None:
        needs.pool_names.add(data.work_pool_name)
    needs.catalog_changes = needs.deletes_runs = True


def _delete_deployment(needs: Needs, data: DeleteDeployment) -> None:
    needs.deployment_ids.add(data.deployment_id)
    needs.deployments_to_clear.add(data.deployment_id)
    needs.catalog_changes = needs.deletes_runs = True


def _upsert_pool(needs: Needs, data: UpsertWorkPool) -> None:
    needs.pool_names.add(data.name)
    needs.catalog_changes = True


def _upsert_queue(needs: Needs, data: UpsertWorkQueue) -> None:
    needs.pool_names.add(data.work_pool_name)
    needs.catalog_changes = True


def _upsert_limit(needs: Needs, data: UpsertConcurrencyLimit) -> None:
    needs.limit_names.add(data.name)
    needs.whole_limits.add(data.name)


def _slots(needs: Needs, data: AcquireSlots | ReleaseSlots) -> None:
    needs.limit_names.update(data.names or ())
    needs.whole_limits.update(data.names or ())
    if isinstance(data, ReleaseSlots) and data.lease_id is not None:
        needs.lease_ids.add(data.lease_id)


def _delete_limit(needs: Needs, data: DeleteConcurrencyLimit) -> None:
    needs.limit_names.add(data.name)


def _policy(needs: Needs, data: UpsertNotificationPolicy | DeleteNotificationPolicy) -> None:
    if data.id is not None:
        needs.policy_ids.add(data.id)
    needs.catalog_changes = True


def _create_flow_run(needs: Needs, data: CreateFlowRun) -> None:
    _flow(needs, data)
    if data.id is not None:
        needs.flow_run_ids.add(data.id)
    if data.idempotency_key is not None:
        needs.idempotency_keys.add((data.flow_id, data.flow_name, data.idempotency_key))
    if data.parent_task_run_id is not None:
        needs.task_run_ids.add(data.parent_task_run_id)
    if data.deployment_id is not None:
        needs.deployment_ids.add(data.deployment_id)
    if data.work_pool_name is not None:
        needs.pool_names.add(data.work_pool_name)
    if data.state is not None:
        needs.flow_runs_move = needs.runs_move = True


def _change_flow_run(needs: Needs, data: UpdateFlowRun | SetFlowRunLabels) -> None:
    needs.flow_run_ids.add(data.flow_run_id)


def _delete_flow_run(needs: Needs, data: DeleteFlowRun) -> None:
    needs.flow_run_ids.add(data.flow_run_id)
    needs.flow_runs_to_delete.add(data.flow_run_id)
    needs.deletes_runs = True


def _move_flow_run(needs: Needs, data: SetFlowRunState) -> None:
    needs.flow_run_ids.add(data.flow_run_id)
    needs.flow_runs_move = needs.runs_move = True
    if data.orchestration_parameters.api_version is not None:
        needs.of_old_clients.add(data.flow_run_id)
    _state(needs, data.flow_run_id, data.state)


def _state(needs: Needs, run_id: Id, state: ProposedState) -> None:
    if state.timestamp is not None:
        needs.timestamps.add((run_id, state.timestamp))
    if state.state_details.cache_key is not None:
        needs.cache_keys.add(state.state_details.cache_key)


def _create_task_run(needs: Needs, data: CreateTaskRun) -> None:
    if data.id is not None:
        needs.task_run_ids.add(data.id)
    needs.task_keys.add((data.flow_run_id, data.task_key, data.dynamic_key))
    needs.tags.update(data.tags)
    if data.flow_run_id is not None:
        needs.parents_of_tasks.add(data.flow_run_id)
    if data.state is not None:
        needs.runs_move = True
        if data.state.state_details.cache_key is not None:
            needs.cache_keys.add(data.state.state_details.cache_key)


def _change_task_run(needs: Needs, data: UpdateTaskRun) -> None:
    needs.task_run_ids.add(data.task_run_id)


def _delete_task_run(needs: Needs, data: DeleteTaskRun) -> None:
    needs.task_run_ids.add(data.task_run_id)
    needs.deletes_runs = True


def _move_task_run(needs: Needs, data: SetTaskRunState) -> None:
    needs.task_run_ids.add(data.task_run_id)
    needs.runs_move = True
    _state(needs, data.task_run_id, data.state)


_COLLECTORS: dict[type, Callable[[Needs, Any], None]] = {
    UpsertFlow: _upsert_flow,
    UpsertDeployment: _upsert_deployment,
    DeleteDeployment: _delete_deployment,
    UpsertWorkPool: _upsert_pool,
    UpsertWorkQueue: _upsert_queue,
    UpsertConcurrencyLimit: _upsert_limit,
    AcquireSlots: _slots,
    ReleaseSlots: _slots,
    DeleteConcurrencyLimit: _delete_limit,
    UpsertNotificationPolicy: _policy,
    DeleteNotificationPolicy: _policy,
    CreateFlowRun: _create_flow_run,
    UpdateFlowRun: _change_flow_run,
    SetFlowRunLabels: _change_flow_run,
    SetFlowRunState: _move_flow_run,
    DeleteFlowRun: _delete_flow_run,
    CreateTaskRun: _create_task_run,
    UpdateTaskRun: _change_task_run,
    SetTaskRunState: _move_task_run,
    DeleteTaskRun: _delete_task_run,
}
