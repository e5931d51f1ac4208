"""Everything that a batch may touch is locked and loaded: a constant number of statements, one order for everybody.

Catalogue rows by id, then flow runs by id, then task runs by id, then limits by name: so that no two batches
can wait for each other.
"""

from dataclasses import dataclass

from store import catalog, limits, runs
from store.driver import Asked
from store.limits import Wanted
from store.runs import AskedRuns
from store.transaction import Connection
from workers.pipeline.needs import Needs
from workers.world.world import World


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was asked for at once, together with what else a transaction begins with: one answer to wait for
    instead of one after the other."""

    flows: Asked
    flow_runs: AskedRuns
    policies: Asked


def ask_ahead(connection: Connection, needs: Needs) -> Ahead | None:
    """Asks for flow runs and what surrounds them. None: what is to be locked has to be found first."""
    to_be_found = needs.idempotency_keys or needs.deployments_to_clear or needs.deployment_keys
    if not needs.flow_run_ids or needs.catalog_changes or needs.deletes_runs or to_be_found:
        return None
    flow_runs = runs.FLOW_RUNS.ask_lock(connection, needs.flow_run_ids)
    flows = catalog.ask_flows(connection, needs.flow_ids, needs.flow_names, needs.flow_run_ids)
    return Ahead(flows, flow_runs, catalog.ask_active_policies(connection))


def gather(connection: Connection, world: World, needs: Needs, ahead: Ahead | None = None) -> None:
    """Fills a world. `ahead` has been asked for these needs, or for more."""
    if ahead is not None:
        world.flow_runs.load(runs.FLOW_RUNS.locked(ahead.flow_runs).values())
        world.flows.load(catalog.FLOWS.loaded(ahead.flows))
    _catalog(connection, world, needs, asked=ahead is not None)
    if ahead is None:
        _flow_runs(connection, world, needs)
    _task_runs(connection, world, needs)
    _surroundings(connection, world, needs, ahead)
    _limits(connection, world, needs)
    _facts(connection, world, needs)


def _flows(connection: Connection, world: World, needs: Needs) -> None:
    flow_ids = set(needs.flow_ids)
    if needs.flow_names:
        flow_ids.update(catalog.flows_named(connection, needs.flow_names))
    world.flows.load(catalog.FLOWS.load(connection, flow_ids, lock=needs.catalog_changes))


def _catalog(connection: Connection, world: World, needs: Needs, *, asked: bool) -> None:
    lock = needs.catalog_changes
    if not asked:
        _flows(connection, world, needs)
    if needs.pool_names:
        pools = catalog.work_pools_named(connection, needs.pool_names)
        world.work_pools.load(catalog.WORK_POOLS.load(connection, pools, lock=lock))
        queues = catalog.work_queues_of(connection, needs.pool_names)
        world.work_queues.load(catalog.WORK_QUEUES.load(connection, queues, lock=lock))
    deployment_ids = set(needs.deployment_ids)
    if needs.deployment_keys:
        keys = [
            (flow_id, name)
            for given, flow_name, name in needs.deployment_keys
            if (flow_id := _flow_id(world, given, flow_name)) is not None
        ]
        named = catalog.deployments_named(connection, keys)
        deployment_ids.update(named)
        needs.deployments_to_clear.update(named)
    world.deployments.load(catalog.DEPLOYMENTS.load(connection, deployment_ids, lock=lock))
    world.policies.load(catalog.NOTIFICATION_POLICIES.load(connection, needs.policy_ids, lock=lock))


def _flow_id(world: World, flow_id, flow_name):  # type: ignore[no-untyped-def]
    if flow_id is not None:
        return flow_id
    flow = world.flows.by(flow_name)
    return flow.id if flow else None


def _flow_runs(connection: Connection, world: World, needs: Needs) -> None:
    if needs.idempotency_keys:
        keys = [
            (flow_id, key)
            for given, flow_name, key in needs.idempotency_keys
            if (flow_id := _flow_id(world, given, flow_name)) is not None
        ]
        needs.flow_run_ids.update(runs.with_idempotency_keys(connection, keys))
    if needs.deployments_to_clear:
        planned = catalog.runs_not_started(connection, needs.deployments_to_clear)
        needs.flow_run_ids.update(planned)
        needs.flow_runs_to_delete.update(planned)
    found = runs.FLOW_RUNS.lock(connection, needs.flow_run_ids, to_delete=needs.deletes_runs)
    world.flow_runs.load(found.values())


def _task_runs(connection: Connection, world: World, needs: Needs) -> None:
    task_run_ids = set(needs.task_run_ids)
    if needs.task_keys:
        task_run_ids.update(runs.with_task_keys(connection, needs.task_keys))
    task_run_ids.update(
        run.parent_task_run_id for run in world.flow_runs if run.parent_task_run_id is not None
    )
    old_clients = [run.id for run in world.flow_runs if run.id in needs.of_old_clients]
    if old_clients:
        task_run_ids.update(runs.failed_task_runs(connection, old_clients))
    if needs.deletes_runs:
        # What they hold is free for whoever comes after them in this batch.
        task_run_ids.update(limits.task_runs_with_slots(connection, (run.id for run in world.flow_runs)))
    if needs.flow_runs_to_delete:
        # They go with their flow runs, which are locked: no others can be made. Each is announced, and of most of them
        # nothing else has to be known, of which there may be very many.
        for ident, flow_run_id, version in runs.lock_task_runs_of(
            connection, needs.flow_runs_to_delete, task_run_ids
        ):
            if ident not in task_run_ids:
                world.not_loaded.setdefault(flow_run_id, []).append((ident, version))
    found = runs.TASK_RUNS.lock(connection, task_run_ids, to_delete=needs.deletes_runs)
    world.task_runs.load(found.values())


def _surroundings(connection: Connection, world: World, needs: Needs, ahead: Ahead | None) -> None:
    """What the runs belong to: read, not locked."""
    parents = set(needs.parents_of_tasks)
    if needs.runs_move:
        parents.update(run.flow_run_id for run in world.task_runs if run.flow_run_id is not None)
    unknown = {each for each in parents if world.flow_runs.get(each) is None}
    world.flow_runs.load(runs.FLOW_RUNS.read(connection, unknown).values())
    if not needs.runs_move:
        return
    flows = {run.flow_id for run in world.flow_runs if world.flows.get(run.flow_id) is None}
    world.flows.load(catalog.FLOWS.load(connection, flows))
    if needs.flow_runs_move:
        known = {policy.id for policy in world.policies}
        active = ahead.policies if ahead else catalog.ask_active_policies(connection)
        policies = catalog.NOTIFICATION_POLICIES.loaded(active)
        world.policies.load(each for each in policies if each.id not in known)
        deployments = {run.deployment_id for run in world.flow_runs if run.deployment_id is not None}
        unknown = {each for each in deployments if world.deployments.get(each) is None}
        world.deployments.load(catalog.DEPLOYMENTS.load(connection, unknown))


def _limits(connection: Connection, world: World, needs: Needs) -> None:
    wanted = _wanted_limits(world, needs)
    if not (wanted.names or wanted.ids or wanted.flow_runs or wanted.task_runs or wanted.leases):
        return
    found = limits.find(connection, wanted)
    if not found:
        return
    world.limits.load(limits.lock(connection, found, world.clock()))
    whole = [
        limit.id
        for limit in world.limits
        if limit.name in needs.whole_limits or limit.slot_decay_per_second > 0
    ]
    world.slots.load(limits.slots(connection, wanted, whole))


def _wanted_limits(world: World, needs: Needs) -> Wanted:
    """Only what can hold a slot is asked for: flow runs of a deployment, task runs with tags."""
    tags = set(needs.tags)
    for run in world.task_runs:
        tags.update(run.tags)
    limit_ids = {
        each.concurrency_limit_id for each in world.deployments if each.concurrency_limit_id is not None
    }
    return Wanted(
        names=frozenset(needs.limit_names) | {f"tag:{tag}" for tag in tags},
        ids=frozenset(limit_ids),
        flow_runs=frozenset(run.id for run in world.flow_runs if run.deployment_id is not None),
        task_runs=frozenset(run.id for run in world.task_runs if run.tags),
        leases=frozenset(needs.lease_ids),
    )


def _facts(connection: Connection, world: World, needs: Needs) -> None:
    if needs.cache_keys:
        cached = catalog.cached_states(connection, needs.cache_keys, world.clock())
        states = runs.TASK_RUNS.states_with(connection, cached.values())
        world.cache = {key: states[ident] for key, ident in cached.items() if ident in states}
    if needs.timestamps:
        for store in (runs.FLOW_RUNS, runs.TASK_RUNS):
            for run_id, moment in store.timestamps(connection, needs.timestamps):
                world.timestamps[run_id] = world.timestamps.get(run_id, frozenset()) | {moment}
