"""Section 3: the error codes, and what each of them means to a producer."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.conftest import Started
from tests.contract.wire import Wire, error_of, message, moment


def deep(levels: int) -> Any:
    """So many objects inside each other."""
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def test_unknown_members_of_data_are_refused_with_their_place(wire: Wire) -> None:
    error = error_of(
        wire.data("flow_run.create", {"flow_name": "f", "state": {"type": "PENDING", "nmae": "x"}})
    )
    assert error["code"] == "invalid_message"
    assert error["errors"] == [
        {"loc": ["data", "state", "nmae"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}
    ]


def test_every_fault_of_the_data_is_told_at_once(wire: Wire) -> None:
    error = error_of(wire.data("deployment.upsert", {"flow_name": "f", "paused": "perhaps", "tags": [1]}))
    assert {tuple(each["loc"]) for each in error["errors"]} >= {
        ("data", "name"),
        ("data", "paused"),
        ("data", "tags", 0),
    }


def test_a_refused_command_changes_nothing(wire: Wire) -> None:
    name = f"f-{uuid4()}"
    error_of(wire.data("flow_run.create", {"flow_name": name, "misspelt": 1}))
    assert wire.data("flow.read", {"name": name})["found"] is False


@pytest.mark.parametrize("kind", ["flow_run.crate", "nothing", "flow_run.created", "flow_run.create.result"])
def test_an_unknown_type_is_told(wire: Wire, kind: str) -> None:
    result = wire.ask(kind, {})
    assert error_of(result["data"])["code"] == "unknown_type"
    assert result["type"] == f"{kind}.result"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("flow_run.create", {"flow_id": "ID"}),
        ("flow_run.create", {"flow_name": "f", "parent_task_run_id": "ID"}),
        ("flow_run.create", {"flow_name": "f", "work_pool_name": "ID"}),
        ("flow_run.set_state", {"flow_run_id": "ID", "state": {"type": "PENDING"}}),
        ("task_run.create", {"flow_run_id": "ID", "task_key": "t", "dynamic_key": "0"}),
        ("task_run.set_state", {"task_run_id": "ID", "state": {"type": "PENDING"}}),
        ("work_queue.upsert", {"name": "q", "work_pool_name": "ID"}),
    ],
)
def test_what_does_not_exist_is_not_found(wire: Wire, kind: str, data: dict[str, Any]) -> None:
    filled = json.loads(json.dumps(data).replace("ID", str(uuid4())))
    assert error_of(wire.data(kind, filled))["code"] == "not_found"


def test_an_id_that_exists_is_a_conflict(wire: Wire) -> None:
    run = wire.new_run()
    assert error_of(wire.data("flow_run.create", {"flow_name": "f", "id": run}))["code"] == "conflict"
    keys = {"flow_run_id": run, "task_key": "t"}
    task = wire.data("task_run.create", {**keys, "dynamic_key": "0"})["task_run"]["id"]
    again = wire.data("task_run.create", {**keys, "dynamic_key": "1", "id": task})
    assert error_of(again)["code"] == "conflict"


def test_a_command_id_with_other_content_is_told_and_not_applied(wire: Wire) -> None:
    name, ident = f"f-{uuid4()}", str(uuid4())
    assert wire.data("flow.upsert", {"name": f"{name}-1"}, id=ident)["status"] == "OK"
    other = wire.envelope("flow.upsert", {"name": f"{name}-2"}, id=ident)
    wire.send(other)
    result = wire.answer(other, number=2)
    assert error_of(result["data"])["code"] == "id_reused"
    assert wire.data("flow.read", {"name": f"{name}-2"})["found"] is False
    assert wire.data("command.read", {"id": ident})["result"]["status"] == "OK"


def test_if_version_applies_only_to_that_version(wire: Wire) -> None:
    run = wire.new_run()
    assert wire.set_state(run, "PENDING", if_version=1)["run"]["version"] == 2
    assert error_of(wire.set_state(run, "RUNNING", if_version=1))["code"] == "version_mismatch"
    assert wire.data("flow_run.read", {"id": run})["flow_run"]["state_type"] == "PENDING"
    assert wire.set_state(run, "RUNNING", if_version=2)["status"] == "ACCEPT"


def test_a_command_first_looked_at_after_its_time_is_expired(wire: Wire) -> None:
    name = f"f-{uuid4()}"
    result = wire.data("flow.upsert", {"name": name}, expirytime=moment(-1))
    assert error_of(result)["code"] == "expired"
    assert wire.data("flow.read", {"name": name})["found"] is False
    assert wire.data("flow.upsert", {"name": name}, expirytime=moment(60))["status"] == "OK"


def test_a_delayed_command_may_expire_while_it_waits(wire: Wire) -> None:
    sent = wire.envelope("flow.upsert", {"name": "f"}, expirytime=moment(0.1))
    wire.put("commands.DQ", message("commands.DQ", sent, eta=int((time.time() + 0.3) * 1000)))
    assert error_of(wire.answer(sent)["data"])["code"] == "expired"


def test_a_message_over_a_mebibyte_is_too_large(wire: Wire) -> None:
    just_fits = {"flow_name": "f", "parameters": {"p": "x" * (1_048_576 - 2_000)}}
    assert wire.data("flow_run.create", just_fits)["status"] == "OK"
    too_large = {"flow_name": "f", "parameters": {"p": "x" * 1_048_576}}
    assert error_of(wire.data("flow_run.create", too_large))["code"] == "too_large"


def test_a_message_nested_deeper_than_64_levels_is_too_large(wire: Wire) -> None:
    # The envelope and its `data`, and the member of data, are levels too.
    assert wire.data("flow_run.create", {"flow_name": "f", "parameters": deep(62)})["status"] == "OK"
    error = error_of(wire.data("flow_run.create", {"flow_name": "f", "parameters": deep(63)}))
    assert error["code"] == "too_large"


@pytest.mark.parametrize("levels", [200, 5_000, 30_000])
def test_one_nested_deeper_than_any_parser_goes_is_answered_and_takes_its_turn(
    wire: Wire, levels: int
) -> None:
    turn = {"partitionkey": f"k-{uuid4()}"}
    data = {"flow_name": "f", "parameters": {"p": "HERE", "q": '][}{"'}}
    sent = wire.envelope("flow_run.create", data, **turn, sequence="1")
    after = wire.envelope("flow_run.create", {"flow_name": "f"}, **turn, sequence="2")
    wire.send(after)
    deepest = '{"a\\\\":["]",' * levels + "1" + "]}" * levels
    wire.put("commands", message("commands", sent).replace('"HERE"', deepest))
    assert error_of(wire.answer(sent)["data"])["code"] == "too_large"
    assert wire.answer(after)["data"]["status"] == "OK"


def test_in_a_batch_only_the_one_nested_deeper_than_any_parser_goes_is_refused(wire: Wire) -> None:
    parameters = ({"p": 1}, {"p": "HERE"}, {"p": 2})
    commands = [
        wire.envelope("flow_run.create", {"flow_name": "f", "parameters": each}) for each in parameters
    ]
    batch = message("commands", wire.envelope("batch", {"commands": commands}))
    wire.put("commands", batch.replace('"HERE"', "[" * 30_000 + "]" * 30_000))
    results = [wire.answer(command)["data"] for command in commands]
    assert [result["status"] for result in results] == ["OK", "ERROR", "OK"]
    assert error_of(results[1])["code"] == "too_large"


@pytest.mark.parametrize("text", ['"\\u0000"', "1" * 400, "1e400", "NaN", "-Infinity"])
def test_what_cannot_be_kept_is_invalid(wire: Wire, text: str) -> None:
    sent = wire.envelope("flow_run.create", {"flow_name": "f", "parameters": {"p": "HERE"}})
    wire.put("commands", message("commands", sent).replace('"HERE"', text))
    assert error_of(wire.answer(sent)["data"])["code"] == "invalid_message"


def test_only_the_command_at_fault_is_refused_in_a_batch(wire: Wire) -> None:
    faulty = [deep(63), {"p": "\x00"}, {"p": 10**400}, {"p": "fine"}, deep(50)]
    commands = [wire.envelope("flow_run.create", {"flow_name": "f", "parameters": each}) for each in faulty]
    wire.send(wire.envelope("batch", {"commands": commands}))
    results = [wire.answer(command)["data"] for command in commands]
    assert [result["status"] for result in results] == ["ERROR", "ERROR", "ERROR", "OK", "OK"]
    codes = [result["error"]["code"] for result in results[:3]]
    assert codes == ["too_large", "invalid_message", "invalid_message"]


def test_an_error_is_the_commands_result_for_good(wire: Wire) -> None:
    sent = wire.envelope("flow_run.create", {"flow_id": str(uuid4())})
    wire.send(sent, sent)
    first, second = wire.answer(sent), wire.answer(sent, number=2)
    assert error_of(first["data"]) == error_of(second["data"])
    assert (first["data"]["replayed"], second["data"]["replayed"]) == (False, True)


def test_a_graph_over_the_limit_is_too_large_and_streams_are_trimmed(own_interlock: Started) -> None:
    """Two limits in one system: starting one takes a while."""
    wire = own_interlock(graph_max_nodes=3, replies_maxlen=100, events_maxlen=200)
    run = wire.new_run(state={"type": "RUNNING"})
    for number in range(4):
        state = {"type": "RUNNING"}
        wire.data(
            "task_run.create",
            {"flow_run_id": run, "task_key": "t", "dynamic_key": str(number), "state": state},
        )
    assert error_of(wire.data("flow_run.graph", {"flow_run_id": run}))["code"] == "graph_too_large"

    commands = [wire.envelope("flow_run.create", {"flow_name": "f"}) for _ in range(1_000)]
    wire.send(wire.envelope("batch", {"commands": commands}))
    wire.answer(commands[-1])
    give_up_at = time.monotonic() + 10
    while not any(event.get("causationid") == commands[-1]["id"] for event in wire.stream("events")):
        assert time.monotonic() < give_up_at
    assert 100 <= len(wire.replies()) < 400
    assert 200 <= len(wire.stream("events")) < 500
    first = wire.data("command.read", {"id": commands[0]["id"]})
    assert first["result"]["status"] == "OK", "what was trimmed is still in the database"
