"""Which flow runs a filter finds."""

from typing import Any

import pytest

from messages.states import StateType
from tests.reads.builders import NOON, World, at

RUNNING, FAILED = StateType.RUNNING, StateType.FAILED
NOWHERE = "00000000-0000-4000-8000-000000000000"


def found(world: World, **filters: Any) -> list[str]:
    return world.names("flow_run.list", **filters)


def test_without_filters_every_run_is_found(world: World) -> None:
    world.flow_run(name="a")
    world.flow_run(name="b", flow_id=world.flow().id)
    assert found(world) == ["a", "b"]
    assert found(world, flow_runs={}) == ["a", "b"]


def test_criteria_of_one_filter_must_all_hold_unless_joined_by_or(world: World) -> None:
    a = world.flow_run(name="a", tags=["x"])
    world.flow_run(name="b", tags=["x"])
    c = world.flow_run(name="c")
    criteria = {"id": {"any_": [a.id, c.id]}, "tags": {"all_": ["x"]}}
    assert found(world, flow_runs=criteria) == ["a"]
    assert found(world, flow_runs={"operator": "or_", **criteria}) == ["a", "b", "c"]


def test_an_empty_criterion_under_or_finds_everything(world: World) -> None:
    world.flow_run(name="a")
    assert found(world, flow_runs={"operator": "or_", "id": {"any_": []}}) == []
    assert found(world, flow_runs={"operator": "or_", "id": {"any_": []}, "name": {}}) == ["a"]


def test_any_of_nothing_finds_nothing_and_none_of_nothing_finds_all(world: World) -> None:
    world.flow_run(name="a")
    assert found(world, flow_runs={"id": {"any_": []}}) == []
    assert found(world, flow_runs={"id": {"not_any_": []}}) == ["a"]
    assert found(world, flow_runs={"idempotency_key": {"not_any_": []}}) == ["a"]


def test_having_no_tags_divides_the_runs(world: World) -> None:
    world.flow_run(name="none")
    world.flow_run(name="some", tags=["x", "y"])
    assert found(world, flow_runs={"tags": {"is_null_": True}}) == ["none"]
    assert found(world, flow_runs={"tags": {"is_null_": False}}) == ["some"]
    either = {"operator": "or_", "is_null_": True, "all_": ["y"]}
    assert found(world, flow_runs={"tags": either}) == ["none", "some"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["x"], ["x", "xy"]),
        (["y", "x", "x"], ["xy"]),
        (["X"], []),
        ([], ["none", "x", "xy"]),
        (["x", "z"], []),
    ],
)
def test_tags_are_all_wanted_whatever_their_order(
    world: World, wanted: list[str], expected: list[str]
) -> None:
    world.flow_run(name="none")
    world.flow_run(name="x", tags=["x"])
    world.flow_run(name="xy", tags=["x", "y"])
    assert found(world, flow_runs={"tags": {"all_": wanted}}) == expected


def test_none_of_these_leaves_out_runs_without_any(world: World) -> None:
    world.flow_run(name="stateless")
    world.flow_run(RUNNING, name="running")
    world.flow_run(FAILED, name="failed", idempotency_key="k")
    assert found(world, flow_runs={"state": {"type": {"not_any_": ["FAILED"]}}}) == ["running"]
    assert found(world, flow_runs={"state": {"name": {"not_any_": ["Running"]}}}) == ["failed"]
    assert found(world, flow_runs={"idempotency_key": {"not_any_": ["other"]}}) == ["failed"]


def test_the_operator_of_a_state_joins_types_and_names(world: World) -> None:
    world.flow_run(RUNNING, name="running")
    world.flow_run(RUNNING, name="late", state_name="Late")
    world.flow_run(FAILED, name="failed")
    state = {"type": {"any_": ["RUNNING"]}, "name": {"any_": ["Late", "Failed"]}}
    assert found(world, flow_runs={"state": state}) == ["late"]
    assert found(world, flow_runs={"state": {**state, "operator": "or_"}}) == ["failed", "late", "running"]
    one_list_each = {"type": {"any_": ["FAILED"], "not_any_": ["FAILED"]}}
    assert found(world, flow_runs={"state": one_list_each}) == []
    assert found(world, flow_runs={"state": {**one_list_each, "operator": "or_"}}) == [
        "failed",
        "late",
        "running",
    ]


@pytest.mark.parametrize(
    ("like", "expected"),
    [
        ("a_b", ["AxB", "a_b"]),
        ("A%b", ["AxB", "a_b", "ab"]),
        ("", ["AxB", "a_b", "ab", "c"]),
        ("C", ["c"]),
        ("'; DROP TABLE flow_run; --", []),
        ("\\", []),
    ],
)
def test_a_part_of_a_name_has_wildcards_and_no_case(world: World, like: str, expected: list[str]) -> None:
    for name in ("AxB", "a_b", "ab", "c"):
        world.flow_run(name=name)
    assert found(world, flow_runs={"name": {"like_": like}}) == expected


