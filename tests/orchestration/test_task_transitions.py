"""Task runs: cached results, retries, names of attempts, stopped flows, background tasks."""

from dataclasses import replace

import pytest

from messages.errors import ErrorCode
from messages.states import StateType
from tests.orchestration.builders import (
    CANCELLED,
    CANCELLING,
    COMPLETED,
    CRASHED,
    FAILED,
    FORCE,
    NO_ORDERS,
    NOW,
    PAUSED,
    PENDING,
    RESULT,
    RUNNING,
    SCHEDULED,
    Outcome,
    a_flow_run,
    a_limit,
    a_state,
    a_task_run,
    after,
    an_id,
    in_running_flow,
    set_task,
)
from workers.orchestration.decide import decide_task_run
from workers.orchestration.decision import AnnounceScheduled, CacheState, Failed, ReleaseSlots
from workers.orchestration.facts import Orders, TaskFacts
from workers.orchestration.policies import BACKGROUND_TASK

# --- cached results


def test_a_completed_state_is_cached_under_its_key() -> None:
    state = a_state(COMPLETED, NOW, cache_key="k", cache_expiration=after(60))
    assert set_task(a_task_run(RUNNING), state).effects == (CacheState("k", after(60), state.id),)


@pytest.mark.parametrize(("to", "key"), [(COMPLETED, None), (FAILED, "k")])
def test_only_completed_states_with_a_key_are_cached(to: StateType, key: str | None) -> None:
    assert set_task(a_task_run(RUNNING), a_state(to, NOW, cache_key=key)).effects == ()


def test_a_cached_result_is_used_again() -> None:
    cached = a_state(COMPLETED, message="m", data=RESULT, cache_key="k", flow_run_id=an_id())
    run = a_task_run(PENDING, flow_run_id=an_id())
    facts = TaskFacts(cached=cached, tag_limits=(a_limit(0),))
    outcome = set_task(run, a_state(RUNNING, NOW, cache_key="k"), facts=facts)
    assert outcome.verdict == "REJECT Cached"
    state = outcome.run.state
    assert (state.type, state.message, state.data, state.timestamp) == (COMPLETED, "m", RESULT, NOW)
    assert state.id != cached.id
    assert (state.state_details.cache_key, state.state_details.task_run_id) == ("k", run.id)
    assert state.state_details.flow_run_id == run.flow_run_id
    assert (outcome.run.start_time, outcome.run.end_time, outcome.effects) == (None, None, ())


@pytest.mark.parametrize("details", [{}, {"cache_key": ""}, {"cache_key": "k", "refresh_cache": True}])
def test_a_cached_result_is_used_only_by_who_wants_it(details: dict[str, str]) -> None:
    facts = TaskFacts(cached=a_state(COMPLETED))
    assert set_task(a_task_run(PENDING), a_state(RUNNING, NOW, **details), facts=facts).verdict == (
        "ACCEPT Running"
    )


def test_without_a_cached_result_the_task_runs() -> None:
    assert set_task(a_task_run(PENDING), a_state(RUNNING, NOW, cache_key="k")).verdict == "ACCEPT Running"


# --- retries


@pytest.mark.parametrize(("run_count", "delay"), [(1, 2), (2, 3), (3, 5), (4, 5)])
def test_a_failed_task_is_tried_again_after_the_delay_of_its_attempt(run_count: int, delay: int) -> None:
    run = a_task_run(RUNNING, retries=4, retry_delay=[2, 3, 5], run_count=run_count)
    outcome = set_task(run, a_state(FAILED, NOW, message="m", data=RESULT))
    assert outcome.verdict == "REJECT AwaitingRetry"
    assert outcome.run.next_scheduled_start_time == after(delay)
    assert (outcome.run.state.message, outcome.run.state.data) == ("m", RESULT)
    assert outcome.run.run_count == run_count


@pytest.mark.parametrize("fields", [{"retries": 4, "run_count": 5}, {"retries": 0, "run_count": 1}, {}])
def test_a_task_without_retries_left_has_failed(fields: dict[str, int]) -> None:
    assert set_task(a_task_run(RUNNING, **fields), FAILED).verdict == "ACCEPT Failed"


