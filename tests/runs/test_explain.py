"""Why a run waits: each reason by itself, and several at once. Pure."""

from datetime import timedelta
from typing import Any

import pytest

from messages.catalog import ConcurrencyLimit, Deployment, WorkPool, WorkQueue
from messages.evolve import evolve
from messages.ids import uuid7
from messages.runs import FlowRun, FlowRunPolicy, TaskRun
from messages.states import State, StateDetails, StateType
from store.limits import Slot
from store.reads.run_details import Held
from store.reads.waiting import Failing, ParkedCommand
from store.slots import Holder
from tests.reads.builders import NOON, at
from workers.runs.explain import Reason, explain
from workers.runs.facts import Facts
from workers.slots.overview import Use

NOW = at(600)
STAMPS: dict[str, Any] = {"created": NOON, "updated": NOON}


def flow_run(
    kind: StateType | None = None,
    name: str | None = None,
    details: dict[str, Any] | None = None,
    **values: Any,
) -> FlowRun:
    """A flow run, in a state since noon: ten minutes."""
    run = FlowRun(id=uuid7(), **STAMPS, name="red-fox", flow_id=uuid7(), **values)
    return run if kind is None else evolve(run, **in_state(kind, name, details))


def task_run(kind: StateType, name: str | None = None, **values: Any) -> TaskRun:
    run = TaskRun(id=uuid7(), **STAMPS, name="load", task_key="load", dynamic_key="0", **values)
    return evolve(run, **in_state(kind, name, None))


def in_state(kind: StateType, name: str | None, details: dict[str, Any] | None) -> dict[str, Any]:
    shown = name or kind.default_name
    state = State(
        id=uuid7(), type=kind, name=shown, timestamp=NOON, state_details=StateDetails(**(details or {}))
    )
    known = {"state_id": state.id, "state_type": kind, "state_name": shown, "state_timestamp": NOON}
    return {**known, "state": state}


def why(run: FlowRun | TaskRun | None, **facts: Any) -> list[Reason]:
    return explain(Facts(now=NOW, run_id=run.id if run else uuid7(), run=run, **facts))


def codes(run: FlowRun | TaskRun | None, **facts: Any) -> list[str]:
    return [reason.code for reason in why(run, **facts)]


def use(name: str = "tag:db", limit: int = 1, taken: int = 1, *, active: bool = True) -> Use:
    made = ConcurrencyLimit(id=uuid7(), **STAMPS, name=name, limit=limit, active=active, active_slots=taken)
    slot = Slot(
        id=uuid7(), limit_id=made.id, holder_kind="task_run", task_run_id=uuid7(), slots=1, acquired_at=NOON
    )
    holder = Holder(slot=slot, run_name="blue-hen", state_type="RUNNING", state_name="Running")
    return Use(made, taken, [holder] * taken)


def test_scheduled_for_later() -> None:
    [reason] = why(flow_run(StateType.SCHEDULED, details={"scheduled_time": at(4_200)}))
    assert reason.code == "scheduled_later"
    assert reason.text == ("It is scheduled for 2026-05-04 13:10:00Z (in 1 h 00 m); nobody starts it before.")
    assert reason.facts == {"until": at(4_200)}


def test_due_and_not_taken() -> None:
    [reason] = why(flow_run(StateType.SCHEDULED, details={"scheduled_time": at(590)}))
    assert (reason.code, "clock" in reason.text) == ("due", False)
    [reason] = why(flow_run(StateType.SCHEDULED, details={"scheduled_time": at(300)}))
    assert "The clock has not marked it as late" in reason.text
    assert codes(flow_run(StateType.SCHEDULED)) == ["not_taken"]


def test_late() -> None:
    [reason] = why(flow_run(StateType.SCHEDULED, "Late", {"scheduled_time": at(0)}))
    assert reason.code == "late"
    assert "It should have started 2026-05-04 12:00:00Z (10 m 00 s ago)." in reason.text


def test_waiting_for_another_attempt() -> None:
    policy = FlowRunPolicy(retries=2, retry_delay=900)
    run = flow_run(
        StateType.SCHEDULED,
        "AwaitingRetry",
        {"scheduled_time": at(900)},
        empirical_policy=policy,
        run_count=1,
    )
    [reason] = why(run)
    assert reason.text == "Attempt 1 of 3 failed. It is tried again 2026-05-04 12:15:00Z (in 5 m 00 s)."
    assert reason.facts == {"attempts": 1, "retries": 2, "until": at(900)}


