"""`interlock runs show`, `states` and `explain`: one run, found as people name it."""

from typing import Any

import pytest

from messages.ids import uuid7
from messages.results import Outcome
from store.reads.abbreviations import beginning_with, bounds_of, shortest
from store.transaction import transaction
from tests.runs.conftest import Runs, Word, told
from workers.handlers import table


def test_a_flow_run_is_shown_with_all_that_belongs_to_it(runs: Runs, word: Word) -> None:
    deployment = runs.do(
        "deployment.upsert", {"name": "nightly", "flow_name": "orders", "concurrency_limit": 2}
    )["deployment"]["id"]
    ident = runs.create(
        "orders", "SCHEDULED", "PENDING", "RUNNING", name="red-fox", deployment_id=deployment, tags=["eu"]
    )
    task = runs.task(ident, "PENDING", "RUNNING", name="load-0")
    runs.task(ident, "PENDING", name="load-1", dynamic_key="1")
    sub = runs.create("sub", "PENDING", name="blue-hen", parent_task_run_id=task)
    ended = word("show", ident)
    assert (ended.status, ended.err) == (0, "")
    out = ended.out
    assert out.startswith(f"red-fox  Running  {ident}\n")
    for words in (
        "flow        orders",
        f"deployment  nightly  {deployment}",
        "tags        eu",
        f"holds       1 of deployment:{deployment} since",
        "Task runs  2 pending",
        "load-1",
        "Subflow runs",
        f"{sub}  blue-hen",
    ):
        assert words in out, words
    shown = told(word("show", ident, "--json"))
    assert (shown["kind"], shown["flow_run"]["id"], shown["task_run"]) == ("flow_run", ident, None)
    assert [state["type"] for state in shown["states"]] == ["SCHEDULED", "PENDING", "RUNNING"]
    assert shown["task_run_counts"] == {"PENDING": 2}
    assert {each["name"] for each in shown["task_runs"]} == {"load-0", "load-1"}
    assert [each["name"] for each in shown["subflow_runs"]] == ["blue-hen"]
    assert (shown["flow"]["name"], shown["deployment"]["name"]) == ("orders", "nightly")
    assert [each["slots"] for each in shown["slots"]] == [1]
    below = told(word("show", sub, "--json"))
    assert (below["parent_flow_run"]["id"], below["parent_task_run"]["id"]) == (ident, task)
    assert "parent      red-fox  Running" in word("show", sub).out


def test_a_task_run_is_shown_too(runs: Runs, word: Word) -> None:
    ident = runs.create("orders", "PENDING", "RUNNING", name="red-fox")
    task = runs.task(ident, "PENDING", "RUNNING", {"type": "FAILED", "message": "no disk"}, name="load-0")
    out = word("show", task).out
    assert out.startswith(f"load-0  Failed  {task}\n")
    assert "kind        task run" in out
    assert "parent      red-fox  Running" in out
    assert "no disk" in out
    shown = told(word("show", task, "--json"))
    assert (shown["kind"], shown["task_run"]["id"], shown["flow_run"]) == ("task_run", task, None)
    assert shown["parent_flow_run"]["id"] == ident


def test_of_many_task_runs_the_newest_are_shown_and_all_are_counted(runs: Runs, word: Word) -> None:
    ident = runs.create("orders", "PENDING", "RUNNING")
    tasks = [runs.task(ident, "PENDING", dynamic_key=str(number)) for number in range(5)]
    out = word("show", ident, "--tasks", 2).out
    assert "5 pending" in out
    assert [task in out for task in tasks] == [False, False, False, True, True]
    assert "and 3 older ones" in out


def test_the_history_says_how_long_each_state_lasted(runs: Runs, word: Word) -> None:
    ident = runs.create("orders", "PENDING", "RUNNING", "COMPLETED")
    heading, *lines = word("states", ident).out.splitlines()
    assert heading.split() == ["time", "state", "type", "lasted", "message"]
    assert [line.split()[2] for line in lines] == ["Pending", "Running", "Completed"]
    assert lines[0].split()[-1] in ("ms", "s")
    assert lines[2].split()[-1] == "completed", "what has ended lasts no longer"
    found = told(word("states", ident, "--json"))
    assert (found["id"], [state["type"] for state in found["states"]]) == (
        ident,
        ["PENDING", "RUNNING", "COMPLETED"],
    )
    assert "It has had no state." in word("states", runs.create()).out