@pytest.mark.parametrize(("retriable", "again"), [(False, False), (True, True), (None, True)])
def test_only_a_plain_no_keeps_a_task_from_being_tried_again(retriable: bool | None, again: bool) -> None:
    run = a_task_run(RUNNING, retries=1, run_count=1)
    outcome = set_task(run, a_state(FAILED, NOW, retriable=retriable))
    assert outcome.verdict == ("REJECT AwaitingRetry" if again else "ACCEPT Failed")


def test_the_dice_are_the_callers() -> None:
    run = a_task_run(RUNNING, retries=1, run_count=1, retry_delay=10, retry_jitter_factor=0.5)
    times = [set_task(run, FAILED, facts=TaskFacts(draw=draw)).run.state.state_details.scheduled_time
             for draw in (0.0, 0.0, 0.9)]  # fmt: skip
    assert NOW < times[0] == times[1] < times[2] <= after(15)


# --- names of attempts


@pytest.mark.parametrize(
    ("start", "run_count", "name"),
    [
        (a_state(PENDING), 0, "Running"),
        (a_state(PENDING), 1, "Rerunning"),
        (a_state(SCHEDULED, name="AwaitingRetry"), 1, "Retrying"),
        (a_state(SCHEDULED, name="AwaitingRetry"), 0, "Running"),
        (None, 1, "Rerunning"),
    ],
)
def test_attempts_are_told_apart_by_name(start: None, run_count: int, name: str) -> None:
    assert set_task(a_task_run(start, run_count=run_count), RUNNING).run.state_name == name


def in_attempt(attempt: int, facts: TaskFacts) -> Outcome:
    run = a_task_run(FAILED, run_count=3, flow_run_run_count=attempt, flow_run_id=an_id())
    return set_task(run, RUNNING, facts=facts)


def test_in_a_later_attempt_of_its_flow_run_a_task_is_retried() -> None:
    outcome = in_attempt(1, in_running_flow(run_count=2))
    assert outcome.verdict == "ACCEPT Retrying"
    assert (outcome.run.run_count, outcome.run.flow_run_run_count) == (1, 2)


def test_in_the_same_attempt_of_its_flow_run_a_task_simply_runs_from_scratch() -> None:
    outcome = in_attempt(2, in_running_flow(run_count=2))
    assert outcome.verdict == "ACCEPT Running"
    assert (outcome.run.run_count, outcome.run.flow_run_run_count) == (1, 2)


def test_a_task_that_does_not_start_after_all_keeps_its_counts() -> None:
    paused = TaskFacts(flow_run=a_flow_run(PAUSED, run_count=2))
    full = replace(in_running_flow(run_count=2), tag_limits=(a_limit(1, taken=1),))
    for facts, verdict in ((paused, "REJECT NotReady"), (full, "WAIT")):
        outcome = in_attempt(1, facts)
        assert outcome.verdict == verdict
        assert (outcome.run.run_count, outcome.run.flow_run_run_count) == (3, 1)


def test_a_task_whose_flow_run_has_vanished_fails_as_a_command() -> None:
    run = a_task_run(PENDING, flow_run_id=an_id())
    answer = decide_task_run(run, a_state(RUNNING), TaskFacts(), NO_ORDERS, now=NOW, new_id=an_id)
    assert isinstance(answer, Failed)
    assert answer.code is ErrorCode.NOT_FOUND


# --- stopped flows


@pytest.mark.parametrize("reschedule", [False, True])
def test_a_task_of_a_paused_flow_pauses_for_as_long(reschedule: bool) -> None:
    state = a_state(PAUSED, pause_timeout=after(60), pause_reschedule=reschedule, pause_key="k")
    facts = TaskFacts(flow_run=a_flow_run(state))
    first = set_task(a_task_run(PENDING), RUNNING, facts=facts)
    assert first.verdict == "REJECT NotReady"
    details = first.run.state.state_details
    assert (details.pause_timeout, details.pause_reschedule) == (after(60), reschedule)
    assert details.pause_key is None
    again = set_task(first.run, RUNNING, facts=facts, at=after(1))
    assert again.verdict == "REJECT NotReady"
    assert again.run.state_id != first.run.state_id


