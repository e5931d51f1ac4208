"""What is recorded of every state that is written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from messages.errors import ErrorCode
from messages.states import ProposedState, StateDetails, StateType
from tests.orchestration.builders import (
    CANCELLED,
    COMPLETED,
    CRASHED,
    EARLIER,
    FAILED,
    FORCE,
    NO_ORDERS,
    NOW,
    PAUSED,
    PENDING,
    RUNNING,
    SCHEDULED,
    a_flow_run,
    a_state,
    a_task_run,
    after,
    an_id,
    facts_of,
    set_flow,
    set_task,
)
from workers.orchestration.decide import decide_flow_run, propose
from workers.orchestration.decision import Failed, SetParentState
from workers.orchestration.facts import Orders

MICROSECOND = timedelta(microseconds=1)


def test_what_a_proposed_state_leaves_out_is_filled_in() -> None:
    number = an_id()
    state = propose(ProposedState(type=SCHEDULED), NOW, number)
    assert (state.id, state.name, state.timestamp) == (number, "Scheduled", NOW)
    assert state.state_details.scheduled_time == NOW
    assert propose(ProposedState(type=PENDING), NOW, number).state_details.scheduled_time is None


def test_what_a_proposed_state_says_stands() -> None:
    details = StateDetails(scheduled_time=after(60))
    said = ProposedState(
        type=SCHEDULED, name="", timestamp=EARLIER, message="m", data=1, state_details=details
    )
    state = propose(said, NOW, an_id())
    assert (state.name, state.timestamp, state.message, state.data) == ("", EARLIER, "m", 1)
    assert state.state_details.scheduled_time == after(60)


def test_a_run_starts_when_it_first_runs() -> None:
    first = set_flow(a_flow_run(PENDING), RUNNING).run
    assert (first.start_time, first.run_count) == (NOW, 1)
    again = set_flow(first, RUNNING, FORCE, at=after(5)).run
    assert (again.start_time, again.run_count) == (NOW, 2)


def test_a_run_that_starts_again_has_no_end_but_its_old_start() -> None:
    running = set_flow(a_flow_run(PENDING), RUNNING).run
    failed = set_flow(running, FAILED, at=after(5)).run
    assert failed.end_time == after(5)
    again = set_flow(failed, RUNNING, at=after(9)).run
    assert again.end_time is None
    assert (again.start_time, again.expected_start_time) == (NOW, running.expected_start_time)


def test_an_ended_run_that_ends_otherwise_keeps_its_end() -> None:
    failed = set_flow(set_flow(a_flow_run(PENDING), RUNNING).run, FAILED, at=after(5)).run
    assert set_flow(failed, COMPLETED, at=after(9)).run.end_time == after(5)


def test_a_run_that_never_started_has_no_end() -> None:
    run = set_flow(a_flow_run(SCHEDULED), COMPLETED).run
    assert (run.start_time, run.end_time) == (None, None)


def test_only_time_in_running_counts() -> None:
    running = set_flow(a_flow_run(PENDING), RUNNING).run
    paused = set_flow(running, PAUSED, at=after(5)).run
    resumed = set_flow(paused, RUNNING, at=after(60)).run
    assert paused.total_run_time == resumed.total_run_time == 5
    assert set_flow(resumed, COMPLETED, at=after(62)).run.total_run_time == 7


def test_the_expected_start_is_that_of_the_first_schedule() -> None:
    first = set_flow(a_flow_run(), a_state(SCHEDULED, NOW, scheduled_time=after(60))).run
    assert (first.expected_start_time, first.next_scheduled_start_time) == (after(60), after(60))
    later = set_flow(first, a_state(SCHEDULED, NOW + MICROSECOND, scheduled_time=after(90))).run
    assert (later.expected_start_time, later.next_scheduled_start_time) == (after(60), after(90))
    pending = set_flow(later, PENDING, at=after(91)).run
    assert (pending.expected_start_time, pending.next_scheduled_start_time) == (after(60), None)


def test_a_run_that_was_never_scheduled_was_expected_when_its_first_state_came() -> None:
    assert set_flow(a_flow_run(), PENDING).run.expected_start_time == NOW


def test_a_flow_runs_state_names_the_run_and_its_parent() -> None:
    liar = a_state(RUNNING, NOW, flow_run_id=an_id(), child_flow_run_id=an_id())
    run = a_flow_run(PENDING, parent_task_run_id=an_id())
    details = set_flow(run, liar).run.state.state_details
    assert (details.flow_run_id, details.task_run_id) == (run.id, run.parent_task_run_id)
    assert details.child_flow_run_id == liar.state_details.child_flow_run_id


def test_a_task_runs_state_names_the_run_and_its_flow_run() -> None:
    liar = a_state(PENDING, NOW, flow_run_id=an_id(), task_run_id=an_id())
    run = a_task_run(flow_run_id=an_id())
    details = set_task(run, liar).run.state.state_details
    assert (details.flow_run_id, details.task_run_id) == (run.flow_run_id, run.id)


def test_a_state_as_old_as_the_one_before_is_moved_on_by_a_microsecond() -> None:
    run = set_flow(a_flow_run(), a_state(PENDING, NOW)).run
    running = set_flow(run, a_state(RUNNING, NOW)).run
    assert running.state.timestamp == running.state_timestamp == running.start_time == NOW + MICROSECOND
    task = set_task(a_task_run(a_state(PENDING, NOW)), a_state(RUNNING, NOW)).run
    assert task.state_timestamp == NOW + MICROSECOND


def test_a_state_is_moved_on_past_all_that_are_known() -> None:
    run = a_flow_run(a_state(PENDING, NOW + 2 * MICROSECOND))
    facts = facts_of(run, taken_timestamps=frozenset({NOW, NOW + MICROSECOND}))
    assert set_flow(run, RUNNING, facts=facts).run.state_timestamp == NOW + 3 * MICROSECOND


def test_a_state_between_two_others_stays_where_it_is() -> None:
    run = a_flow_run(a_state(PENDING, after(5)))
    facts = facts_of(run, taken_timestamps=frozenset({after(-5), after(5)}))
    assert set_flow(run, RUNNING, facts=facts).run.state_timestamp == NOW


def test_at_the_end_of_time_states_are_moved_back() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    run = a_flow_run(a_state(PENDING, last))
    moved = set_flow(run, a_state(RUNNING, last)).run.state_timestamp
    assert moved == last - MICROSECOND


def test_a_state_that_the_rules_chose_is_moved_on_too() -> None:
    run = a_flow_run(a_state(SCHEDULED, NOW))
    outcome = set_flow(run, StateType.CANCELLING)
    assert (outcome.run.state_name, outcome.run.state_timestamp) == ("Cancelled", NOW + MICROSECOND)


@pytest.mark.parametrize("ending", [COMPLETED, FAILED, CRASHED, CANCELLED, RUNNING])
def test_a_run_that_goes_on_is_no_longer_resuming(ending: StateType) -> None:
    run = a_flow_run(RUNNING, resuming=True, run_count=1)
    after_it = set_flow(run, ending).run
    assert after_it.empirical_policy.resuming is False
    assert after_it.run_count == 1


def test_a_run_that_only_waits_is_still_resuming() -> None:
    assert set_flow(a_flow_run(SCHEDULED, resuming=True), PENDING).run.empirical_policy.resuming is True


def test_for_older_clients_every_running_is_an_attempt() -> None:
    run = a_flow_run(RUNNING, resuming=True, run_count=1)
    after_it = set_flow(run, RUNNING, Orders(api_version="0.8.3")).run
    assert (after_it.run_count, after_it.empirical_policy.resuming) == (2, True)


def test_in_its_parent_a_subflow_is_a_task_run_in_the_same_state() -> None:
    run = a_flow_run(RUNNING, parent_task_run_id=an_id())
    proposed = a_state(COMPLETED, NOW, message="m", data={"a": 1, "artifact_key": "k"})
    outcome = set_flow(run, proposed)
    (effect,) = outcome.effects
    assert isinstance(effect, SetParentState)
    assert effect.task_run_id == run.parent_task_run_id
    copy, written = effect.state, outcome.written
    assert written is not None
    assert copy.id != written.id
    assert (copy.timestamp, copy.message, copy.data) == (NOW, "m", {"a": 1})
    assert copy.state_details == written.state_details.model_copy(update={"child_flow_run_id": run.id})
    parent = set_task(a_task_run(RUNNING), copy, FORCE).run
    assert parent.state.state_details.child_flow_run_id == run.id


def test_a_subflow_that_keeps_its_state_does_not_touch_its_parent() -> None:
    run = a_flow_run(StateType.CANCELLING, parent_task_run_id=an_id())
    assert set_flow(run, RUNNING).effects == ()


def test_a_subflow_whose_parent_is_gone_fails() -> None:
    run = a_flow_run(PENDING, parent_task_run_id=an_id())
    facts = replace(facts_of(run), parent_exists=False)
    answer = decide_flow_run(run, a_state(RUNNING), facts, NO_ORDERS, now=NOW, new_id=an_id)
    assert isinstance(answer, Failed)
    assert answer.code is ErrorCode.NOT_FOUND
