"""Trying again after a failure."""

from datetime import datetime, timedelta

from messages.evolve import revised
from messages.states import State, StateType
from workers.orchestration.decision import RetryTaskRuns
from workers.orchestration.delays import flow_retry_delay, retries_allowed, task_retry_delay
from workers.orchestration.policy import only, rule
from workers.orchestration.state_names import AWAITING_RETRY
from workers.orchestration.transition import FlowTransition, TaskTransition
from workers.orchestration.verdicts import Reject
from workers.orchestration.versions import KNOWS_RESUMING, SENDS_FAILED_TASK_RUNS_AGAIN, older_than


@rule(only(StateType.RUNNING), only(StateType.FAILED))
def a_failed_flow_run_is_tried_again(t: FlowTransition, proposed: State) -> Reject | None:
    """As often as its policy allows; the new attempt comes by its pauses again, so they are forgotten."""
    retries = retries_allowed(t.draft.empirical_policy)
    if retries is None or t.draft.run_count > retries:
        return None
    scheduled_time = t.now + timedelta(seconds=flow_retry_delay(t.draft.empirical_policy))
    if older_than(t, SENDS_FAILED_TASK_RUNS_AGAIN):
        _try_failed_task_runs_again(t, scheduled_time=scheduled_time)
    if not older_than(t, KNOWS_RESUMING):
        t.draft.empirical_policy = revised(t.draft.empirical_policy, resuming=False, pause_keys=frozenset())
    state = t.new_scheduled_state(
        AWAITING_RETRY, scheduled_time, message=proposed.message, data=proposed.data
    )
    return Reject("the run will be tried again", state)


def _try_failed_task_runs_again(t: FlowTransition, *, scheduled_time: datetime) -> None:
    """Clients of that time skip task runs that have failed, also in a new attempt."""
    failed = t.facts.failed_task_runs
    if failed:
        states = tuple(t.new_scheduled_state(AWAITING_RETRY, scheduled_time) for _ in failed)
        t.effects.append(RetryTaskRuns(failed, scheduled_time, states))


@rule(only(StateType.RUNNING), only(StateType.FAILED))
def a_failed_task_run_is_tried_again(t: TaskTransition, proposed: State) -> Reject | None:
    """As often as its policy allows, unless the client knows that it would be in vain."""
    policy = t.run.empirical_policy
    retries = retries_allowed(policy)
    if proposed.state_details.retriable is False or retries is None or t.draft.run_count > retries:
        return None
    delay = task_retry_delay(policy, t.draft.run_count, t.facts.draw)
    state = t.new_scheduled_state(
        AWAITING_RETRY, t.now + timedelta(seconds=delay), message=proposed.message, data=proposed.data
    )
    return Reject("the run will be tried again", state)