@pytest.mark.parametrize(
    "state", [None, SCHEDULED, PENDING, CANCELLING, COMPLETED, FAILED, CRASHED, CANCELLED]
)
def test_no_task_starts_in_a_flow_that_does_not_run(state: StateType | None) -> None:
    outcome = set_task(a_task_run(PENDING), RUNNING, facts=TaskFacts(flow_run=a_flow_run(state)))
    assert outcome.verdict == "ABORT"
    assert outcome.changed_nothing()


# --- results


@pytest.mark.parametrize("data", [RESULT, "text", [1]])
@pytest.mark.parametrize("to", [SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED])
def test_a_kept_result_is_final(to: StateType, data: object) -> None:
    assert set_task(a_task_run(a_state(COMPLETED, data=data)), to).verdict == "REJECT"


@pytest.mark.parametrize("to", [CRASHED, PAUSED, CANCELLING])
def test_what_has_ended_cannot_be_stopped(to: StateType) -> None:
    assert set_task(a_task_run(a_state(COMPLETED, data=RESULT)), to).verdict == "ABORT"


# --- times, as for flow runs


def test_a_task_waits_for_its_time() -> None:
    run = a_task_run(a_state(SCHEDULED, scheduled_time=after(300)))
    assert set_task(run, RUNNING).decision.delay_seconds == 300
    pending = set_task(run, PENDING).run
    assert set_task(pending, RUNNING).decision.delay_seconds == 300


# --- background tasks


@pytest.mark.parametrize("start", [SCHEDULED, PENDING])
def test_a_background_task_keeps_its_parameters(start: StateType) -> None:
    number = an_id()
    run = a_task_run(a_state(start, task_parameters_id=number))
    kept = set_task(run, a_state(RUNNING, NOW, deferred=True)).run
    assert kept.state.state_details.task_parameters_id == number
    own = an_id()
    brought = set_task(run, a_state(RUNNING, NOW, deferred=True, task_parameters_id=own)).run
    assert brought.state.state_details.task_parameters_id == own


def test_a_scheduled_background_task_is_announced() -> None:
    outcome = set_task(a_task_run(), a_state(SCHEDULED, NOW, deferred=True))
    assert outcome.effects == (AnnounceScheduled(),)
    assert set_task(a_task_run(), SCHEDULED).effects == ()


def test_a_background_task_that_will_be_tried_again_is_not_announced() -> None:
    run = a_task_run(RUNNING, retries=1, run_count=1)
    assert set_task(run, a_state(FAILED, NOW, deferred=True)).effects == ()


def test_a_state_that_is_not_deferred_is_announced_under_no_policy() -> None:
    assert set_task(a_task_run(RUNNING), SCHEDULED, Orders(policy=BACKGROUND_TASK)).effects == ()


def test_background_tasks_take_no_slots_but_give_them_back() -> None:
    held = a_limit(1, taken=1, held=True)
    deferred = a_state(RUNNING, NOW, deferred=True)
    assert set_task(a_task_run(PENDING), deferred, facts=TaskFacts(tag_limits=(a_limit(0),))).effects == ()
    ended = a_state(COMPLETED, NOW, deferred=True)
    outcome = set_task(a_task_run(RUNNING), ended, facts=TaskFacts(tag_limits=(held,)))
    assert outcome.effects == (ReleaseSlots((held.id,)),)


# --- policies


def test_policies_are_chosen_by_name() -> None:
    run = a_task_run(a_state(COMPLETED, data=RESULT))
    assert set_task(run, RUNNING, Orders(policy="core")).verdict == "REJECT"
    assert set_task(run, RUNNING, Orders(policy="minimal")).verdict == "ACCEPT Running"
    assert set_task(run, RUNNING, FORCE).verdict == "ACCEPT Running"
    unknown = Orders(policy="late")
    answer = decide_task_run(run, a_state(RUNNING), TaskFacts(), unknown, now=NOW, new_id=an_id)
    assert isinstance(answer, Failed)
    assert answer.code is ErrorCode.INVALID_MESSAGE
