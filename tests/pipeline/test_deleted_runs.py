"""What goes with a deleted flow run is announced, each by itself, in the same transaction."""

from uuid import uuid4

from tests.pipeline.workshop import Workshop, command


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
