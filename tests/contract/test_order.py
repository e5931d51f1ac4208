"""Section 6: commands with `partitionkey` and `sequence` are applied in exactly that order."""

import random
import time
from uuid import uuid4

from tests.contract.wire import Envelope, Wire, error_of

STATES = ("PENDING", "RUNNING", "PAUSED", "RUNNING", "COMPLETED")


def a_life(wire: Wire, key: str, **attributes: str) -> list[Envelope]:
    """A run's commands, numbered."""
    run = str(uuid4())
    commands = [
        wire.envelope("flow_run.create", {"id": run, "flow_name": "f"}),
        *(
            wire.envelope("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}})
            for state in STATES
        ),
    ]
    return [
        {**command, "partitionkey": key, "sequence": str(number), **attributes}
        for number, command in enumerate(commands, 1)
    ]


def wait_until_parked(wire: Wire, *commands: Envelope) -> None:
    """Batches are applied side by side: what was sent first need not be looked at first."""
    give_up_at = time.monotonic() + 10
    for command in commands:
        while not (known := wire.data("command.read", {"id": command["id"]}))["found"]:
            assert time.monotonic() < give_up_at
        assert known["result"] is None


def test_whatever_order_they_arrive_in_they_are_applied_in_the_order_of_their_numbers(wire: Wire) -> None:
    commands = a_life(wire, f"k-{uuid4()}")
    for command in random.Random(7).sample(commands, len(commands)):
        wire.send(command)
    results = [wire.answer(command)["data"] for command in commands]
    assert [result["status"] for result in results] == ["OK", *(5 * ["ACCEPT"])]
    assert [result["run"]["version"] for result in results[1:]] == [2, 3, 4, 5, 6]


def test_one_that_comes_early_waits_and_is_applied_together_with_the_missing_one(wire: Wire) -> None:
    commands = a_life(wire, f"k-{uuid4()}")
    wire.send(*commands[:0:-1])
    wait_until_parked(wire, *commands[1:])
    assert not [reply for reply in wire.replies() if reply["type"].startswith("flow_run.")]
    wire.send(commands[0])
    results = [wire.answer(command) for command in commands]
    assert len({result["time"] for result in results}) == 1, "in the same moment"
    order = [reply["causationid"] for reply in wire.replies() if reply["type"].startswith("flow_run.")]
    assert order == [command["id"] for command in commands]


def test_every_source_and_key_has_numbers_of_its_own(wire: Wire) -> None:
    key = f"k-{uuid4()}"
    lives = [a_life(wire, key), a_life(wire, key, source="another"), a_life(wire, f"{key}-2")]
    for command in (command for life in zip(*lives, strict=True) for command in life):
        wire.send(command)
    for life in lives:
        assert [wire.answer(command)["data"]["status"] for command in life] == ["OK", *(5 * ["ACCEPT"])]


def test_a_number_that_was_used_is_a_conflict_and_a_copy_is_not(wire: Wire) -> None:
    commands = a_life(wire, f"k-{uuid4()}")
    wire.send(*commands)
    first = wire.answer(commands[1])
    thief = {**commands[1], "id": str(uuid4())}
    wire.send(thief, commands[1])
    assert error_of(wire.answer(thief)["data"])["code"] == "conflict"
    assert wire.answer(commands[1], number=2)["id"] == first["id"]


def test_a_command_that_ends_as_error_takes_its_turn(wire: Wire) -> None:
    key = f"k-{uuid4()}"
    wrong = wire.envelope("flow.upsert", {"nmae": "x"}, partitionkey=key, sequence="1")
    right = wire.envelope("flow.upsert", {"name": "x"}, partitionkey=key, sequence="2")
    wire.send(right, wrong)
    assert error_of(wire.answer(wrong)["data"])["code"] == "invalid_message"
    assert wire.answer(right)["data"]["status"] == "OK"


def test_commands_without_a_number_do_not_wait_for_those_with_one(wire: Wire) -> None:
    parked = wire.envelope("flow.upsert", {"name": "x"}, partitionkey=f"k-{uuid4()}", sequence="2")
    wire.send(parked)
    assert wire.data("flow.upsert", {"name": "y"})["status"] == "OK"


def test_an_id_that_waits_for_its_turn_cannot_be_given_to_another_command(wire: Wire) -> None:
    key, ident = f"k-{uuid4()}", str(uuid4())
    parked = wire.envelope("flow.upsert", {"name": "x"}, id=ident, partitionkey=key, sequence="2")
    thieves = [
        wire.envelope("flow.upsert", {"name": "y"}, id=ident, partitionkey=key, sequence="2"),
        wire.envelope("flow.upsert", {"name": "x"}, id=ident, partitionkey=key, sequence="3"),
        wire.envelope("flow.upsert", {"name": "z"}, id=ident),
    ]
    wire.send(parked)
    wait_until_parked(wire, parked)
    for thief in thieves:
        other = Wire(wire.redis, wire.namespace)
        other.send({**thief, "replyto": other.replyto})
        assert error_of(other.answer(thief)["data"])["code"] == "id_reused"
    wire.send(wire.envelope("flow.upsert", {"name": "first"}, partitionkey=key, sequence="1"))
    assert wire.answer(parked)["data"]["flow"]["name"] == "x"
