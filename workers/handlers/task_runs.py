"""Task runs: created, renamed, moved from state to state, deleted."""

from messages.commands.task_runs import CreateTaskRun, DeleteTaskRun, SetTaskRunState, UpdateTaskRun
from messages.evolve import evolve
from messages.fields import Id
from messages.results import Outcome
from messages.runs import TaskRun
from workers.handlers import outcomes, set_state
from workers.handlers.naming import new_name
from workers.handlers.outcomes import ok
from workers.handlers.policies import as_kept
from workers.handlers.transitions import forced, orders_of, set_task_run_state
from workers.world.slots import forget_slots
from workers.world.world import Event, World

_CREATED_AS_GIVEN = (
    "flow_run_id",
    "task_key",
    "dynamic_key",
    "cache_key",
    "cache_expiration",
    "task_version",
    "tags",
    "labels",
)


def create(world: World, data: CreateTaskRun) -> Outcome:
    """Makes a task run, unless its keys exist."""
    if data.flow_run_id is not None and world.flow_runs.get(data.flow_run_id) is None:
        raise outcomes.missing("flow run", data.flow_run_id)
    earlier = world.task_runs.by(data.flow_run_id, data.task_key, data.dynamic_key)
    if earlier is not None:
        return ok(earlier.id, task_run=earlier, created=False)
    if world.task_runs.get(data.id) is not None:
        raise outcomes.taken("task run", data.id)
    run = world.task_runs.put(_new(world, data))
    world.tell(Event("task_run.created", run.id, run, version=run.version))
    if data.state is not None:
        decision = set_task_run_state(world, run, data.state, forced())
        run = evolve(_existing(world, run.id), state=decision.state)
    return ok(run.id, task_run=run, created=True)


def _new(world: World, data: CreateTaskRun) -> TaskRun:
    now = world.clock()
    given = {name: getattr(data, name) for name in _CREATED_AS_GIVEN}
    return TaskRun(
        id=data.id or world.new_id(),
        created=now,
        updated=now,
        version=1,
        name=data.name or new_name(),
        empirical_policy=as_kept(data.empirical_policy),
        task_inputs={name: [item.plain() for item in items] for name, items in data.task_inputs.items()},
        **given,
    )


def update(world: World, data: UpdateTaskRun) -> Outcome:
    """Renames a task run."""
    run = world.task_runs.get(data.task_run_id)
    if run is None:
        return ok(data.task_run_id, updated=False)
    if "name" in data.model_fields_set:
        changed = world.task_runs.put(
            evolve(run, name=data.name or new_name(), version=run.version + 1, updated=world.clock())
        )
        world.tell(Event("task_run.updated", changed.id, changed, version=changed.version))
    return ok(run.id, updated=True)


def propose_state(world: World, data: SetTaskRunState) -> Outcome:
    """Has the rules decide on a new state."""
    run = _existing(world, data.task_run_id)
    set_state.check_version(run, data)
    decision = set_task_run_state(world, run, data.state, orders_of(world, data))
    return set_state.answer(_existing(world, run.id), decision)


def delete(world: World, data: DeleteTaskRun) -> Outcome:
    """Deletes a task run."""
    run = world.task_runs.get(data.task_run_id)
    if run is not None:
        forget_slots(world, run)
        world.remove_task_run(run.id)
        world.tell(Event("task_run.deleted", run.id, {"id": run.id}, version=run.version + 1))
    return ok(data.task_run_id, deleted=run is not None)


def _existing(world: World, task_run_id: Id) -> TaskRun:
    run = world.task_runs.get(task_run_id)
    if run is None:
        raise outcomes.missing("task run", task_run_id)
    return run
