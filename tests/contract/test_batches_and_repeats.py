"""Sections 2 and 6: many commands in one message, and one command many times."""

from uuid import uuid4

import pytest

from tests.contract.wire import Envelope, Wire, error_of


def batch(wire: Wire, commands: list[Envelope]) -> Envelope:
    sent = wire.envelope("batch", {"commands": commands})
    wire.send(sent)
    return sent


def test_each_command_of_a_batch_has_its_own_result_in_list_order(wire: Wire) -> None:
    run = str(uuid4())
    commands = [
        wire.envelope("flow_run.create", {"id": run, "flow_name": "f"}),
        *(
            wire.envelope("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}})
            for state in ("PENDING", "RUNNING", "COMPLETED")
        ),
    ]
    batch(wire, commands)
    results = [wire.answer(command)["data"] for command in commands]
    assert [result["status"] for result in results] == ["OK", "ACCEPT", "ACCEPT", "ACCEPT"]
    assert [result["run"]["version"] for result in results[1:]] == [2, 3, 4]


def test_a_thousand_commands_fit_into_a_batch(wire: Wire) -> None:
    names = [f"flow-{uuid4()}" for _ in range(1_000)]
    commands = [wire.envelope("flow.upsert", {"name": name}) for name in names]
    batch(wire, commands)
    wire.answer(commands[-1])
    results = {reply["causationid"]: reply["data"] for reply in wire.replies()}
    assert [results[command["id"]]["flow"]["name"] for command in commands] == names


@pytest.mark.parametrize("number", [0, 1_001])
def test_a_batch_of_none_or_too_many_is_refused_as_a_whole(wire: Wire, number: int) -> None:
    commands = [wire.envelope("flow.upsert", {"name": "f"}) for _ in range(number)]
    sent = batch(wire, commands)
    result = wire.answer(sent)
    assert result["type"] == "batch.result"
    assert error_of(result["data"])["code"] == "invalid_message"
    assert len(wire.replies()) == 1


def test_an_invalid_command_does_not_hurt_the_others_of_its_batch(wire: Wire) -> None:
    commands = [
        wire.envelope("flow.upsert", {"name": "a"}),
        wire.envelope("flow.upsert", {"nmae": "b"}),
        wire.envelope("no.such", {}),
        wire.envelope("flow.upsert", {"name": "c"}, specversion="2.0"),
        wire.envelope("flow.upsert", {"name": "d"}),
    ]
    batch(wire, commands)
    results = [wire.answer(command)["data"] for command in commands]
    assert [result["status"] for result in results] == ["OK", "ERROR", "ERROR", "ERROR", "OK"]
    codes = [result["error"]["code"] for result in results if result["error"]]
    assert codes == ["invalid_message", "unknown_type", "invalid_message"]


def test_what_is_no_command_at_all_does_not_hurt_the_others_either(wire: Wire) -> None:
    good = wire.envelope("flow.upsert", {"name": "a"})
    nameless = wire.envelope("flow.upsert", {"name": "b"}, id="7")
    batch(wire, [{}, nameless, {"id": 1, "type": None, "data": 3}, good])
    assert wire.answer(good)["data"]["status"] == "OK"
    assert error_of(wire.answer(nameless)["data"])["code"] == "invalid_message"


def test_a_batch_in_a_batch_is_refused(wire: Wire) -> None:
    good = wire.envelope("flow.upsert", {"name": "a"})
    inner = wire.envelope("batch", {"commands": [wire.envelope("flow.upsert", {"name": "b"})]})
    batch(wire, [inner, good])
    assert error_of(wire.answer(inner)["data"])["code"] == "unknown_type"
    assert wire.answer(good)["data"]["status"] == "OK"


def test_the_commands_of_a_batch_may_reply_to_different_names(wire: Wire) -> None:
    others = [Wire(wire.redis, wire.namespace) for _ in range(3)]
    commands = [other.envelope("flow.upsert", {"name": "f"}) for other in others]
    batch(wire, commands)
    for other, command in zip(others, commands, strict=True):
        assert other.answer(command)["data"]["status"] == "OK"
        assert len(other.replies()) == 1


def test_a_repeated_command_is_applied_once_and_answered_with_its_stored_result(wire: Wire) -> None:
    sent = wire.envelope("flow_run.create", {"flow_name": "f"})
    wire.send(sent)
    first = wire.answer(sent)
    run = first["data"]["flow_run"]["id"]
    wire.set_state(run, "PENDING")
    wire.send(sent)
    again = wire.answer(sent, number=2)
    assert first["data"]["replayed"] is False
    assert again == {**first, "data": {**first["data"], "replayed": True}}
    assert [event["sequence"] for event in wire.events(2, subject=run)] == ["1", "2"]


def test_copies_in_one_batch_and_in_many_messages_are_applied_once(wire: Wire) -> None:
    run = wire.new_run()
    sent = wire.envelope("flow_run.set_state", {"flow_run_id": run, "state": {"type": "PENDING"}})
    batch(wire, [sent, sent, sent])
    wire.send(*(5 * [sent]))
    results = [wire.answer(sent, number=number) for number in range(1, 9)]
    assert len({result["id"] for result in results}) == 1
    assert sorted(result["data"]["replayed"] for result in results) == [False, *(7 * [True])]
    assert wire.data("flow_run.read", {"id": run})["flow_run"]["version"] == 2


def test_a_repeat_by_another_producer_is_answered_where_that_one_listens(wire: Wire) -> None:
    other = Wire(wire.redis, wire.namespace)
    sent = wire.envelope("flow.upsert", {"name": "f"})
    wire.send(sent)
    first = wire.answer(sent)
    other.send({**sent, "replyto": other.replyto, "correlationid": "mine", "time": "2026-01-01T00:00:00Z"})
    assert other.answer(sent)["id"] == first["id"]
