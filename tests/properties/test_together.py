"""What commands of one batch do to each other, case by case: the same as if each had come alone."""

from typing import Any

import pytest

from store.transaction import Engine
from tests.properties.commands import NOW, SETTING, Command, at
from tests.properties.space import Space, left_in, story_of
from tests.properties.test_invariants import check_history

Case = tuple[list[Command], list[Command]]


def flow(number: int, to: str, **more: Any) -> Command:
    return "flow_run.set_state", {"flow_run_id": f"<flow run {number}>", "state": {"type": to}, **more}


def task(number: int, to: str, details: dict[str, Any] | None = None, **more: Any) -> Command:
    state = {"type": to, "state_details": details or {}, **more}
    return "task_run.set_state", {"task_run_id": f"<task run {number}>", "state": state}


DELETE_FLOW_RUN: Command = ("flow_run.delete", {"flow_run_id": "<flow run 0>"})
DELETE_TASK_RUN: Command = ("task_run.delete", {"task_run_id": "<task run 0>"})
AFTER = {"cache_key": "<ns>k"}
OLD = {"orchestration_parameters": {"api-version": "0.8.2"}}
RETRIES: Command = (
    "flow_run.update",
    {"flow_run_id": "<flow run 0>", "empirical_policy": {"retries": 1}},
)
# What goes before, and the batch that is looked at.
CASES: dict[str, Case] = {
    "the slots of a deleted flow run's task runs are free for the next command": (
        [flow(1, "RUNNING"), task(0, "RUNNING")],
        [DELETE_FLOW_RUN, task(2, "RUNNING")],
    ),
    "the slots of a deleted task run are free for the next command": (
        [flow(1, "RUNNING"), task(0, "RUNNING")],
        [DELETE_TASK_RUN, task(2, "RUNNING")],
    ),
    "a cached result goes with its task run": (
        [flow(1, "RUNNING"), task(0, "COMPLETED", AFTER, data=7)],
        [DELETE_TASK_RUN, task(2, "RUNNING", AFTER)],
    ),
    "a cached result goes with the flow run of its task run": (
        [flow(1, "RUNNING"), task(0, "COMPLETED", AFTER, data=7)],
        [DELETE_FLOW_RUN, task(2, "RUNNING", AFTER)],
    ),
    "a result is cached for the next command": (
        [],
        [task(0, "COMPLETED", AFTER, data=7), task(1, "RUNNING", AFTER)],
    ),
    "an older cached result does not come back": (
        [task(0, "COMPLETED", AFTER, data=7), task(1, "COMPLETED", AFTER, data=8)],
        [("task_run.delete", {"task_run_id": "<task run 1>"}), task(0, "FAILED"), task(2, "RUNNING", AFTER)],
    ),
    "an old client's flow run tries again the task runs that failed in the same batch": (
        [RETRIES],
        [task(0, "RUNNING"), task(0, "FAILED"), flow(0, "FAILED", **OLD)],
    ),
    "an old client's flow run leaves alone the task runs that run again in the same batch": (
        [RETRIES, task(0, "FAILED"), task(1, "FAILED")],
        [task(0, "RUNNING"), flow(0, "FAILED", **OLD)],
    ),
    "a subflow loses its parent with the parent's flow run": (
        [flow(2, "RUNNING")],
        [DELETE_FLOW_RUN, flow(2, "COMPLETED")],
    ),
    "a run of a deleted deployment has no limit any more": (
        # It has run, so that it is not among the planned runs, which go with the deployment.
        [flow(1, "RUNNING"), flow(1, "SCHEDULED")],
        [("deployment.delete", {"deployment_id": "<deployment 0>"}), flow(1, "PENDING")],
    ),
    "times that are taken stay taken": (
        [task(0, "PENDING", timestamp=at(2)[0])],
        [task(0, "RUNNING", timestamp=at(2)[0]), task(0, "FAILED", timestamp=at(2)[0])],
    ),
}


@pytest.mark.parametrize(("before", "batch"), CASES.values(), ids=CASES)
def test_commands_of_one_batch_see_what_those_before_them_did(
    engine: Engine, before: list[Command], batch: list[Command]
) -> None:
    stories = []
    for batches in ([batch], [[command] for command in batch]):
        space = Space(engine)
        for each in (list(SETTING), *([command] for command in before), *batches):
            space.apply(each)
        assert {result["status"] for result in space.results} <= {"OK", "ACCEPT", "REJECT", "WAIT", "ABORT"}
        stories.append(story_of(space))
    assert stories[0] == stories[1]


def over_and_not(engine: Engine) -> tuple[Space, str]:
    """A limit of 2 of which a lease that is over had both slots, and another lease has them now."""
    space = Space(engine)
    both = {"names": ["<ns>global"], "slots": 2}
    space.apply([*SETTING, ("concurrency_limit.acquire", {**both, "lease_seconds": 1})])
    space.time = NOW.replace(hour=13)
    over = space.results[-1]["lease"]["lease_id"]
    space.apply([("concurrency_limit.acquire", both)])
    assert space.results[-1]["status"] == "OK"
    return space, over


ONE: Command = ("concurrency_limit.acquire", {"names": ["<ns>global"], "slots": 1})


def test_a_lease_that_is_over_has_nothing_to_give_back(engine: Engine) -> None:
    space, over = over_and_not(engine)
    space.apply([("concurrency_limit.release", {"lease_id": over}), ONE])
    released, acquired = space.results[-2:]
    assert released["released"] is False
    assert acquired["status"] == "WAIT"


def test_slots_are_given_back_by_name_from_the_leases_that_are_not_over(engine: Engine) -> None:
    space, _ = over_and_not(engine)
    space.apply([("concurrency_limit.release", {"names": ["<ns>global"], "slots": 1}), ONE, ONE])
    assert [result["status"] for result in space.results[-3:]] == ["OK", "OK", "WAIT"]


def told_in_full(engine: Engine, *commands: Command) -> Space:
    """Each event of these commands has the version after the one before."""
    space = Space(engine)
    space.apply([*SETTING, *commands])
    check_history(space, left_in(space))
    return space


def test_a_rejection_that_leaves_a_trace_in_the_run_is_told_with_its_version(engine: Engine) -> None:
    space = told_in_full(engine, flow(0, "PAUSED"), flow(0, "PENDING"), flow(0, "RUNNING"))
    assert [result["status"] for result in space.results[-3:]] == ["ACCEPT", "REJECT", "ACCEPT"]
    assert space.results[-2]["run"]["version"] == space.results[-3]["run"]["version"] + 1


def test_task_runs_that_an_old_clients_flow_run_tries_again_are_told_with_each_version(
    engine: Engine,
) -> None:
    told_in_full(engine, RETRIES, task(0, "RUNNING"), task(0, "FAILED"), flow(0, "FAILED", **OLD))
