"""Section 3: each command, and what its result holds beside the common part."""

from uuid import uuid4

from tests.contract.wire import Wire, error_of, moment


def test_flow_upsert_makes_a_flow_or_changes_what_is_given(wire: Wire) -> None:
    name = f"f-{uuid4()}"
    first = wire.data("flow.upsert", {"name": name, "tags": ["a"], "labels": {"l": 1}})
    second = wire.data("flow.upsert", {"name": name, "tags": ["b"]})
    assert (first["created"], second["created"]) == (True, False)
    assert second["flow"]["id"] == first["flow"]["id"]
    assert (second["flow"]["tags"], second["flow"]["labels"]) == (["b"], {"l": 1})


def test_deployments_pools_and_queues(wire: Wire) -> None:
    word = uuid4().hex
    pool = wire.data("work_pool.upsert", {"name": f"p-{word}", "concurrency_limit": 3})
    assert pool["work_pool"]["concurrency_limit"] == 3
    queue = wire.data("work_queue.upsert", {"name": "q", "work_pool_name": f"p-{word}", "priority": 2})
    assert (queue["created"], queue["work_queue"]["priority"]) == (True, 2)
    data = {"name": "d", "flow_name": f"f-{word}", "work_pool_name": f"p-{word}", "work_queue_name": "q"}
    made = wire.data("deployment.upsert", {**data, "concurrency_limit": 1, "paused": True})
    changed = wire.data("deployment.upsert", {**data, "concurrency_limit": 2})
    assert (made["created"], changed["created"]) == (True, False)
    assert changed["deployment"]["paused"] is True
    assert changed["deployment"]["concurrency_limit"] == 2
    gone = {"deployment_id": made["deployment"]["id"]}
    assert wire.data("deployment.delete", gone)["deleted"] is True
    assert wire.data("deployment.delete", gone)["deleted"] is False


def test_slots_are_leased_and_whoever_comes_too_late_is_told_how_long_to_wait(wire: Wire) -> None:
    name = f"l-{uuid4()}"
    made = wire.data("concurrency_limit.upsert", {"name": name, "limit": 2})
    assert (made["created"], made["concurrency_limit"]["limit"]) == (True, 2)
    first = wire.data("concurrency_limit.acquire", {"names": [name], "slots": 1})
    second = wire.data("concurrency_limit.acquire", {"names": [name], "slots": 1, "lease_seconds": 60})
    assert first["status"] == second["status"] == "OK"
    assert first["lease"]["lease_id"] != second["lease"]["lease_id"]
    third = wire.data("concurrency_limit.acquire", {"names": [name], "slots": 1})
    assert third["status"] == "WAIT"
    assert third["lease"] is None
    assert third["details"]["delay_seconds"] >= 1
    assert isinstance(third["details"]["reason"], str)
    lease = {"lease_id": second["lease"]["lease_id"]}
    assert wire.data("concurrency_limit.release", lease)["released"] is True
    assert wire.data("concurrency_limit.release", lease)["released"] is False
    read = wire.data("concurrency_limit.read", {"name": name})
    assert read["concurrency_limit"]["active_slots"] == 1
    assert wire.data("concurrency_limit.acquire", {"names": [name], "slots": 1})["status"] == "OK"
    assert wire.data("concurrency_limit.release", {"names": [name], "slots": 2})["released"] is True
    assert wire.data("concurrency_limit.delete", {"name": name})["deleted"] is True
    assert wire.data("concurrency_limit.read", {"name": name})["found"] is False


def test_all_named_limits_are_taken_or_none(wire: Wire) -> None:
    free, full = (f"l-{uuid4()}" for _ in range(2))
    for name in (free, full):
        wire.data("concurrency_limit.upsert", {"name": name, "limit": 1})
    wire.data("concurrency_limit.acquire", {"names": [full], "slots": 1})
    assert wire.data("concurrency_limit.acquire", {"names": [free, full], "slots": 1})["status"] == "WAIT"
    read = wire.data("concurrency_limit.read", {"name": free})
    assert read["concurrency_limit"]["active_slots"] == 0


