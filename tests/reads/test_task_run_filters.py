"""Which task runs a filter finds."""

from typing import Any

import pytest

from messages.states import StateType
from tests.reads.builders import NOON, World, at

RUNNING, FAILED = StateType.RUNNING, StateType.FAILED


def found(world: World, **filters: Any) -> list[str]:
    return world.names("task_run.list", **filters)


def test_task_runs_of_no_flow_run_are_found_only_without_other_groups(world: World) -> None:
    run = world.flow_run(name="run", tags=["t"])
    world.task_run(run, name="inside")
    world.task_run(None, name="alone")
    assert found(world) == ["alone", "inside"]
    assert found(world, task_runs={}) == ["alone", "inside"]
    assert found(world, flow_runs={}) == ["inside"]
    assert found(world, flows={}) == ["inside"]
    assert found(world, flow_runs={"id": {"any_": [run.id]}}) == ["inside"]
    assert found(world, flow_runs={"tags": {"all_": ["other"]}}) == []


def test_the_other_groups_are_about_the_flow_run(world: World) -> None:
    deployment, queue = world.deployment(name="prod"), world.queue()
    deployed = world.flow_run(deployment_id=deployment.id, work_queue_id=queue.id)
    world.task_run(deployed, name="a")
    world.task_run(world.flow_run(), name="b")
    assert found(world, deployments={}) == ["a"]
    assert found(world, deployments={"name": {"any_": ["prod"]}}) == ["a"]
    assert found(world, work_queues={"name": {"any_": ["queue"]}}) == ["a"]
    assert found(world, work_pools={"name": {"any_": ["pool"]}}) == ["a"]
    assert found(world, flows={"name": {"any_": ["the flow"]}}, task_runs={"name": {"any_": ["b"]}}) == ["b"]


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({}, ["a", "b"]),
        ({"is_null_": False}, ["a", "b"]),
        ({"is_null_": True}, ["alone"]),
        ({"is_null_": None}, ["a", "alone", "b"]),
        ({"any_": ["A"]}, ["a"]),
        ({"any_": ["A"], "is_null_": None}, ["a"]),
        ({"any_": ["A"], "is_null_": True}, ["alone"]),
        ({"any_": []}, []),
    ],
)
def test_task_runs_by_the_id_of_their_flow_run(
    world: World, criterion: dict[str, Any], expected: list[str]
) -> None:
    run = world.flow_run()
    world.task_run(run, name="a")
    world.task_run(world.flow_run(), name="b")
    world.task_run(None, name="alone")
    if criterion.get("any_"):
        criterion = {**criterion, "any_": [run.id]}
    assert found(world, task_runs={"flow_run_id": criterion}) == expected


def test_task_runs_that_started_a_subflow_run(world: World) -> None:
    run = world.flow_run()
    world.subflow_run(world.task_run(run, name="wrapper"))
    world.task_run(run, name="plain")
    assert found(world, task_runs={"subflow_runs": {"exists_": True}}) == ["wrapper"]
    assert found(world, task_runs={"subflow_runs": {"exists_": False}}) == ["plain"]
    assert found(world, task_runs={"subflow_runs": {}}) == ["plain", "wrapper"]
    assert found(world, task_runs={"subflow_runs": {"exists_": True}}, flow_runs={}) == ["wrapper"]


def test_task_runs_by_what_they_are(world: World) -> None:
    a = world.task_run(None, RUNNING, name="a", tags=["t"], start_time=NOON)
    world.task_run(None, FAILED, name="b", start_time=at(5), state_name="Broken")
    world.task_run(None, name="none")
    assert found(world, task_runs={"id": {"any_": [a.id]}}) == ["a"]
    assert found(world, task_runs={"name": {"any_": ["a", "b"], "like_": "B"}}) == ["b"]
    assert found(world, task_runs={"tags": {"is_null_": False}}) == ["a"]
    assert found(world, task_runs={"start_time": {"after_": at(1)}}) == ["b"]
    assert found(world, task_runs={"expected_start_time": {"before_": NOON}}) == ["a", "b"]
    state = {"type": {"any_": ["RUNNING"]}, "name": {"any_": ["Broken"]}}
    assert found(world, task_runs={"state": state}) == []
    assert found(world, task_runs={"state": {**state, "operator": "or_"}}) == ["a", "b"]
    assert found(world, task_runs={"state": {}}) == ["a", "b", "none"]
    criteria = {"operator": "or_", "tags": {"all_": ["t"]}, "start_time": {"is_null_": True}}
    assert found(world, task_runs=criteria) == ["a", "none"]
