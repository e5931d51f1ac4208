"""Flow runs: created, changed, moved from state to state, deleted."""

from messages.catalog import Flow, WorkQueue
from messages.commands.flow_runs import (
    CreateFlowRun,
    DeleteFlowRun,
    FlowReference,
    SetFlowRunLabels,
    SetFlowRunState,
    UpdateFlowRun,
)
from messages.evolve import evolve, filled
from messages.fields import Id
from messages.results import Outcome
from messages.runs import FlowRun
from workers.handlers import outcomes, set_state
from workers.handlers.naming import new_name
from workers.handlers.outcomes import ok
from workers.handlers.policies import as_kept
from workers.handlers.transitions import forced, orders_of, set_flow_run_state
from workers.handlers.work_queues import queue_of
from workers.world.slots import forget_slots
from workers.world.world import Event, World

_UPDATABLE = ("flow_version", "parameters", "tags", "infrastructure_pid", "job_variables")
_CREATED_AS_GIVEN = (
    "deployment_id",
    "idempotency_key",
    "parameters",
    "context",
    "tags",
    "labels",
    "parent_task_run_id",
    "infrastructure_pid",
    "auto_scheduled",
    "flow_version",
    "deployment_version",
)


def flow_for(world: World, data: FlowReference) -> Flow:
    """The flow that a command names. One named by its name is made if there is none."""
    if data.flow_id is not None:
        flow = world.flows.get(data.flow_id)
        if flow is None:
            raise outcomes.missing("flow", data.flow_id)
        return flow
    assert data.flow_name is not None
    known = world.flows.by(data.flow_name)
    if known is not None:
        return known
    now = world.clock()
    return world.flows.put(Flow(id=world.new_id(), created=now, updated=now, name=data.flow_name))


def create(world: World, data: CreateFlowRun) -> Outcome:
    """Makes a flow run, unless the flow has seen the idempotency key."""
    flow = flow_for(world, data)
    if data.idempotency_key is not None:
        earlier = world.flow_runs.by(flow.id, data.idempotency_key)
        if earlier is not None:
            return ok(earlier.id, flow_run=earlier, created=False, mismatch=_differs(earlier, data))
    if world.flow_runs.get(data.id) is not None:
        raise outcomes.taken("flow run", data.id)
    if data.parent_task_run_id is not None and world.task_runs.get(data.parent_task_run_id) is None:
        raise outcomes.missing("parent task run", data.parent_task_run_id)
    run = world.flow_runs.put(_new(world, data, flow, queue_of(world, data)))
    world.tell(Event("flow_run.created", run.id, run, version=run.version))
    if data.state is not None:
        decision = set_flow_run_state(world, run, data.state, forced(data.orchestration_parameters))
        run = evolve(_existing(world, run.id), state=decision.state)
    return ok(run.id, flow_run=run, created=True, mismatch=False)


def _new(world: World, data: CreateFlowRun, flow: Flow, queue: WorkQueue | None) -> FlowRun:
    now = world.clock()
    given = {name: getattr(data, name) for name in _CREATED_AS_GIVEN}
    return filled(
        FlowRun,
        id=data.id or world.new_id(),
        created=now,
        updated=now,
        version=1,
        name=data.name or new_name(),
        flow_id=flow.id,
        work_queue_id=queue.id if queue else None,
        work_queue_name=queue.name if queue else data.work_queue_name,
        empirical_policy=as_kept(data.empirical_policy),
        job_variables=data.job_variables,
        created_by=data.created_by.model_dump(mode="json") if data.created_by else None,
        **given,
    )


def _differs(run: FlowRun, data: CreateFlowRun) -> bool:
    return (
        run.deployment_id != data.deployment_id
        or run.parameters != data.parameters
        or sorted(run.tags) != sorted(data.tags)
    )


def update(world: World, data: UpdateFlowRun) -> Outcome:
    """Replaces the given fields."""
    run = world.flow_runs.get(data.flow_run_id)
    if run is None:
        return ok(data.flow_run_id, updated=False)
    given = data.given(*_UPDATABLE)
    if "name" in data.model_fields_set:
        given["name"] = data.name or new_name()
    if "empirical_policy" in data.model_fields_set:
        given["empirical_policy"] = as_kept(data.empirical_policy)
    if given:
        _change(world, run, **given)
    return ok(run.id, updated=True)


def set_labels(world: World, data: SetFlowRunLabels) -> Outcome:
    """Merges labels."""
    run = world.flow_runs.get(data.flow_run_id)
    if run is None:
        return ok(data.flow_run_id, updated=False)
    _change(world, run, labels={**run.labels, **data.labels})
    return ok(run.id, updated=True)


def _change(world: World, run: FlowRun, **fields: object) -> None:
    changed = world.flow_runs.put(evolve(run, **fields, version=run.version + 1, updated=world.clock()))
    world.tell(Event("flow_run.updated", changed.id, changed, version=changed.version))


def propose_state(world: World, data: SetFlowRunState) -> Outcome:
    """Has the rules decide on a new state."""
    run = _existing(world, data.flow_run_id)
    set_state.check_version(run, data)
    decision = set_flow_run_state(world, run, data.state, orders_of(world, data))
    return set_state.answer(_existing(world, run.id), decision)


def delete(world: World, data: DeleteFlowRun) -> Outcome:
    """Deletes a flow run."""
    run = world.flow_runs.get(data.flow_run_id)
    if run is not None:
        remove(world, run)
    return ok(data.flow_run_id, deleted=run is not None)


def remove(world: World, run: FlowRun) -> None:
    """Takes a flow run out, with all that belongs to it."""
    for task_run in world.task_runs:
        if task_run.flow_run_id == run.id:
            forget_slots(world, task_run)
            _tell_it_is_gone(world, task_run.id, task_run.version)
    for ident, version in world.not_loaded.get(run.id, ()):
        _tell_it_is_gone(world, ident, version)
    forget_slots(world, run)
    world.remove_flow_run(run.id)
    world.tell(Event("flow_run.deleted", run.id, {"id": run.id}, version=run.version + 1))


def _tell_it_is_gone(world: World, task_run_id: Id, version: int) -> None:
    world.tell(Event("task_run.deleted", task_run_id, {"id": task_run_id}, version=version + 1))


def _existing(world: World, flow_run_id: Id) -> FlowRun:
    run = world.flow_runs.get(flow_run_id)
    if run is None:
        raise outcomes.missing("flow run", flow_run_id)
    return run