def test_flow_run_create_answers_with_the_whole_run_and_its_state(wire: Wire) -> None:
    ident = str(uuid4())
    data = {"id": ident, "flow_name": "f", "name": "n", "tags": ["t"], "parameters": {"p": [1, {"q": None}]}}
    run = wire.data("flow_run.create", {**data, "state": {"type": "SCHEDULED", "message": "later"}})[
        "flow_run"
    ]
    assert run["id"] == ident
    assert (run["name"], run["tags"], run["parameters"]) == ("n", ["t"], {"p": [1, {"q": None}]})
    assert (run["state"]["type"], run["state"]["name"], run["state"]["message"]) == (
        "SCHEDULED",
        "Scheduled",
        "later",
    )
    assert run["state_type"] == "SCHEDULED"
    assert run["version"] == 2


def test_an_idempotency_key_gives_back_the_earlier_run_and_says_what_differs(wire: Wire) -> None:
    data = {"flow_name": f"f-{uuid4()}", "idempotency_key": "k", "tags": ["a"]}
    first = wire.data("flow_run.create", data)
    same = wire.data("flow_run.create", data)
    other = wire.data("flow_run.create", {**data, "tags": ["b"], "name": "other"})
    elsewhere = wire.data("flow_run.create", {**data, "flow_name": f"f-{uuid4()}"})
    assert [each["created"] for each in (first, same, other, elsewhere)] == [True, False, False, True]
    assert [each["mismatch"] for each in (first, same, other)] == [False, False, True]
    assert same["flow_run"]["id"] == other["flow_run"]["id"] == first["flow_run"]["id"]
    assert other["flow_run"]["tags"] == ["a"], "returned unchanged"


def test_update_replaces_what_is_given_and_labels_are_merged(wire: Wire) -> None:
    run = wire.new_run(tags=["a"], labels={"a": 1, "b": 1})
    changes = {"flow_run_id": run, "tags": ["b"], "infrastructure_pid": "7"}
    assert wire.data("flow_run.update", changes)["updated"] is True
    assert (
        wire.data("flow_run.set_labels", {"flow_run_id": run, "labels": {"b": 2, "c": 2}})["updated"] is True
    )
    read = wire.data("flow_run.read", {"id": run})["flow_run"]
    assert (read["tags"], read["infrastructure_pid"]) == (["b"], "7")
    assert read["labels"] == {"a": 1, "b": 2, "c": 2}
    nobody = {"flow_run_id": str(uuid4())}
    assert wire.data("flow_run.update", {**nobody, "tags": []})["updated"] is False
    assert wire.data("flow_run.set_labels", {**nobody, "labels": {}})["updated"] is False
    assert wire.data("flow_run.delete", nobody)["deleted"] is False


def test_set_state_answers_with_the_verdict_the_state_and_the_run_as_committed(wire: Wire) -> None:
    run = wire.new_run()
    wire.set_state(run, "PENDING")
    result = wire.set_state(run, "RUNNING")
    assert result["status"] == "ACCEPT"
    assert result["details"] == {"reason": None, "delay_seconds": None}
    assert result["state"].keys() == {"id", "type", "name", "timestamp", "message", "data", "state_details"}
    assert result["state"]["state_details"]["flow_run_id"] == run
    assert result["run"] == {
        "id": run,
        "version": 3,
        "state_type": "RUNNING",
        "state_name": "Running",
        "run_count": 1,
        "start_time": result["state"]["timestamp"],
        "end_time": None,
        "expected_start_time": result["run"]["expected_start_time"],
        "next_scheduled_start_time": None,
        "total_run_time": result["run"]["total_run_time"],
    }


