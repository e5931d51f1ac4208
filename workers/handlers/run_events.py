"""The events that tell of a run's new state."""

from messages.events import FlowRunRef, FlowRunStateChanged, TaskRunRef, TaskRunStateChanged
from messages.results import Status
from messages.runs import FlowRun, TaskRun
from messages.states import StateType
from workers.world.world import Event, World


def flow_run_changed(
    world: World, before: FlowRun, after: FlowRun, intended: StateType, status: Status
) -> Event:
    flow = world.flows.get(after.flow_id)
    assert after.state is not None
    told = FlowRunRef(
        id=after.id,
        name=after.name,
        flow_id=after.flow_id,
        flow_name=flow.name if flow else "",
        deployment_id=after.deployment_id,
        tags=after.tags,
        version=after.version,
        run_count=after.run_count,
    )
    data = FlowRunStateChanged(
        run=told,
        initial_state=before.state,
        validated_state=after.state,
        intended={"from": before.state_type, "to": intended},
        status=status,
    )
    return Event("flow_run.state_changed", after.id, data, version=after.version)


def task_run_changed(
    world: World, before: TaskRun, after: TaskRun, intended: StateType, status: Status
) -> Event:
    flow_run = world.flow_runs.get(after.flow_run_id)
    flow = world.flows.get(flow_run.flow_id) if flow_run else None
    assert after.state is not None
    told = TaskRunRef(
        id=after.id,
        name=after.name,
        flow_id=flow_run.flow_id if flow_run else None,
        flow_name=flow.name if flow else None,
        deployment_id=flow_run.deployment_id if flow_run else None,
        tags=after.tags,
        version=after.version,
        run_count=after.run_count,
        flow_run_id=after.flow_run_id,
        task_key=after.task_key,
        dynamic_key=after.dynamic_key,
    )
    data = TaskRunStateChanged(
        run=told,
        initial_state=before.state,
        validated_state=after.state,
        intended={"from": before.state_type, "to": intended},
        status=status,
    )
    return Event("task_run.state_changed", after.id, data, version=after.version)