def test_a_run_is_found_by_id_by_beginning_and_by_name(runs: Runs, word: Word) -> None:
    ident = runs.create("orders", "PENDING", name="red-fox")
    other = runs.create("orders", "PENDING", name="blue-hen")
    same = next(length for length in range(36) if ident[length] != other[length])
    for given in (ident, ident.upper(), ident.replace("-", ""), ident[: same + 1], "red-fox"):
        assert told(word("states", given, "--json"))["id"] == ident, given
    several = word("show", ident[: same if ident[same - 1] != "-" else same - 1])
    assert several.status == 1
    assert f"flow run {ident}" in several.err
    assert f"flow run {other}" in several.err
    runs.create("orders", name="red-fox")
    assert word("show", "red-fox").status == 1


@pytest.mark.parametrize("verb", ["show", "states", "explain"])
@pytest.mark.parametrize("given", ["nobody", "ffff", "0", "b18e0a7f-f5b5-4af3-bdc5-601c819bccfd"])
def test_a_run_that_does_not_exist(runs: Runs, word: Word, verb: str, given: str) -> None:
    ended = word(verb, given)
    assert ended.status == 1
    assert f"there is no run '{given}'" in ended.err


def test_a_run_that_waits_for_several_things_is_explained(
    runs: Runs, word: Word, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.do("work_pool.upsert", {"name": "k8s", "is_paused": True})
    runs.do("work_queue.upsert", {"name": "fast", "work_pool_name": "k8s"})
    upsert = {"name": "nightly", "flow_name": "orders", "concurrency_limit": 1, "paused": True}
    deployment = runs.do("deployment.upsert", upsert)["deployment"]["id"]
    where = {"deployment_id": deployment, "work_pool_name": "k8s", "work_queue_name": "fast"}
    holder = runs.create("orders", "SCHEDULED", "PENDING", "RUNNING", name="red-fox", **where)
    waits = runs.create("orders", "SCHEDULED", "PENDING", name="blue-hen", **where)
    early = {"partitionkey": "k", "sequence": "3"}
    assert runs.do("flow_run.set_state", {"flow_run_id": waits, "state": {"type": "RUNNING"}}, **early) == {}

    def fails(_world: Any, _data: Any) -> Outcome:
        raise RuntimeError("no index")

    monkeypatch.setitem(table.HANDLERS, "flow_run.set_labels", fails)
    runs.do("flow_run.set_labels", {"flow_run_id": waits.upper(), "labels": {}})
    found = told(word("explain", waits, "--json"))
    assert found["run"] == {
        "kind": "flow_run",
        "name": "blue-hen",
        "state_type": "SCHEDULED",
        "state_name": "AwaitingConcurrencySlot",
    }
    by_code = {reason["code"]: reason for reason in found["reasons"]}
    assert list(by_code) == [
        *("awaiting_slot", "limit_full", "deployment_paused", "work_pool_paused"),
        *("command_parked", "command_failing"),
    ]
    assert [each["id"] for each in by_code["limit_full"]["holders"]] == [holder]
    assert (by_code["command_parked"]["missing"], by_code["command_parked"]["sequence"]) == (1, 3)
    assert (by_code["command_failing"]["attempts"], by_code["command_failing"]["source"]) == (1, "tests")
    out = word("explain", waits).out
    assert out.startswith(f"blue-hen  AwaitingConcurrencySlot  {waits}\n• It found no slot")
    assert out.count("•") == 6
    assert "RuntimeError: no index" in out
    assert "red-fox" in out


def test_a_number_that_comes_and_fails_is_the_one_that_is_waited_for(
    runs: Runs, word: Word, monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = runs.create()

    def fails(_world: Any, _data: Any) -> Outcome:
        raise RuntimeError("no index")

    monkeypatch.setitem(table.HANDLERS, "flow.upsert", fails)
    runs.do("flow.upsert", {"name": "x"}, partitionkey="k", sequence="1")
    pending = {"flow_run_id": ident, "state": {"type": "PENDING"}}
    runs.do("flow_run.set_state", pending, partitionkey="k", sequence="2")
    _, reason = told(word("explain", ident, "--json"))["reasons"]
    assert (reason["code"], reason["missing"], reason["missing_attempts"]) == ("command_parked", 1, 1)


def test_a_task_run_that_waits_for_its_tag_is_explained(runs: Runs, word: Word) -> None:
    runs.do("concurrency_limit.upsert", {"name": "tag:db", "limit": 1})
    ident = runs.create("orders", "PENDING", "RUNNING")
    first = runs.task(ident, "PENDING", "RUNNING", tags=["db"])
    second = runs.task(ident, "PENDING", "RUNNING", tags=["db"], dynamic_key="1")
    found = told(word("explain", second, "--json"))
    assert [reason["code"] for reason in found["reasons"]] == ["pending", "limit_full"]
    assert [each["id"] for each in found["reasons"][1]["holders"]] == [first]


def test_a_command_that_was_deferred_is_named_and_so_is_the_one_that_waits_behind_it(
    runs: Runs, word: Word
) -> None:
    runs.do("concurrency_limit.upsert", {"name": "tag:db", "limit": 1})
    ident = runs.create("orders", "PENDING", "RUNNING")
    runs.task(ident, "PENDING", "RUNNING", tags=["db"])
    second = runs.task(ident, "PENDING", tags=["db"], dynamic_key="1")
    running = {"task_run_id": second, "state": {"type": "RUNNING"}, "on_wait": "defer"}
    ended = {"task_run_id": second, "state": {"type": "COMPLETED"}}
    assert runs.do("task_run.set_state", running, partitionkey="k", sequence="1") == {}
    assert runs.do("task_run.set_state", ended, partitionkey="k", sequence="2") == {}
    reasons = {each["code"]: each for each in told(word("explain", second, "--json"))["reasons"]}
    assert list(reasons) == ["pending", "limit_full", "command_parked", "command_deferred"]
    assert reasons["command_parked"]["sequence"] == 2
    assert "That one is tried again" in reasons["command_parked"]["text"]
    deferred = reasons["command_deferred"]
    assert (deferred["waits"], deferred["attempts"]) == (1, 0)
    assert "no slot of tag 'db' is free" in deferred["text"]


def test_a_run_whose_command_is_parked_does_not_exist_yet(runs: Runs, word: Word) -> None:
    ident = str(uuid7())
    runs.do("flow_run.create", {"id": ident, "flow_name": "orders"}, partitionkey="k", sequence="2")
    ended = word("explain", ident)
    assert ended.status == 0
    assert "There is no such run yet" in ended.out
    assert [reason["code"] for reason in told(word("explain", ident, "--json"))["reasons"]] == [
        "not_created",
        "command_parked",
    ]


def test_the_shortest_beginning_of_an_id_is_no_other_ones(runs: Runs) -> None:
    flow_runs = [runs.create() for _ in range(20)]
    task = runs.task(flow_runs[0])
    with transaction(runs.workshop.engine) as connection:
        ids = [row[0] for row in connection.exec_driver_sql("SELECT id FROM flow_run")]
        short = shortest(connection, ["flow_run", "task_run"], ids)
        assert len(set(short.values())) == 20
        for ident, beginning in short.items():
            assert beginning_with(connection, "flow_run", beginning, 3) == [ident]
            assert not task.startswith(beginning)


@pytest.mark.parametrize("given", ["", "019", "xyz", "0198-", "0198aaaa-b-c", "red-fox", "0" * 33])
def test_what_can_begin_no_id_is_none(given: str) -> None:
    assert bounds_of(given) is None