def test_the_four_verdicts(wire: Wire) -> None:
    run = wire.new_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": moment(60)}})
    assert wire.set_state(run, "PENDING")["status"] == "ACCEPT"
    wait = wire.set_state(
        wire.new_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": moment(60)}}), "RUNNING"
    )
    assert wait["status"] == "WAIT"
    assert 55 <= wait["details"]["delay_seconds"] <= 61
    assert wait["state"]["type"] == "SCHEDULED"
    abort = wire.set_state(run, "PENDING")
    assert abort["status"] == "ABORT"
    assert isinstance(abort["details"]["reason"], str)
    cancelling = wire.new_run(state={"type": "CANCELLING"})
    reject = wire.set_state(cancelling, "RUNNING")
    assert reject["status"] in ("REJECT", "ABORT")
    assert reject["state"]["type"] == "CANCELLING"
    forced = wire.set_state(cancelling, "RUNNING", force=True)
    assert (forced["status"], forced["run"]["state_type"]) == ("ACCEPT", "RUNNING")


def test_an_unknown_policy_is_refused(wire: Wire) -> None:
    assert error_of(wire.set_state(wire.new_run(), "PENDING", policy="mine"))["code"] == "invalid_message"


def test_task_runs_are_made_once_for_their_keys(wire: Wire) -> None:
    run = wire.new_run(state={"type": "RUNNING"})
    data = {"flow_run_id": run, "task_key": "t", "dynamic_key": "0", "name": "n"}
    first = wire.data("task_run.create", {**data, "state": {"type": "PENDING"}})
    again = wire.data("task_run.create", {**data, "name": "other"})
    assert (first["created"], again["created"]) == (True, False)
    assert again["task_run"]["id"] == first["task_run"]["id"]
    task = {"task_run_id": first["task_run"]["id"]}
    moved = wire.data("task_run.set_state", {**task, "state": {"type": "RUNNING"}})
    assert (moved["status"], moved["run"]["state_type"]) == ("ACCEPT", "RUNNING")
    assert wire.data("task_run.update", {**task, "name": "new"})["updated"] is True
    assert wire.data("task_run.read", {"id": task["task_run_id"]})["task_run"]["name"] == "new"
    assert wire.data("task_run.delete", task)["deleted"] is True
    assert wire.data("task_run.delete", task)["deleted"] is False


def test_deleting_a_run_frees_its_slots(wire: Wire) -> None:
    flow = f"f-{uuid4()}"
    limited = {"name": "d", "flow_name": flow, "concurrency_limit": 1}
    deployment = wire.data("deployment.upsert", limited)["deployment"]["id"]
    runs = [wire.new_run(flow_name=flow, deployment_id=deployment) for _ in range(2)]
    assert wire.set_state(runs[0], "PENDING")["status"] == "ACCEPT"
    assert wire.set_state(runs[1], "PENDING")["status"] == "REJECT"
    assert wire.data("flow_run.delete", {"flow_run_id": runs[0]})["deleted"] is True
    wire.set_state(runs[1], "SCHEDULED", force=True)
    assert wire.set_state(runs[1], "PENDING")["status"] == "ACCEPT"


def test_artifacts_and_policies(wire: Wire) -> None:
    run = wire.new_run()
    artifact = wire.data(
        "artifact.create", {"key": "report", "type": "markdown", "data": "# hi", "flow_run_id": run}
    )
    assert (artifact["artifact"]["key"], artifact["artifact"]["data"]) == ("report", "# hi")
    made = wire.data("notification_policy.upsert", {"notify": "ops", "is_active": False})
    ident = made["notification_policy"]["id"]
    changed = wire.data("notification_policy.upsert", {"id": ident, "notify": "dev"})
    assert (made["created"], changed["created"]) == (True, False)
    listed = wire.data("notification_policy.list", {})["items"]
    assert "dev" in [policy["notify"] for policy in listed if policy["id"] == ident]
    assert wire.data("notification_policy.delete", {"id": ident})["deleted"] is True
    assert wire.data("notification_policy.delete", {"id": ident})["deleted"] is False
    faulty = {"notify": "ops", "message_template": "{flow_run.__class__}"}
    assert error_of(wire.data("notification_policy.upsert", faulty))["code"] == "invalid_message"