@pytest.mark.parametrize("state", [None, RUNNING, FAILED])
def test_bounds_of_time_include_the_moment_itself(world: World, state: StateType | None) -> None:
    """Whether or not the runs are at rest: the expected start of one that never started is not its start."""
    world.flow_run(state, name="never", expected_start_time=NOON)
    world.flow_run(state, name="noon", start_time=NOON)
    world.flow_run(state, name="later", start_time=at(0.000001))
    assert found(world, flow_runs={"start_time": {"before_": NOON}}) == ["noon"]
    assert found(world, flow_runs={"start_time": {"after_": NOON}}) == ["later", "noon"]
    assert found(world, flow_runs={"start_time": {"after_": NOON, "before_": NOON}}) == ["noon"]
    assert found(world, flow_runs={"start_time": {"is_null_": True}}) == ["never"]
    assert found(world, flow_runs={"start_time": {"is_null_": False, "after_": at(1)}}) == []


@pytest.mark.parametrize("column", ["end_time", "expected_start_time", "next_scheduled_start_time"])
def test_each_time_has_its_bounds(world: World, column: str) -> None:
    values: dict[str, Any] = {column: at(10)}
    world.flow_run(name="a", **values)
    world.flow_run(name="none")
    assert found(world, flow_runs={column: {"after_": at(10)}}) == ["a"]
    assert found(world, flow_runs={column: {"before_": at(9)}}) == []


def test_columns_that_may_be_missing(world: World) -> None:
    deployment = world.deployment()
    world.flow_run(name="bare")
    world.flow_run(name="full", deployment_id=deployment.id, work_queue_name="q", flow_version="1")
    assert found(world, flow_runs={"deployment_id": {"any_": [deployment.id]}}) == ["full"]
    assert found(world, flow_runs={"deployment_id": {"is_null_": True}}) == ["bare"]
    both = {"any_": [deployment.id], "is_null_": True}
    assert found(world, flow_runs={"deployment_id": both}) == []
    assert found(world, flow_runs={"deployment_id": {**both, "operator": "or_"}}) == ["bare", "full"]
    assert found(world, flow_runs={"work_queue_name": {"any_": ["q", "r"]}}) == ["full"]
    assert found(world, flow_runs={"work_queue_name": {"is_null_": False}}) == ["full"]
    assert found(world, flow_runs={"flow_version": {"any_": ["1"]}}) == ["full"]
    assert found(world, flow_runs={"flow_version": {}}) == ["bare", "full"]


def test_subflow_runs_are_found_by_their_parents(world: World) -> None:
    mother = world.flow_run(name="mother")
    wrapper = world.task_run(mother)
    world.subflow_run(wrapper, name="child")
    assert found(world, flow_runs={"parent_flow_run_id": {"any_": [mother.id]}}) == ["child"]
    assert found(world, flow_runs={"parent_flow_run_id": {"any_": []}}) == []
    assert found(world, flow_runs={"parent_flow_run_id": {}}) == ["child", "mother"]
    assert found(world, flow_runs={"parent_task_run_id": {"any_": [wrapper.id]}}) == ["child"]
    assert found(world, flow_runs={"parent_task_run_id": {"is_null_": True}}) == ["mother"]


def test_runs_are_found_by_their_flow(world: World) -> None:
    etl = world.flow(name="nightly-etl", tags=["prod"])
    world.flow_run(name="a", flow_id=etl.id)
    world.flow_run(name="b")
    assert found(world, flows={"name": {"any_": ["nightly-etl"]}}) == ["a"]
    assert found(world, flows={"name": {"like_": "ETL"}, "tags": {"all_": ["prod"]}}) == ["a"]
    assert found(world, flows={"id": {"any_": [etl.id]}}) == ["a"]
    assert found(world, flows={}) == ["a", "b"]


def test_flows_with_and_without_deployments(world: World) -> None:
    world.deployment(flow_id=world.flow(name="deployed").id)
    deployed = world.ask("flow.read", name="deployed")["flow"]
    world.flow_run(name="a", flow_id=deployed["id"])
    world.flow_run(name="b")
    assert found(world, flows={"deployment": {"is_null_": False}}) == ["a"]
    assert found(world, flows={"deployment": {"is_null_": True}}) == ["b"]
    assert found(world, flows={"deployment": {}}) == ["a", "b"]


