"""A state proposed for a run: the facts for the rules, and their decision carried out on the world."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from messages.catalog import Artifact
from messages.commands.flow_runs import SetFlowRunState
from messages.commands.orchestration import OrchestrationParameters, SetState
from messages.errors import ErrorCode, fault
from messages.evolve import evolve
from messages.fields import Id
from messages.runs import FlowRun, TaskRun
from messages.states import ProposedState, State
from workers.handlers import facts, run_events
from workers.handlers.notifications import notify
from workers.handlers.outcomes import CommandFailed
from workers.orchestration.decide import decide_flow_run, decide_task_run, propose
from workers.orchestration.decision import (
    AnnounceScheduled,
    CacheState,
    Decision,
    Effect,
    Failed,
    Fault,
    ReleaseSlots,
    RetryTaskRuns,
    SetParentState,
    TakeSlots,
)
from workers.orchestration.facts import Orders
from workers.orchestration.policies import CORE_FLOW
from workers.orchestration.policy import Policy
from workers.orchestration.results import split_result
from workers.world import slots
from workers.world.world import CachedState, Event, World, WrittenState

log = logging.getLogger(__name__)

R = TypeVar("R", FlowRun, TaskRun)

_NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})


class RuleBroke(Exception):
    """Stands in the log for what a rule raised; its text is only the type of that."""


def orders_of(world: World, command: SetState) -> Orders:
    """What a set_state command asks for beside the state."""
    return _orders(
        command.force,
        _policy_named(world, command),
        command.orchestration_parameters.api_version,
        command.client_version,
        world.waits.deployment_s,
        world.waits.tag_s,
    )


# Most commands ask for the same.
@lru_cache(maxsize=256)
def _orders(
    force: bool,
    policy: Policy[Any] | None,
    api_version: str | None,
    client_version: str | None,
    deployment_slot_wait_seconds: float,
    tag_slot_wait_seconds: int,
) -> Orders:
    return Orders(
        force=force,
        policy=policy,
        api_version=api_version,
        client_version=client_version,
        parameters=_NO_PARAMETERS,
        deployment_slot_wait_seconds=deployment_slot_wait_seconds,
        tag_slot_wait_seconds=tag_slot_wait_seconds,
    )


def _policy_named(world: World, command: SetState) -> Policy[Any] | None:
    """None stands for core, of which the rules know several, for clients of several ages."""
    if command.policy == CORE_FLOW.name:
        return None
    of_flow_runs = isinstance(command, SetFlowRunState)
    known: Mapping[str, Policy[Any]] = world.run_policies.flow if of_flow_runs else world.run_policies.task
    policy = known.get(command.policy)
    if policy is None:
        kind = "flow" if of_flow_runs else "task"
        message = f"there is no {kind} policy {command.policy!r}; known are {', '.join(sorted(known))}"
        raise CommandFailed(ErrorCode.INVALID_MESSAGE, message, [fault(message, "data", "policy")])
    return policy


def forced(parameters: OrchestrationParameters | None = None) -> Orders:
    """The minimal policy: what creating a run with a state means."""
    return Orders(force=True, api_version=parameters.api_version if parameters else None)


def set_flow_run_state(world: World, run: FlowRun, wanted: ProposedState | State, orders: Orders) -> Decision:
    """Has the rules decide on a flow run's new state, and carries it out.

    Raises:
        CommandFailed: if the command fails as a whole.
    """
    now = world.clock()
    proposed = wanted if isinstance(wanted, State) else propose(wanted, now, world.new_id())
    known = facts.of_flow_run(world, run, now, old_client=orders.api_version is not None)
    decision = decide_flow_run(run, proposed, known, orders, now=now, new_id=world.new_id)
    decision = _or_raise(decision, run)
    changed = _carry_out(world, run, decision, now)
    if decision.state is not None:
        world.flow_run_states.put(_written(world, changed, decision.state, now))
        changed = world.flow_runs.put(_as_kept(changed))
        told = _as_told(changed, decision.state)
        world.tell(run_events.flow_run_changed(world, run, told, proposed.type, decision.status))
        for notification in notify(world, told):
            world.tell(notification)
    elif decision.changes:
        # A rejection can leave a trace in the run's memory of pauses: its version says so, and so must an event.
        world.tell(Event("flow_run.updated", run.id, changed, version=changed.version))
    for effect in decision.effects:
        _carry_out_effect(world, changed, effect, now)
    return _echoed(decision)


def set_task_run_state(world: World, run: TaskRun, wanted: ProposedState | State, orders: Orders) -> Decision:
    """Has the rules decide on a task run's new state, and carries it out.

    Raises:
        CommandFailed: if the command fails as a whole.
    """
    now = world.clock()
    proposed = wanted if isinstance(wanted, State) else propose(wanted, now, world.new_id())
    known = facts.of_task_run(world, run, proposed, now)
    decision = decide_task_run(run, proposed, known, orders, now=now, new_id=world.new_id)
    decision = _or_raise(decision, run)
    changed = _carry_out(world, run, decision, now)
    if decision.state is not None:
        world.task_run_states.put(_written(world, changed, decision.state, now))
        changed = world.task_runs.put(_as_kept(changed))
        told = _as_told(changed, decision.state)
        world.tell(run_events.task_run_changed(world, run, told, proposed.type, decision.status))
    for effect in decision.effects:
        _carry_out_effect(world, changed, effect, now)
    return _echoed(decision)


def _or_raise(decision: Decision | Failed, run: FlowRun | TaskRun) -> Decision:
    if isinstance(decision, Failed):
        raise CommandFailed(decision.code, decision.message)
    if decision.fault is not None:
        _log(decision.fault, run)
    return decision


def _log(fault: Fault, run: FlowRun | TaskRun) -> None:
    """Where the rule broke. Not what it said: that may hold what the message held."""
    broke = RuleBroke(type(fault.error).__qualname__).with_traceback(fault.error.__traceback__)
    log.error(
        "a rule broke, its command ends as ABORT",
        extra={"rule": fault.rule, "run": str(run.id)},
        exc_info=broke,
    )


def _carry_out(world: World, run: R, decision: Decision, now: datetime) -> R:
    if not decision.changes:
        return run
    changed = evolve(run, **decision.changes, version=run.version + 1, updated=now)
    runs: Any = world.flow_runs if isinstance(run, FlowRun) else world.task_runs
    runs.put(changed)
    return changed


def _written(world: World, run: FlowRun | TaskRun, state: State, now: datetime) -> WrittenState:
    """The new line of the history; its data become an artifact."""
    known = world.timestamps.get(run.id, frozenset())
    world.journal.set(world.timestamps, run.id, known | {state.timestamp})
    _, result = split_result(state.data)
    if result is None:
        return WrittenState(id=state.id, run_id=run.id, state=state)
    is_flow_run = isinstance(run, FlowRun)
    artifact = Artifact(
        id=world.new_id(),
        created=now,
        updated=now,
        key=result.key,
        type=result.type,
        data=result.data,
        description=result.description,
        flow_run_id=run.id if is_flow_run else run.flow_run_id,  # type: ignore[union-attr]
        task_run_id=None if is_flow_run else run.id,
    )
    world.artifacts.put(artifact)
    return WrittenState(id=state.id, run_id=run.id, state=state, artifact_id=artifact.id)


def _as_kept(run: R) -> R:
    """The run as a later read gives it: data that are not persisted are gone."""
    assert run.state is not None
    _, result = split_result(run.state.data)
    kept = None if result is None else result.data
    if kept is run.state.data:
        return run
    return evolve(run, state=evolve(run.state, data=kept))


def _as_told(run: R, state: State) -> R:
    """The run with the state as it was decided: its data are told even where they are not persisted."""
    return run if run.state is state else evolve(run, state=state)


def _echoed(decision: Decision) -> Decision:
    if decision.state is None:
        return decision
    echo, _ = split_result(decision.state.data)
    if echo is decision.state.data:
        return decision
    return evolve(decision, state=evolve(decision.state, data=echo))


def _carry_out_effect(world: World, run: FlowRun | TaskRun, effect: Effect, now: datetime) -> None:
    _EFFECTS[type(effect)](world, run, effect, now)


def _take_slots(world: World, run: FlowRun | TaskRun, effect: TakeSlots, now: datetime) -> None:
    for limit_id in effect.limit_ids:
        slots.take(world, run, limit_id, now)


def _release_slots(world: World, run: FlowRun | TaskRun, effect: ReleaseSlots, _now: datetime) -> None:
    held = slots.held_by(world, run)
    for limit_id in effect.limit_ids:
        if limit_id in held:
            slots.give_back(world, held[limit_id])


def _set_parent_state(world: World, _run: FlowRun | TaskRun, effect: SetParentState, _now: datetime) -> None:
    parent = world.task_runs.get(effect.task_run_id)
    if parent is not None:
        set_task_run_state(world, parent, effect.state, forced())


def _retry_task_runs(world: World, _run: FlowRun | TaskRun, effect: RetryTaskRuns, _now: datetime) -> None:
    for task_run_id, state in zip(effect.task_run_ids, effect.states, strict=True):
        _retry(world, task_run_id, state)


def _announce(world: World, run: FlowRun | TaskRun, _effect: AnnounceScheduled, _now: datetime) -> None:
    world.tell(Event("task_run.scheduled", run.id, run, version=run.version))


def _cache(world: World, run: FlowRun | TaskRun, effect: CacheState, now: datetime) -> None:
    world.cached_states.put(
        CachedState(
            id=world.new_id(),
            created=now,
            cache_key=effect.cache_key,
            cache_expiration=effect.cache_expiration,
            task_run_state_id=effect.state_id,
        )
    )
    if run.state is not None and (effect.cache_expiration is None or effect.cache_expiration > now):
        world.journal.set(world.cache, effect.cache_key, run.state)


def _retry(world: World, task_run_id: Id, state: State) -> None:
    task_run = world.task_runs.get(task_run_id)
    if task_run is None:
        return
    set_task_run_state(world, task_run, state, forced())
    again = world.task_runs.get(task_run_id)
    if again is not None:
        changed = evolve(again, run_count=0, version=again.version + 1, updated=world.clock())
        world.task_runs.put(changed)
        world.tell(Event("task_run.updated", changed.id, changed, version=changed.version))


_EFFECTS: dict[type[Effect], Callable[[World, Any, Any, datetime], None]] = {
    TakeSlots: _take_slots,
    ReleaseSlots: _release_slots,
    CacheState: _cache,
    SetParentState: _set_parent_state,
    RetryTaskRuns: _retry_task_runs,
    AnnounceScheduled: _announce,
}
