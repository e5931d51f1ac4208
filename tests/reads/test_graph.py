"""The graph of a flow run."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from messages.runs import FlowRun, TaskRun
from messages.states import StateType
from store.runs import TASK_RUNS
from tests.reads.builders import NOON, World, at, inputs
from workers.queries.asked import Limits

COMPLETED, RUNNING, PENDING = StateType.COMPLETED, StateType.RUNNING, StateType.PENDING


@pytest.fixture
def run(world: World) -> FlowRun:
    return world.flow_run(RUNNING, name="run", start_time=NOON)


def task(world: World, run: FlowRun, second: float, **values: Any) -> TaskRun:
    """A task run that started at this second and took one."""
    given = {"state": COMPLETED, "start_time": at(second), "end_time": at(second + 1), **values}
    return world.task_run(run, **given)


def graph_of(world: World, run: FlowRun, **data: Any) -> dict[str, Any]:
    answer = world.ask("flow_run.graph", flow_run_id=run.id, **data)
    assert answer["status"] == "OK", answer["error"]
    graph: dict[str, Any] = answer["graph"]
    return graph


def edges(graph: dict[str, Any], node: TaskRun | FlowRun) -> tuple[list[str], list[str], list[str]]:
    """Parents, children and surroundings of one node."""
    (found,) = (each for each in graph["nodes"] if each["id"] == str(node.id))
    return found["parents"], found["children"], found["encapsulating"]


def ids(*nodes: TaskRun | FlowRun) -> list[str]:
    return [str(node.id) for node in nodes]


def order(graph: dict[str, Any]) -> list[str]:
    return [node["id"] for node in graph["nodes"]]


def test_a_run_without_task_runs_has_an_empty_graph(world: World, run: FlowRun) -> None:
    world.state(run, type="PENDING", name="Pending", timestamp=at(-1))
    graph = graph_of(world, run)
    assert (graph["nodes"], graph["root_node_ids"], graph["artifacts"]) == ([], [], [])
    assert (graph["start_time"], graph["end_time"]) == ("2026-05-04T12:00:00Z", None)
    assert [(state["type"], state["name"]) for state in graph["states"]] == [
        ("PENDING", "Pending"),
        ("RUNNING", "Running"),
    ]


def test_the_graph_begins_when_the_run_should_have(world: World) -> None:
    waiting = world.flow_run(StateType.SCHEDULED, expected_start_time=at(60))
    assert graph_of(world, waiting)["start_time"] == "2026-05-04T12:01:00Z"


def test_an_unknown_run_has_no_graph(world: World) -> None:
    answer = world.ask("flow_run.graph", flow_run_id=UUID(int=1))
    assert answer["error"]["code"] == "not_found"


def test_a_run_that_has_no_time_at_all_has_no_graph(world: World) -> None:
    answer = world.ask("flow_run.graph", flow_run_id=world.flow_run().id)
    assert answer["error"]["code"] == "invalid_message"


def test_inputs_become_edges_both_ways(world: World, run: FlowRun) -> None:
    a = task(world, run, 1)
    b = task(world, run, 2, task_inputs={"x": inputs(a)})
    c = task(world, run, 3, task_inputs={"x": inputs(a), "wait_for": inputs(b)})
    graph = graph_of(world, run)
    assert order(graph) == ids(a, b, c)
    assert graph["root_node_ids"] == ids(a)
    assert edges(graph, a) == ([], ids(b, c), [])
    assert edges(graph, b) == (ids(a), ids(c), [])
    assert edges(graph, c) == (ids(a, b), [], [])


def test_each_edge_is_there_once(world: World, run: FlowRun) -> None:
    a = task(world, run, 1)
    b = task(world, run, 2, task_inputs={"x": inputs(a), "y": inputs(a)})
    c = task(world, run, 3, task_inputs={"x": inputs(b, a, b), "__parents__": inputs(b, b)})
    graph = graph_of(world, run)
    assert edges(graph, a) == ([], ids(b, c), [])
    assert edges(graph, b) == (ids(a), ids(c), [])
    assert edges(graph, c) == (ids(a, b), [], ids(b))


def test_neighbours_are_in_the_order_of_their_start(world: World, run: FlowRun) -> None:
    late, early = task(world, run, 2), task(world, run, 1)
    last = task(world, run, 3, task_inputs={"a": inputs(late), "b": inputs(early)})
    graph = graph_of(world, run)
    assert edges(graph, last)[0] == ids(early, late)


def test_what_encapsulates_is_no_parent(world: World, run: FlowRun) -> None:
    outer = task(world, run, 1)
    inner = task(world, run, 2, task_inputs={"__parents__": inputs(outer)})
    graph = graph_of(world, run)
    assert edges(graph, inner) == ([], [], ids(outer))
    assert edges(graph, outer) == ([], [], [])
    assert graph["root_node_ids"] == ids(outer, inner)


def test_parameters_constants_and_strangers_make_no_edges(world: World, run: FlowRun) -> None:
    other = world.flow_run(RUNNING)
    stranger = task(world, other, 1)
    plain = [{"input_type": "parameter", "name": "n"}, {"input_type": "constant", "type": "int"}]
    a = task(world, run, 2, task_inputs={"x": [*plain, *inputs(stranger)]})
    graph = graph_of(world, run)
    assert order(graph) == ids(a)
    assert edges(graph, a) == ([], [], [])


@pytest.mark.parametrize(
    "left_out",
    [
        {"state": PENDING},
        {"state": None},
        {"start_time": None, "expected_start_time": None},
    ],
)
def test_task_runs_that_have_not_begun_are_left_out_with_their_edges(
    world: World, run: FlowRun, left_out: dict[str, Any]
) -> None:
    hidden = task(world, run, 1, **left_out)
    shown = task(world, run, 2, task_inputs={"x": inputs(hidden)})
    graph = graph_of(world, run)
    assert order(graph) == ids(shown)
    assert edges(graph, shown) == ([], [], [])


def test_a_cached_task_run_begins_and_ends_when_expected(world: World, run: FlowRun) -> None:
    task(world, run, 0, start_time=None, end_time=None, expected_start_time=at(7))
    (node,) = graph_of(world, run)["nodes"]
    assert node["start_time"] == node["end_time"] == "2026-05-04T12:00:07Z"


def test_nodes_that_go_on_stand_behind_those_that_ended(world: World, run: FlowRun) -> None:
    going_on = task(world, run, 1, state=RUNNING, end_time=None)
    ended = task(world, run, 1)
    before = task(world, run, 0.5)
    assert order(graph_of(world, run)) == ids(before, ended, going_on)


def test_a_subflow_run_stands_in_for_its_task_run(world: World, run: FlowRun) -> None:
    a = task(world, run, 1)
    wrapper = task(world, run, 2, task_inputs={"x": inputs(a)}, end_time=None)
    flow = world.flow(name="inner flow")
    child = world.subflow_run(wrapper, RUNNING, name="child", flow_id=flow.id, start_time=at(3))
    task(world, child, 4, name="not of this graph")
    graph = graph_of(world, run)
    assert order(graph) == ids(a, child)
    node = graph["nodes"][1]
    assert (node["kind"], node["label"], node["state_type"]) == ("flow-run", "inner flow / child", "RUNNING")
    assert (node["start_time"], node["parents"]) == ("2026-05-04T12:00:03Z", ids(a))
    assert graph["nodes"][0]["kind"] == "task-run"


def test_a_reference_to_the_wrapper_means_the_subflow_run(world: World, run: FlowRun) -> None:
    wrapper = task(world, run, 1)
    child = world.subflow_run(wrapper, COMPLETED, start_time=at(1))
    by_wrapper = task(world, run, 2, task_inputs={"x": inputs(wrapper)})
    by_both = task(world, run, 3, task_inputs={"x": inputs(wrapper, child), "__parents__": inputs(wrapper)})
    graph = graph_of(world, run)
    assert edges(graph, by_wrapper)[0] == ids(child)
    assert edges(graph, by_both) == (ids(child), [], ids(child))
    assert edges(graph, child)[1] == ids(by_wrapper, by_both)
    assert graph["root_node_ids"] == ids(child)


def test_two_subflow_runs_of_one_task_run_are_two_nodes(world: World, run: FlowRun) -> None:
    a = task(world, run, 1)
    wrapper = task(world, run, 2, task_inputs={"x": inputs(a)})
    first, second = (world.subflow_run(wrapper, COMPLETED, start_time=at(second)) for second in (2, 3))
    last = task(world, run, 4, task_inputs={"x": inputs(wrapper)})
    graph = graph_of(world, run)
    assert order(graph) == ids(a, first, second, last)
    assert edges(graph, last)[0] == ids(first, second)
    assert edges(graph, a)[1] == ids(first, second)


def test_a_wrapper_that_has_not_begun_hides_its_subflow_run(world: World, run: FlowRun) -> None:
    world.subflow_run(task(world, run, 1, state=PENDING), RUNNING, start_time=at(1))
    assert order(graph_of(world, run)) == []


def test_since_leaves_out_what_had_ended_but_not_the_edges_to_it(world: World, run: FlowRun) -> None:
    a = task(world, run, 1)
    b = task(world, run, 2, task_inputs={"x": inputs(a)})
    c = task(world, run, 3, task_inputs={"x": inputs(b)}, state=RUNNING, end_time=None)
    graph = graph_of(world, run, since=at(3))
    assert order(graph) == ids(b, c)
    assert edges(graph, b) == (ids(a), ids(c), [])
    assert graph["root_node_ids"] == []
    assert order(graph_of(world, run, since=at(3.000001))) == ids(c)


def test_more_nodes_than_allowed_are_too_large_and_as_many_are_not(world: World, run: FlowRun) -> None:
    for second in range(6):
        task(world, run, second)
    answer = world.ask("flow_run.graph", Limits(graph_max_nodes=5), flow_run_id=run.id)
    assert (answer["status"], answer["error"]["code"]) == ("ERROR", "graph_too_large")
    assert "graph" not in answer
    exactly = world.ask("flow_run.graph", Limits(graph_max_nodes=6), flow_run_id=run.id)
    assert len(exactly["graph"]["nodes"]) == 6
    fewer = world.ask("flow_run.graph", Limits(graph_max_nodes=5), flow_run_id=run.id, since=at(2))
    assert len(fewer["graph"]["nodes"]) == 5


def test_artifacts_stand_at_their_nodes_without_results(world: World, run: FlowRun) -> None:
    a = task(world, run, 1)
    world.artifact(run, type="markdown", data="# hidden")
    world.artifact(run, a, type="progress", data=33.0)
    world.artifact(run, a, type="result", data={"x": 1})
    world.artifact(run, a, data="without a type")
    world.artifact(world.flow_run(), type="markdown")
    graph = graph_of(world, run)
    (own,) = graph["artifacts"]
    assert (own["type"], own["data"], own["is_latest"], own["key"]) == ("markdown", None, True, None)
    (progress,) = graph["nodes"][0]["artifacts"]
    assert (progress["type"], progress["data"]) == ("progress", 33.0)


def test_only_the_newest_artifact_of_a_key_is_the_latest(world: World, run: FlowRun) -> None:
    world.artifact(run, type="table", key="report", created=at(1))
    world.artifact(run, type="table", key="report", created=at(2))
    world.artifact(run, type="table", key="alone", created=at(3))
    world.artifact(world.flow_run(), type="table", key="shared", created=at(9))
    world.artifact(run, type="table", key="shared", created=at(4))
    latest = [(each["key"], each["is_latest"]) for each in graph_of(world, run)["artifacts"]]
    assert latest == [("report", False), ("report", True), ("alone", True), ("shared", False)]


def test_too_many_artifacts_are_cut_off_without_an_error(world: World, run: FlowRun) -> None:
    for second in (3, 1, 2):
        world.artifact(run, type="markdown", key=str(second), created=at(second))
    answer = world.ask("flow_run.graph", Limits(graph_max_artifacts=2), flow_run_id=run.id)
    assert [each["key"] for each in answer["graph"]["artifacts"]] == ["1", "2"]


def test_ten_thousand_task_runs_take_five_statements(world: World, engine: Engine, run: FlowRun) -> None:
    task_runs: list[TaskRun] = []
    for number in range(10_000):
        known = {"x": inputs(*task_runs[-3:]), "__parents__": inputs(*task_runs[:1])}
        times = {"start_time": at(number), "end_time": at(number + 1)}
        task_runs.append(world.a_task_run(run, COMPLETED, task_inputs=known, **times))
    TASK_RUNS.insert(world.connection, task_runs)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        graph = graph_of(world, run)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(graph["nodes"]) == 10_000
    assert edges(graph, task_runs[5]) == (ids(*task_runs[2:5]), ids(*task_runs[6:9]), ids(task_runs[0]))
    assert len(statements) == 5