def test_waiting_for_a_slot_that_is_named_with_its_holder() -> None:
    run = flow_run(
        StateType.SCHEDULED, "AwaitingConcurrencySlot", {"scheduled_time": at(630)}, deployment_id=uuid7()
    )
    deployment = Deployment(id=uuid7(), **STAMPS, name="nightly", flow_id=run.flow_id)
    full = use("deployment:x")
    waiting, limit = why(run, deployment=deployment, limits=[full])
    assert waiting.code == "awaiting_slot"
    assert "It may ask again 2026-05-04 12:10:30Z (in 30 s)." in waiting.text
    holder = full.holders[0].slot
    assert limit.text == (
        f"The slot of deployment:x is taken, held by task run {holder.task_run_id} (blue-hen, Running) "
        "for 10 m 00 s."
    )
    [told] = limit.facts["holders"]
    assert (told["id"], told["since"], told["run_name"]) == (holder.task_run_id, NOON, "blue-hen")


def test_a_limit_counts_only_for_who_has_no_slot_and_wants_one() -> None:
    full = use()
    assert codes(task_run(StateType.PENDING), limits=[full]) == ["pending", "limit_full"]
    held = [Held(limit_name="tag:db", slots=1, acquired_at=NOON)]
    assert codes(task_run(StateType.PENDING), limits=[full], held=held) == ["pending"]
    assert codes(task_run(StateType.RUNNING), limits=[full]) == ["running"]
    assert codes(task_run(StateType.PENDING), limits=[use(limit=2)]) == ["pending"]
    assert codes(task_run(StateType.PENDING), limits=[use(limit=0)]) == ["pending", "limit_is_zero"]
    off = use(taken=0, active=False)
    assert codes(task_run(StateType.PENDING), limits=[off]) == ["pending"]
    assert codes(flow_run(StateType.PENDING), limits=[off]) == ["pending", "limit_not_active"]


def test_of_many_holders_some_are_named() -> None:
    _, reason = why(task_run(StateType.PENDING), limits=[use(limit=7, taken=7)])
    assert reason.text.startswith("All 7 slots of tag:db are taken")
    assert reason.text.count("blue-hen") == 5
    assert reason.text.endswith("; 2 more.")
    assert len(reason.facts["holders"]) == 7


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"pause_key": "approve", "pause_timeout": at(900)}, "at 'approve' since 2026-05-04 12:00:00Z"),
        ({"pause_timeout": at(900)}, "at the latest 2026-05-04 12:15:00Z (in 5 m 00 s); then it fails."),
        ({}, "until somebody resumes it: it has no timeout."),
        ({"pause_timeout": at(1)}, "its time to be resumed was over"),
    ],
)
def test_paused(details: dict[str, Any], words: str) -> None:
    [reason] = why(flow_run(StateType.PAUSED, details=details))
    assert reason.code == "paused"
    assert words in reason.text


def test_a_task_run_waits_for_its_flow_run() -> None:
    paused = flow_run(StateType.PAUSED)
    assert codes(task_run(StateType.PAUSED, "NotReady"), above=paused) == [
        "flow_run_was_paused",
        "flow_run_does_not_run",
    ]
    assert codes(task_run(StateType.PENDING), above=flow_run(StateType.RUNNING)) == ["pending"]
    _, reason = why(task_run(StateType.PENDING), above=flow_run(StateType.COMPLETED))
    assert "is Completed: a task runs only in a flow run that runs" in reason.text


def test_what_surrounds_it_is_paused_full_or_gone() -> None:
    run = flow_run(StateType.SCHEDULED, deployment_id=uuid7())
    pool = WorkPool(id=uuid7(), **STAMPS, name="k8s", is_paused=True)
    queue = WorkQueue(
        id=uuid7(), **STAMPS, name="default", work_pool_id=pool.id, work_pool_name="k8s", concurrency_limit=3
    )
    assert codes(run, queue=queue, pool=pool, under_way_in_queue=3) == [
        "not_taken",
        "deployment_gone",
        "work_queue_full",
        "work_pool_paused",
    ]
    deployment = Deployment(id=uuid7(), **STAMPS, name="nightly", flow_id=run.flow_id, paused=True)
    calm = evolve(pool, is_paused=False)
    assert codes(run, queue=evolve(queue, is_paused=True), pool=calm, deployment=deployment) == [
        "not_taken",
        "deployment_paused",
        "work_queue_paused",
    ]
    running = evolve(run, **in_state(StateType.RUNNING, None, None))
    assert codes(running, queue=queue, pool=pool, under_way_in_queue=3) == ["running"]


