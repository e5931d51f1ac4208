"""Handles of runs, and the order of what is said through them."""

from typing import Any
from uuid import UUID

import pytest

from messages.client import Client, CommandFailed, Completed, Pending, Refused, Running
from messages.errors import MessagesError
from tests.client.stand_in import Envelope, StandIn, error_of, result_of


def created(command: Envelope) -> list[Envelope]:
    """A create command gets back its run; others get OK."""
    kind: str = command["type"].split(".")[0]
    body: dict[str, Any] = {kind: {"id": command["data"].get("id")}, "created": True}
    return [result_of(command, **body)]


def numbers(commands: list[Envelope]) -> list[tuple[str, str | None, str | None]]:
    """Type, key and number of each."""
    return [(item["type"], item.get("partitionkey"), item.get("sequence")) for item in commands]


def test_ordered_commands_are_numbered_per_run(client: Client, worker: StandIn) -> None:
    worker.answer = created
    first = client.create_flow_run(flow_name="etl", ordered=True)
    second = client.create_flow_run(flow_name="etl", ordered=True)
    futures = [first.set_state(Pending()), second.set_state(Pending()), first.set_state(Running())]
    for future in [*futures, first.set_labels({"a": 1}), first.update(name="x"), first.delete()]:
        future.result(timeout=5)
    of_first = [command for command in worker.seen if command["partitionkey"] == str(first.id)]
    assert numbers(of_first) == [
        ("flow_run.create", str(first.id), "1"),
        ("flow_run.set_state", str(first.id), "2"),
        ("flow_run.set_state", str(first.id), "3"),
        ("flow_run.set_labels", str(first.id), "4"),
        ("flow_run.update", str(first.id), "5"),
        ("flow_run.delete", str(first.id), "6"),
    ]
    assert [item["sequence"] for item in worker.seen if item["partitionkey"] == str(second.id)] == ["1", "2"]


def test_a_refused_command_uses_up_no_number(client: Client, worker: StandIn) -> None:
    run = client.flow_run(UUID(int=1), ordered=True, first_sequence=5)
    with pytest.raises(Refused):
        run.update(nmae="x")
    run.update(name="x").result(timeout=5)
    assert numbers(worker.seen) == [("flow_run.update", str(UUID(int=1)), "5")]


def test_commands_without_order_carry_no_number(client: Client, worker: StandIn) -> None:
    client.flow_run(UUID(int=1)).delete().result(timeout=5)
    assert numbers(worker.seen) == [("flow_run.delete", None, None)]


def test_a_new_run_is_spoken_to_without_waiting_for_its_creation(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: []
    run = client.create_flow_run(flow_name="etl")
    run.set_state(Running())
    create, set_state = worker.wait_for(2)[:2]
    assert set_state["data"]["flow_run_id"] == create["data"]["id"] == str(run.id)


def test_a_run_with_an_idempotency_key_is_known_by_its_answer(client: Client, worker: StandIn) -> None:
    earlier = UUID(int=9)
    worker.answer = lambda command: [result_of(command, flow_run={"id": str(earlier)}, created=False)]
    run = client.create_flow_run(flow_name="etl", idempotency_key="2026-11-23", ordered=True)
    run.set_state(Running()).result(timeout=5)
    create, set_state = worker.seen
    assert run.id == earlier
    assert set_state["data"]["flow_run_id"] == str(earlier)
    assert (set_state["partitionkey"], set_state["sequence"]) == (create["partitionkey"], "2")
    assert run.result(timeout=5).data["created"] is False


def test_a_task_run_is_known_by_its_answer_unless_it_was_given_an_id(client: Client, worker: StandIn) -> None:
    earlier = UUID(int=9)
    worker.answer = lambda command: [result_of(command, task_run={"id": str(earlier)}, created=False)]
    assert client.create_task_run(task_key="t", dynamic_key="0").id == earlier
    assert client.create_task_run(task_key="t", dynamic_key="0", id=UUID(int=3)).id == UUID(int=3)


def test_a_task_run_is_spoken_to_by_its_handle(client: Client, worker: StandIn) -> None:
    task = client.task_run(str(UUID(int=4)))
    task.set_state(Completed(data={"rows": 3})).result(timeout=5)
    task.states().result(timeout=5)
    task.read().result(timeout=5)
    assert [(item["type"], item["data"]) for item in worker.seen] == [
        (
            "task_run.set_state",
            {"task_run_id": str(UUID(int=4)), "state": {"type": "COMPLETED", "data": {"rows": 3}}},
        ),
        ("task_run.states", {"task_run_id": str(UUID(int=4))}),
        ("task_run.read", {"id": str(UUID(int=4))}),
    ]


def test_a_run_that_could_not_be_made_tells_why(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [error_of(command, "not_found", "no such flow")]
    run = client.create_flow_run(flow_id=UUID(int=1), idempotency_key="k")
    with pytest.raises(CommandFailed, match="no such flow"):
        run.result(timeout=5)
    with pytest.raises(CommandFailed, match="no such flow"):
        run.set_state(Running())


def test_a_run_from_before_has_no_answer_of_its_creation(client: Client) -> None:
    with pytest.raises(MessagesError, match="not created through this handle"):
        client.flow_run(UUID(int=1)).result(timeout=1)


def test_slots_are_held_for_a_block(client: Client, worker: StandIn) -> None:
    lease = {"lease_id": str(UUID(int=5)), "names": ["db"], "slots": 2, "expires_at": None}

    def answer(command: Envelope) -> list[Envelope]:
        if len(worker.seen) < 2:
            return [result_of(command, "WAIT", details={"reason": "full", "delay_seconds": 0.01})]
        return [result_of(command, lease=lease)]

    worker.answer = answer
    with client.slots(["db"], 2, lease_seconds=60) as held:
        assert held == lease
    assert [item["type"] for item in worker.seen] == ["concurrency_limit.acquire"] * 3 + [
        "concurrency_limit.release"
    ]
    assert worker.seen[0]["data"] == {"names": ["db"], "slots": 2, "lease_seconds": 60}
    assert worker.seen[-1]["data"] == {"lease_id": str(UUID(int=5))}


def test_slots_are_given_back_after_an_error(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [result_of(command, lease=None)]
    with pytest.raises(ZeroDivisionError), client.slots(["db", "gpu"]):
        _ = 1 / 0
    assert worker.seen[-1]["data"] == {"names": ["db", "gpu"], "slots": 1}


def test_slots_that_never_come_free_are_given_up(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [result_of(command, "WAIT", details={"delay_seconds": 0.02})]
    with pytest.raises(TimeoutError, match="no 1 free slots of db"), client.slots(["db"], timeout=0.1):
        pytest.fail("they were never free")
    assert "concurrency_limit.release" not in [item["type"] for item in worker.seen]
