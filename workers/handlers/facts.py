"""What the rules may need to know about a run, collected from the world."""

from datetime import datetime

from messages.catalog import CollisionStrategy
from messages.fields import Id
from messages.runs import FlowRun, TaskRun
from messages.states import State, StateType
from workers.orchestration.facts import DeploymentFacts, FlowFacts, LimitFacts, TaskFacts
from workers.world import slots
from workers.world.world import World

TAG_PREFIX = "tag:"


def of_flow_run(world: World, run: FlowRun, now: datetime, *, old_client: bool = False) -> FlowFacts:
    return FlowFacts(
        deployment=_deployment_facts(world, run, now),
        failed_task_runs=_failed_task_runs(world, run) if old_client else (),
        parent_exists=run.parent_task_run_id is None
        or world.task_runs.get(run.parent_task_run_id) is not None,
        taken_timestamps=_timestamps(world, run),
    )


def _failed_task_runs(world: World, run: FlowRun) -> tuple[Id, ...]:
    """As they are by now: those that have failed in the database are loaded for old clients."""
    mine = (each for each in world.task_runs if each.flow_run_id == run.id)
    return tuple(sorted(each.id for each in mine if each.state_type is StateType.FAILED))


def _deployment_facts(world: World, run: FlowRun, now: datetime) -> DeploymentFacts | None:
    if run.deployment_id is None:
        return None
    deployment = world.deployments.get(run.deployment_id)
    if deployment is None:
        return DeploymentFacts(id=run.deployment_id, exists=False)
    limit = world.limits.get(deployment.concurrency_limit_id)
    options = deployment.concurrency_options
    facts = None
    if limit is not None:
        facts = LimitFacts(
            id=limit.id,
            name=limit.name,
            limit=limit.limit,
            active=limit.active,
            taken=slots.taken(limit, now),
            held=limit.id in slots.held_by(world, run),
        )
    strategy = options.collision_strategy if options else CollisionStrategy.ENQUEUE
    return DeploymentFacts(id=deployment.id, limit=facts, collision_strategy=strategy)


def of_task_run(world: World, run: TaskRun, proposed: State, now: datetime) -> TaskFacts:
    held = slots.held_by(world, run) if run.tags else {}
    limits = []
    for tag in sorted(set(run.tags)):
        limit = world.limits.by(TAG_PREFIX + tag)
        if limit is not None:
            limits.append(
                LimitFacts(
                    id=limit.id,
                    name=tag,
                    limit=limit.limit,
                    active=limit.active,
                    taken=slots.taken(limit, now),
                    held=limit.id in held,
                )
            )
    cache_key = proposed.state_details.cache_key
    return TaskFacts(
        flow_run=world.flow_runs.get(run.flow_run_id),
        tag_limits=tuple(limits),
        cached=world.cache.get(cache_key) if cache_key else None,
        draw=world.dice(),
        taken_timestamps=_timestamps(world, run),
    )


def _timestamps(world: World, run: FlowRun | TaskRun) -> frozenset[datetime]:
    known = world.timestamps.get(run.id, frozenset())
    return known | {run.state.timestamp} if run.state else known
