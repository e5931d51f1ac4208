"""Which task run took in what."""

from typing import Any
from uuid import UUID

from messages.states import StateType
from store.runs import TASK_RUNS
from tests.reads.builders import World, at, inputs


def dependencies(world: World, flow_run_id: UUID) -> dict[str, Any]:
    answer = world.ask("flow_run.dependencies", flow_run_id=flow_run_id)
    return {item["name"]: item for item in answer["items"]}


def test_a_task_run_named_twice_is_one_dependency(world: World) -> None:
    run = world.flow_run()
    a = world.task_run(run, name="a")
    world.task_run(run, name="b", task_inputs={"x": inputs(a), "y": inputs(a)})
    found = dependencies(world, run.id)
    assert found["a"]["upstream_dependencies"] == []
    assert found["b"]["upstream_dependencies"] == [str(a.id)]


def test_only_task_runs_count(world: World) -> None:
    run = world.flow_run()
    a = world.task_run(run, name="a")
    plain = [{"input_type": "parameter", "name": "n"}, {"input_type": "constant", "type": "int"}]
    world.task_run(run, name="b", task_inputs={"x": plain, "y": [*inputs(run), *inputs(a)]})
    world.task_run(run, name="c", task_inputs={"x": plain})
    found = dependencies(world, run.id)
    assert found["b"]["upstream_dependencies"] == [str(a.id)]
    assert found["c"]["upstream_dependencies"] == []


def test_an_unknown_run_has_no_dependencies(world: World) -> None:
    answer = world.ask("flow_run.dependencies", flow_run_id=UUID(int=1))
    assert (answer["status"], answer["error"]["code"]) == ("ERROR", "not_found")
    assert world.ask("flow_run.dependencies", flow_run_id=world.flow_run().id)["items"] == []


def test_each_task_run_comes_with_its_state_and_times(world: World) -> None:
    run = world.flow_run()
    world.task_run(run, name="none")
    ended = {"start_time": at(1), "end_time": at(2), "total_run_time": 1.5}
    world.task_run(run, StateType.COMPLETED, name="done", **ended)
    found = dependencies(world, run.id)
    assert (found["none"]["state"], found["none"]["untrackable_result"]) == (None, False)
    assert (found["done"]["state"]["name"], found["done"]["total_run_time"]) == ("Completed", 1.5)
    assert found["done"]["end_time"] == "2026-05-04T12:00:02Z"


def test_the_time_of_a_running_task_run_goes_on(world: World) -> None:
    run = world.flow_run()
    world.task_run(run, StateType.RUNNING, name="at it", total_run_time=2.5)
    world.task_run(run, StateType.COMPLETED, name="done", total_run_time=2.5)
    found = {
        item["name"]: item
        for item in world.ask("flow_run.dependencies", None, at(10), flow_run_id=run.id)["items"]
    }
    assert (found["at it"]["total_run_time"], found["at it"]["estimated_run_time"]) == (2.5, 12.5)
    assert found["done"]["estimated_run_time"] == 2.5
    early = world.ask("flow_run.dependencies", None, at(-10), flow_run_id=run.id)["items"]
    assert [item["estimated_run_time"] for item in early] == [2.5, 2.5]


def test_a_result_that_cannot_be_followed_is_marked(world: World) -> None:
    run = world.flow_run()
    state_id = UUID(int=7)
    in_state: dict[str, Any] = {
        "state_id": state_id,
        "state_type": StateType.COMPLETED,
        "state_name": "Completed",
    }
    task_run = world.a_task_run(run, name="a", **in_state)
    TASK_RUNS.insert(world.connection, [task_run])
    details = {"untrackable_result": True}
    world.state(task_run, id=state_id, type="COMPLETED", name="Completed", state_details=details)
    found = dependencies(world, run.id)
    assert found["a"]["untrackable_result"] is True
    assert found["a"]["state"]["type"] == "COMPLETED"
