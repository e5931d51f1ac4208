"""Flows, deployments and artifacts."""

from datetime import datetime

from messages.catalog import Artifact, ConcurrencyLimit, Deployment, Flow
from messages.commands.catalog import CreateArtifact, DeleteDeployment, UpsertDeployment, UpsertFlow
from messages.evolve import evolve
from messages.results import Outcome
from messages.states import StateType
from workers.handlers import flow_runs, outcomes
from workers.handlers.outcomes import ok
from workers.handlers.work_queues import queue_of
from workers.world.world import World

_AS_GIVEN = (
    "version",
    "paused",
    "concurrency_options",
    "work_queue_name",
    "work_pool_name",
    "tags",
    "labels",
    "parameters",
    "job_variables",
)


def upsert_flow(world: World, data: UpsertFlow) -> Outcome:
    """Makes a flow, or changes the given fields."""
    now = world.clock()
    given = data.given("tags", "labels")
    existing = world.flows.by(data.name)
    if existing is None:
        flow = world.flows.put(Flow(id=world.new_id(), created=now, updated=now, name=data.name, **given))
    else:
        flow = world.flows.put(evolve(existing, **given, updated=now)) if given else existing
    return ok(flow.id, flow=flow, created=existing is None)


def upsert_deployment(world: World, data: UpsertDeployment) -> Outcome:
    """Makes a deployment, or changes the given fields and drops the runs that a schedule had planned."""
    flow = flow_runs.flow_for(world, data)
    now = world.clock()
    existing = world.deployments.by(flow.id, data.name)
    if existing is None:
        if world.deployments.get(data.id) is not None:
            raise outcomes.taken("deployment", data.id)
        base = Deployment(
            id=data.id or world.new_id(), created=now, updated=now, name=data.name, flow_id=flow.id
        )
    else:
        base = existing
        _drop_planned_runs(world, existing, only_automatic=True)
    queue = queue_of(world, data)
    changed = evolve(base, **data.given(*_AS_GIVEN), updated=now)
    if queue is not None:
        changed = evolve(changed, work_queue_id=queue.id, work_queue_name=queue.name)
    if "concurrency_limit" in data.model_fields_set:
        changed = _with_limit(world, changed, data.concurrency_limit, now)
    world.deployments.put(changed)
    return ok(changed.id, deployment=changed, created=existing is None)


def _with_limit(world: World, deployment: Deployment, number: int | None, now: datetime) -> Deployment:
    limit = world.limits.get(deployment.concurrency_limit_id)
    if number is None:
        if limit is not None:
            remove_limit(world, limit)
        return evolve(deployment, concurrency_limit=None, concurrency_limit_id=None)
    if limit is None:
        name = f"deployment:{deployment.id}"
        limit = world.limits.by(name) or ConcurrencyLimit(
            id=world.new_id(), created=now, updated=now, name=name, limit=number
        )
    limit = world.limits.put(evolve(limit, limit=number))
    return evolve(deployment, concurrency_limit=number, concurrency_limit_id=limit.id)


def remove_limit(world: World, limit: ConcurrencyLimit) -> None:
    """Deletes a limit with its slots; a deployment that had it has none any more."""
    for slot in world.slots:
        if slot.limit_id == limit.id:
            world.slots.remove(slot.id)
    for deployment in world.deployments:
        if deployment.concurrency_limit_id == limit.id:
            world.deployments.put(evolve(deployment, concurrency_limit=None, concurrency_limit_id=None))
    world.limits.remove(limit.id)


def delete_deployment(world: World, data: DeleteDeployment) -> Outcome:
    """Deletes a deployment, its limit and its planned runs; other runs outlive it."""
    deployment = world.deployments.get(data.deployment_id)
    if deployment is not None:
        _drop_planned_runs(world, deployment, only_automatic=False)
        limit = world.limits.get(deployment.concurrency_limit_id)
        if limit is not None:
            remove_limit(world, limit)
        world.deployments.remove(deployment.id)
    return ok(data.deployment_id, deleted=deployment is not None)


def _drop_planned_runs(world: World, deployment: Deployment, *, only_automatic: bool) -> None:
    for run in world.flow_runs:
        planned = run.state_type is StateType.SCHEDULED and run.run_count == 0
        if run.deployment_id == deployment.id and planned and (run.auto_scheduled or not only_automatic):
            flow_runs.remove(world, run)


def create_artifact(world: World, data: CreateArtifact) -> Outcome:
    """Makes an artifact. Its runs need not exist: artifacts outlive them."""
    now = world.clock()
    artifact = world.artifacts.put(
        Artifact(
            id=world.new_id(),
            created=now,
            updated=now,
            key=data.key,
            type=data.type,
            data=data.data,
            description=data.description,
            flow_run_id=data.flow_run_id,
            task_run_id=data.task_run_id,
        )
    )
    return ok(artifact.id, artifact=artifact)