def test_cancelled_without_end() -> None:
    long = why(flow_run(StateType.CANCELLING))[0]
    assert (long.code, long.facts["long"]) == ("cancelling", False)
    run = flow_run(StateType.CANCELLING)
    [reason] = explain(Facts(now=at(3_600), run_id=run.id, run=run))
    assert reason.facts["long"]
    assert "That is long" in reason.text


def test_running_and_ended_runs_do_not_wait() -> None:
    [running] = why(flow_run(StateType.RUNNING, run_count=2))
    assert running.text == "It does not wait: it has been running for 10 m 00 s, attempt 2."
    ended = flow_run(StateType.COMPLETED, end_time=at(60))
    held = [Held(limit_name="tag:db", slots=1, acquired_at=NOON)]
    first, slot = why(ended, held=held, limits=[use()])
    assert first.text == "It has ended, Completed, 2026-05-04 12:01:00Z (9 m 00 s ago)."
    assert slot.code == "holds_slot_after_its_end"


def test_a_subflow_run_whose_parent_has_ended() -> None:
    above = flow_run(StateType.CANCELLED)
    assert codes(flow_run(StateType.RUNNING), above=above) == ["running", "parent_ended"]


def failing(**values: Any) -> Failing:
    given = {"attempts": 3, "next_attempt_at": at(660), "last_error": "RuntimeError: no index", **values}
    return Failing(id=uuid7(), type="flow_run.set_state", source="billing", **given)


def parked(**values: Any) -> ParkedCommand:
    given = {"missing_attempts": None, "missing_next_attempt_at": None, **values}
    return ParkedCommand(
        id=uuid7(),
        type="flow_run.set_state",
        source="billing",
        partitionkey="k",
        sequence=5,
        parked=at(590),
        missing=3,
        oldest=at(580),
        **given,
    )


def test_a_command_on_it_that_fails() -> None:
    _, reason = why(flow_run(StateType.PENDING), failing=[failing()])
    assert reason.code == "command_failing"
    assert "has failed 3 times: RuntimeError: no index. It is tried again 2026-05-04 12:11:00Z" in reason.text
    assert reason.facts["attempts"] == 3
    _, replayed = why(flow_run(StateType.PENDING), failing=[failing(attempts=0)])
    assert "was replayed from the dead letters" in replayed.text
    apart = failing(attempts=0, last_error=None)
    assert "workers died" in why(flow_run(StateType.PENDING), failing=[apart])[1].text


def test_a_command_on_it_that_is_deferred() -> None:
    deferred = failing(attempts=0, last_error=None, waits=2, wait_reason="no slot is free")
    _, reason = why(flow_run(StateType.PENDING), failing=[deferred])
    assert reason.code == "command_deferred"
    assert "is deferred, and was told to wait 2 times: no slot is free. It is tried again" in reason.text


def test_a_command_on_it_that_is_parked() -> None:
    _, reason = why(flow_run(StateType.PENDING), parked=[parked()], gap_timeout=timedelta(seconds=60))
    assert reason.code == "command_parked"
    assert (
        "it is number 5, and number 3 of 'k' from billing comes first. That one has not come" in reason.text
    )
    assert reason.facts["gap_timeout_at"] == at(640)
    blocked = parked(missing_attempts=2, missing_next_attempt_at=at(610))
    _, reason = why(flow_run(StateType.PENDING), parked=[blocked])
    assert "That one is tried again 2026-05-04 12:10:10Z (in 10 s)" in reason.text


def test_several_reasons_at_once_in_their_order() -> None:
    run = flow_run(StateType.SCHEDULED, "Late", {"scheduled_time": NOON}, deployment_id=uuid7())
    found = codes(run, limits=[use()], parked=[parked()], failing=[failing(), failing()])
    assert found == [
        "late",
        "limit_full",
        "deployment_gone",
        "command_parked",
        "command_failing",
        "command_failing",
    ]


def test_a_run_that_does_not_exist_yet() -> None:
    assert codes(None) == []
    assert codes(None, parked=[parked()]) == ["not_created", "command_parked"]
    assert codes(flow_run()) == ["no_state"]