def test_an_empty_group_still_asks_for_what_it_is_about(world: World) -> None:
    queue = world.queue()
    deployed = world.flow_run(name="deployed", deployment_id=world.deployment().id)
    world.flow_run(name="of a deployment that is gone", deployment_id=NOWHERE)
    world.flow_run(name="queued", work_queue_id=queue.id)
    world.task_run(deployed)
    assert found(world, deployments={}) == ["deployed"]
    assert found(world, task_runs={}) == ["deployed"]
    assert found(world, work_queues={}) == ["queued"]
    assert found(world, work_pools={}) == ["queued"]


def test_runs_are_found_by_their_deployment(world: World) -> None:
    etl = world.flow(name="etl")
    prod = world.deployment(name="prod", flow_id=etl.id, tags=["daily"], work_queue_name="fast")
    held = world.deployment(name="held", paused=True)
    world.flow_run(name="a", flow_id=etl.id, deployment_id=prod.id)
    world.flow_run(name="b", deployment_id=held.id)
    assert found(world, deployments={"id": {"any_": [prod.id]}}) == ["a"]
    assert found(world, deployments={"name": {"like_": "HEL"}}) == ["b"]
    assert found(world, deployments={"paused": {"eq_": True}}) == ["b"]
    assert found(world, deployments={"paused": {"eq_": False}}) == ["a"]
    assert found(world, deployments={"tags": {"is_null_": True}}) == ["b"]
    assert found(world, deployments={"work_queue_name": {"any_": ["fast"]}}) == ["a"]
    assert found(world, deployments={"flow_or_deployment_name": {"like_": "etl"}}) == ["a"]
    assert found(world, deployments={"flow_or_deployment_name": {"like_": "e"}}) == ["a", "b"]
    assert found(world, deployments={"flow_or_deployment_name": {}}) == ["a", "b"]
    either = {"operator": "or_", "tags": {"all_": ["daily"]}, "paused": {"eq_": True}}
    assert found(world, deployments=either) == ["a", "b"]


def test_the_limit_of_a_deployment_is_accepted_and_ignored(world: World) -> None:
    world.flow_run(name="a", deployment_id=world.deployment().id)
    assert found(world, deployments={"concurrency_limit": {"ge_": 5, "is_null_": False}}) == ["a"]


def test_runs_are_found_by_their_queue_and_pool(world: World) -> None:
    fast, slow = world.queue("pool-1", "fast"), world.queue("pool-2", "slow")
    world.flow_run(name="a", work_queue_id=fast.id)
    world.flow_run(name="b", work_queue_id=slow.id)
    assert found(world, work_queues={"name": {"any_": ["fast"]}}) == ["a"]
    assert found(world, work_queues={"name": {"startswith_": ["S", "none"]}}) == ["b"]
    assert found(world, work_queues={"name": {"startswith_": []}}) == []
    assert found(world, work_queues={"id": {"any_": [fast.id, slow.id]}}) == ["a", "b"]
    assert found(world, work_pools={"name": {"any_": ["pool-2"]}}) == ["b"]
    assert found(world, work_pools={"id": {"any_": [fast.work_pool_id]}}) == ["a"]
    assert found(world, work_pools={"type": {"any_": ["docker"]}}) == []
    assert found(world, work_pools={"type": {}}) == ["a", "b"]


def test_all_groups_must_hold_at_once(world: World) -> None:
    deployment = world.deployment(tags=["d"])
    for name, tags, deployment_id, state in (
        ("all", ["t"], deployment.id, StateType.COMPLETED),
        ("not deployed", ["t"], None, StateType.COMPLETED),
        ("not tagged", [], deployment.id, StateType.COMPLETED),
        ("not completed", ["t"], deployment.id, RUNNING),
    ):
        run = world.flow_run(name=name, tags=tags, deployment_id=deployment_id)
        world.task_run(run, RUNNING)
        world.task_run(run, state)
    wanted: dict[str, Any] = {
        "flows": {"name": {"any_": ["the flow"]}},
        "flow_runs": {"tags": {"all_": ["t"]}},
        "deployments": {"tags": {"all_": ["d"]}},
        "task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
    }
    assert found(world, **wanted) == ["all"]
    assert world.ask("flow_run.count", **wanted)["count"] == 1


def test_lists_of_any_length_can_be_asked_for(world: World) -> None:
    run = world.flow_run(name="a")
    many = [f"name-{number}" for number in range(70_000)]
    criteria = {"name": {"any_": [*many, "a"]}, "idempotency_key": {"any_": many}, "operator": "or_"}
    assert found(world, flow_runs=criteria) == ["a"]
    assert found(world, flow_runs={"id": {"any_": [run.id]}}) == ["a"]
