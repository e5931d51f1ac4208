"""Work pools and their queues."""

from messages.catalog import WorkPool, WorkQueue
from messages.commands.catalog import UpsertDeployment, UpsertWorkPool, UpsertWorkQueue
from messages.commands.flow_runs import CreateFlowRun
from messages.evolve import evolve
from messages.results import Outcome
from workers.handlers import outcomes
from workers.handlers.outcomes import ok
from workers.world.world import World


def upsert_pool(world: World, data: UpsertWorkPool) -> Outcome:
    """Makes a work pool, or changes the given fields."""
    now = world.clock()
    given = data.given("concurrency_limit", "is_paused")
    existing = world.work_pools.by(data.name)
    if existing is not None:
        pool = world.work_pools.put(evolve(existing, **given, updated=now))
    else:
        pool = world.work_pools.put(
            WorkPool(id=world.new_id(), created=now, updated=now, name=data.name, **given)
        )
    return ok(pool.id, work_pool=pool, created=existing is None)


def upsert_queue(world: World, data: UpsertWorkQueue) -> Outcome:
    """Makes a queue of a work pool, or changes the given fields."""
    pool = _pool(world, data.work_pool_name)
    given = data.given("priority", "concurrency_limit", "is_paused")
    existing = world.work_queues.by(pool.name, data.name)
    queue = existing or _new_queue(world, pool, data.name)
    queue = world.work_queues.put(evolve(queue, **given, updated=world.clock()))
    return ok(queue.id, work_queue=queue, created=existing is None)


def queue_of(world: World, data: CreateFlowRun | UpsertDeployment) -> WorkQueue | None:
    """The queue that a run or deployment names; it is made if its pool has none of that name."""
    if data.work_pool_name is None:
        return None
    pool = _pool(world, data.work_pool_name)
    name = data.work_queue_name or "default"
    return world.work_queues.by(pool.name, name) or world.work_queues.put(_new_queue(world, pool, name))


def _pool(world: World, name: str) -> WorkPool:
    pool = world.work_pools.by(name)
    if pool is None:
        raise outcomes.missing("work pool", name)
    return pool


def _new_queue(world: World, pool: WorkPool, name: str) -> WorkQueue:
    now = world.clock()
    return WorkQueue(
        id=world.new_id(),
        created=now,
        updated=now,
        name=name,
        work_pool_id=pool.id,
        work_pool_name=pool.name,
    )
