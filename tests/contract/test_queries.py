"""Section 4: queries, which have a queue of their own."""

import json
from uuid import uuid4

import psycopg

from tests.contract.wire import Wire, error_of
from workers.settings import Settings


def test_reads_answer_by_id_or_unique_name_and_say_what_is_missing(wire: Wire) -> None:
    name = f"f-{uuid4()}"
    run = wire.new_run(flow_name=name)
    flow = wire.data("flow.read", {"name": name})["flow"]
    assert wire.data("flow.read", {"id": flow["id"]})["flow"] == flow
    assert wire.data("flow_run.read", {"id": run})["flow_run"]["flow_id"] == flow["id"]
    task = wire.data("task_run.create", {"flow_run_id": run, "task_key": "t", "dynamic_key": "0"})["task_run"]
    assert wire.data("task_run.read", {"id": task["id"]})["task_run"]["id"] == task["id"]
    for kind in ("flow.read", "flow_run.read", "task_run.read", "deployment.read", "command.read"):
        missing = wire.data(kind, {"id": str(uuid4())})
        assert (missing["status"], missing["found"]) == ("OK", False)


def test_lists_are_filtered_sorted_and_go_on_after_a_cursor(wire: Wire) -> None:
    name = f"f-{uuid4()}"
    runs = [wire.new_run(flow_name=name, name=f"run-{number}") for number in range(5)]
    flows = {"flows": {"name": {"any_": [name]}}}
    assert wire.data("flow_run.count", flows)["count"] == 5
    asked = {**flows, "sort": "NAME_ASC", "limit": 2}
    seen: list[str] = []
    page = wire.data("flow_run.list", asked)
    while True:
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        page = wire.data("flow_run.list", {**asked, "after": page["next"]})
    assert seen == runs
    only = wire.data("flow_run.list", {**flows, "columns": ["id", "name"], "limit": 1, "sort": "NAME_ASC"})
    assert only["items"][0]["name"] == "run-0"


def test_states_are_the_history_oldest_first(wire: Wire) -> None:
    run = wire.new_run()
    for state in ("PENDING", "RUNNING", "COMPLETED"):
        wire.set_state(run, state)
    items = wire.data("flow_run.states", {"flow_run_id": run})["items"]
    assert [item["type"] for item in items] == ["PENDING", "RUNNING", "COMPLETED"]
    assert wire.data("flow_run.states", {"flow_run_id": str(uuid4())})["items"] == []


def test_graph_and_dependencies_of_a_run(wire: Wire) -> None:
    run = wire.new_run(state={"type": "RUNNING"})
    ids: list[str] = []
    for number in range(2):
        inputs = {"x": [{"input_type": "task_run", "id": each} for each in ids]}
        data = {"flow_run_id": run, "task_key": "t", "dynamic_key": str(number), "task_inputs": inputs}
        ids.append(wire.data("task_run.create", {**data, "state": {"type": "RUNNING"}})["task_run"]["id"])
    graph = wire.data("flow_run.graph", {"flow_run_id": run})["graph"]
    assert [node["id"] for node in graph["nodes"]] == ids
    assert graph["root_node_ids"] == ids[:1]
    items = wire.data("flow_run.dependencies", {"flow_run_id": run})["items"]
    assert {item["id"]: item["upstream_dependencies"] for item in items} == {ids[0]: [], ids[1]: ids[:1]}
    assert error_of(wire.data("flow_run.graph", {"flow_run_id": str(uuid4())}))["code"] == "not_found"


def test_a_query_does_not_wait_behind_commands(wire: Wire, running: Settings) -> None:
    waiting = [wire.envelope("flow.upsert", {"name": f"flow-{uuid4()}"}) for _ in range(100)]
    with psycopg.connect(running.database_url) as holder:
        holder.execute("LOCK TABLE flow IN SHARE MODE")
        wire.send(*waiting)
        assert wire.data("flow.read", {"name": "nothing"})["found"] is False
        ended = {reply["causationid"] for reply in wire.replies()}
        assert not ended & {each["id"] for each in waiting}
    for each in waiting:
        wire.answer(each)


def test_a_query_is_refused_like_a_command(wire: Wire) -> None:
    error = error_of(wire.data("flow_run.list", {"flow_run": {}, "limit": 201}))
    assert error["code"] == "invalid_message"
    assert {tuple(each["loc"]) for each in error["errors"]} == {("data", "flow_run"), ("data", "limit")}


def test_a_query_on_the_wrong_queue_is_an_unknown_type(wire: Wire) -> None:
    sent = wire.envelope("flow.read", {"name": "f"})
    body = {"queue_name": "commands", "actor_name": "flow.read", "args": [sent], "kwargs": {}, "options": {}}
    wire.put("commands", json.dumps(body))
    assert error_of(wire.answer(sent)["data"])["code"] == "unknown_type"
