"""Section 5: what is told to everybody, and to those who asked for it."""

import time
from uuid import uuid4

from tests.contract.wire import Wire


def test_created_and_updated_tell_the_whole_run(wire: Wire) -> None:
    run = wire.new_run(tags=["a"], parameters={"p": 1})
    wire.data("flow_run.update", {"flow_run_id": run, "name": "new name"})
    wire.data("flow_run.set_labels", {"flow_run_id": run, "labels": {"l": True}})
    events = wire.events(3, subject=run)
    assert [event["type"] for event in events] == ["flow_run.created", "flow_run.updated", "flow_run.updated"]
    created, renamed, labelled = (event["data"] for event in events)
    assert (created["id"], created["tags"], created["parameters"]) == (run, ["a"], {"p": 1})
    assert (renamed["name"], renamed["version"]) == ("new name", 2)
    assert (labelled["labels"], labelled["version"]) == ({"l": True}, 3)


def test_state_changed_tells_from_where_to_where_and_by_whose_choice(wire: Wire) -> None:
    name = f"f-{uuid4()}"
    run = wire.new_run(flow_name=name, tags=["t"])
    wire.set_state(run, "PENDING")
    wire.set_state(run, "RUNNING")
    first, second = (event["data"] for event in wire.events(3, subject=run)[1:])
    assert first["initial_state"] is None
    assert first["validated_state"]["type"] == "PENDING"
    assert second["initial_state"]["id"] == first["validated_state"]["id"]
    assert second["intended"] == {"from": "PENDING", "to": "RUNNING"}
    assert second["status"] == "ACCEPT"
    told = second["run"]
    assert told["id"] == run
    assert (told["flow_name"], told["tags"], told["version"], told["run_count"]) == (name, ["t"], 3, 1)
    assert told.keys() == {
        "id",
        "name",
        "flow_id",
        "flow_name",
        "deployment_id",
        "tags",
        "version",
        "run_count",
    }


def test_a_state_that_the_rules_chose_instead_is_told_as_rejected(wire: Wire) -> None:
    run = wire.new_run(empirical_policy={"retries": 1, "retry_delay": 0})
    for state in ("PENDING", "RUNNING", "FAILED"):
        last = wire.set_state(run, state)
    assert last["status"] == "REJECT"
    event = wire.events(4, subject=run)[-1]["data"]
    assert event["intended"] == {"from": "RUNNING", "to": "FAILED"}
    assert event["validated_state"]["name"] == "AwaitingRetry"
    assert event["status"] == "REJECT"


def test_what_was_not_written_is_not_told(wire: Wire) -> None:
    run = wire.new_run()
    wire.set_state(run, "PENDING")
    assert wire.set_state(run, "PENDING")["status"] == "ABORT"
    wire.data("flow_run.update", {"flow_run_id": run})
    wire.data("flow_run.delete", {"flow_run_id": run})
    events = wire.events(3, subject=run)
    assert [event["type"].split(".")[1] for event in events] == ["created", "state_changed", "deleted"]
    assert [event["sequence"] for event in events] == ["1", "2", "3"]
    assert events[-1]["data"] == {"id": run}


def test_task_runs_are_told_in_the_same_way(wire: Wire) -> None:
    run = wire.new_run(state={"type": "RUNNING"})
    data = {"flow_run_id": run, "task_key": "t", "dynamic_key": "0", "state": {"type": "PENDING"}}
    task = wire.data("task_run.create", data)["task_run"]["id"]
    wire.data("task_run.set_state", {"task_run_id": task, "state": {"type": "RUNNING"}})
    wire.data("task_run.update", {"task_run_id": task, "name": "n"})
    wire.data("task_run.delete", {"task_run_id": task})
    events = wire.events(5, subject=task)
    assert [event["type"] for event in events] == [
        "task_run.created",
        "task_run.state_changed",
        "task_run.state_changed",
        "task_run.updated",
        "task_run.deleted",
    ]
    assert [event["sequence"] for event in events] == ["1", "2", "3", "4", "5"]
    assert events[2]["data"]["run"]["flow_run_id"] == run


def test_one_creation_with_a_state_tells_both_in_order_and_another_copy_nothing(wire: Wire) -> None:
    data = {"flow_name": f"f-{uuid4()}", "idempotency_key": "k", "state": {"type": "SCHEDULED"}}
    first = wire.data("flow_run.create", data)
    again = wire.ask("flow_run.create", data)
    assert (first["created"], again["data"]["created"]) == (True, False)
    events = wire.events(2, subject=first["flow_run"]["id"])
    assert [event["type"] for event in events] == ["flow_run.created", "flow_run.state_changed"]
    assert again["causationid"] not in {event["causationid"] for event in events}


def test_a_policy_sends_the_states_it_watches_to_its_stream_and_to_events(wire: Wire) -> None:
    notify, tag = f"n-{uuid4().hex}", f"t-{uuid4()}"
    policy = wire.data(
        "notification_policy.upsert",
        {
            "notify": notify,
            "state_names": ["Running", "Completed"],
            "tags": [tag],
            "message_template": "{flow_run_name} is {flow_run_state_name}",
        },
    )["notification_policy"]["id"]
    run = wire.new_run(tags=[tag], name="nightly", parameters={"p": 1})
    for state in ("PENDING", "RUNNING", "COMPLETED"):
        wire.set_state(run, state)
    wire.set_state(wire.new_run(), "RUNNING")
    told = [event for event in wire.events(6, subject=run) if event["type"] == "notification"]
    assert [event["data"]["message"] for event in told] == ["nightly is Running", "nightly is Completed"]
    assert wire.stream(f"notifications:{notify}") == told
    assert told[0]["data"] == {
        "policy_id": policy,
        "flow_id": told[0]["data"]["flow_id"],
        "flow_name": told[0]["data"]["flow_name"],
        "flow_run_id": run,
        "flow_run_name": "nightly",
        "flow_run_parameters": {"p": 1},
        "flow_run_state_type": "RUNNING",
        "flow_run_state_name": "Running",
        "flow_run_state_timestamp": told[0]["data"]["flow_run_state_timestamp"],
        "flow_run_state_message": None,
        "message": "nightly is Running",
    }


def test_a_policy_that_is_switched_off_or_deleted_sends_nothing(wire: Wire) -> None:
    notify = f"n-{uuid4().hex}"
    policy = wire.data("notification_policy.upsert", {"notify": notify})["notification_policy"]["id"]
    run = wire.new_run()
    wire.set_state(run, "PENDING")
    wire.data("notification_policy.upsert", {"id": policy, "notify": notify, "is_active": False})
    wire.set_state(run, "RUNNING")
    assert wire.data("notification_policy.delete", {"id": policy})["deleted"] is True
    wire.set_state(run, "COMPLETED")
    wire.events(5, subject=run)
    give_up_at = time.monotonic() + 10
    while not (told := wire.stream(f"notifications:{notify}")):
        assert time.monotonic() < give_up_at
    mine = [event["data"]["flow_run_state_name"] for event in told if event["subject"] == run]
    assert mine == ["Pending"]
