"""What goes with a deleted flow run is announced, each by itself, in the same transaction."""

from uuid import uuid4

import psycopg

from tests.pipeline.workshop import Workshop, command

_MANY = """
INSERT INTO task_run (id, created, updated, name, task_key, dynamic_key, flow_run_id, version)
SELECT gen_random_uuid(), now(), now(), 'many', 't', CAST(n AS text), %(run)s, 1 FROM generate_series(1, 100000) n
"""


def test_each_task_run_that_goes_with_its_flow_run_is_announced_with_its_next_version(
    workshop: Workshop,
) -> None:
    run, other = str(uuid4()), str(uuid4())
    tasks = [str(uuid4()) for _ in range(3)]
    workshop.handle(*(command("flow_run.create", {"id": each, "flow_name": "f"}) for each in (run, other)))
    for number, task in enumerate(tasks):
        owner = run if number < 2 else other
        data = {"id": task, "flow_run_id": owner, "task_key": "t", "dynamic_key": task}
        workshop.handle(command("task_run.create", data))
    state = {"task_run_id": tasks[1], "state": {"type": "PENDING"}}
    workshop.handle(command("task_run.set_state", state))
    deletion = command("flow_run.delete", {"flow_run_id": run}, correlationid="c")
    [told] = workshop.handle(deletion)
    assert told["data"]["deleted"] is True
    gone = {
        event["subject"]: (event["type"], event["sequence"])
        for event in workshop.events()
        if event.get("causationid") == deletion["id"]
    }
    assert gone == {
        tasks[0]: ("task_run.deleted", "2"),
        tasks[1]: ("task_run.deleted", "3"),
        run: ("flow_run.deleted", "2"),
    }
    assert workshop.count("task_run") == 1


def test_a_flow_run_with_100000_task_runs_is_deleted_and_each_of_them_announced(workshop: Workshop) -> None:
    run, last = str(uuid4()), str(uuid4())
    workshop.handle(command("flow_run.create", {"id": run, "flow_name": "f"}))
    with psycopg.connect(workshop.database_url) as connection:
        connection.execute(_MANY, {"run": run})
    deletion = command("flow_run.delete", {"flow_run_id": run})
    # One that this batch knows more about is announced as well, and once.
    data = {"id": last, "flow_run_id": run, "task_key": "t", "dynamic_key": "last"}

    _, told = workshop.handle(command("task_run.create", data), deletion)

    assert (told["data"]["status"], told["data"]["deleted"]) == ("OK", True)
    gone = [event["subject"] for event in workshop.events() if event["type"] == "task_run.deleted"]
    assert len(gone) == len(set(gone)) == 100_001
    assert last in gone
    assert workshop.count("task_run") == 0


def test_a_flow_run_that_is_made_and_deleted_again_in_the_same_batch_takes_no_task_runs_along_twice(
    workshop: Workshop,
) -> None:
    run, task = str(uuid4()), str(uuid4())
    made, deleted = {"id": run, "flow_name": "f"}, {"flow_run_id": run}
    keys = {"task_key": "t", "dynamic_key": "d"}
    workshop.handle(command("flow_run.create", made))
    workshop.handle(command("task_run.create", {"id": task, "flow_run_id": run, **keys}))
    again = [
        command("flow_run.delete", deleted),
        command("flow_run.create", made),
        command("flow_run.delete", deleted),
    ]

    told = workshop.handle(*again)

    assert [each["data"]["status"] for each in told] == ["OK", "OK", "OK"]
    gone = [event["subject"] for event in workshop.events() if event["type"] == "task_run.deleted"]
    assert gone == [task]
