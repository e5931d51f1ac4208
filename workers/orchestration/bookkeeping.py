"""What is recorded of every state that is written, under any policy, forced or not: times, counts, ids.

The order of the records matters: a state's timestamp is settled before anything is taken from it.
"""

from datetime import UTC, datetime, timedelta

from messages.errors import ErrorCode
from messages.evolve import evolve, revised
from messages.states import State, StateType
from workers.orchestration.decision import Failed, SetParentState
from workers.orchestration.policy import Bookkeeping
from workers.orchestration.results import split_result
from workers.orchestration.transition import FlowTransition, TaskTransition, Transition
from workers.orchestration.versions import KNOWS_RESUMING, older_than

MICROSECOND = timedelta(microseconds=1)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def states_of_a_run_differ_in_time(t: Transition, proposed: State) -> None:
    """A run's history is ordered by time, so no two of its states may have the same."""
    timestamp, step = proposed.timestamp, MICROSECOND
    taken = t.facts.taken_timestamps
    previous = t.initial.timestamp if t.initial else None
    while timestamp in taken or timestamp == previous:
        step = -MICROSECOND if timestamp == END_OF_TIME else step
        timestamp += step
    if timestamp is not proposed.timestamp:
        t.proposed = evolve(proposed, timestamp=timestamp)


def start_time_is_set_once(t: Transition, proposed: State) -> None:
    """A run starts when it first runs; later attempts do not move that."""
    if proposed.type is StateType.RUNNING and t.draft.start_time is None:
        t.draft.start_time = proposed.timestamp


def end_time_follows_the_end(t: Transition, proposed: State) -> None:
    """A run that never started has no end; one that starts again has none any more."""
    if not proposed.is_terminal:
        if t.initial is not None and t.initial.is_terminal:
            t.draft.end_time = None
    elif t.draft.start_time is not None and t.draft.end_time is None:
        t.draft.end_time = proposed.timestamp


def running_time_adds_up(t: Transition, proposed: State) -> None:
    """Only time spent in RUNNING counts."""
    if t.initial is not None and t.initial.type is StateType.RUNNING:
        t.draft.total_run_time += (proposed.timestamp - t.initial.timestamp).total_seconds()


def expected_start_is_set_once(t: Transition, proposed: State) -> None:
    """When a run was first meant to start; how late it is, is measured against that."""
    if t.draft.expected_start_time is None:
        scheduled = proposed.type is StateType.SCHEDULED
        planned = proposed.state_details.scheduled_time if scheduled else None
        t.draft.expected_start_time = planned or proposed.timestamp


def next_start_is_that_of_the_schedule(t: Transition, proposed: State) -> None:
    """Only a run that is SCHEDULED has a next start."""
    if proposed.type is StateType.SCHEDULED:
        t.draft.next_scheduled_start_time = proposed.state_details.scheduled_time
    elif t.initial is not None and t.initial.type is StateType.SCHEDULED:
        t.draft.next_scheduled_start_time = None


def a_flow_runs_state_names_its_run(t: FlowTransition, proposed: State) -> None:
    """Whatever ids the client put there."""
    ids = {"flow_run_id": t.run.id}
    if t.run.parent_task_run_id is not None:
        ids["task_run_id"] = t.run.parent_task_run_id
    t.proposed = evolve(proposed, state_details=revised(proposed.state_details, **ids))


def a_task_runs_state_names_its_runs(t: TaskTransition, proposed: State) -> None:
    """Whatever ids the client put there."""
    ids = {"flow_run_id": t.run.flow_run_id, "task_run_id": t.run.id}
    t.proposed = evolve(proposed, state_details=revised(proposed.state_details, **ids))


def each_attempt_of_a_flow_run_counts(t: FlowTransition, proposed: State) -> None:
    """To go on after a pause is no new attempt; older clients do not tell the two apart."""
    if proposed.type is not StateType.RUNNING:
        return
    if not t.draft.empirical_policy.resuming or older_than(t, KNOWS_RESUMING):
        t.draft.run_count += 1


def a_run_that_goes_on_is_no_longer_resuming(t: FlowTransition, proposed: State) -> None:
    """Once it runs, or ends."""
    policy = t.draft.empirical_policy
    if not policy.resuming or older_than(t, KNOWS_RESUMING):
        return
    if proposed.type is StateType.RUNNING or proposed.is_terminal:
        t.draft.empirical_policy = revised(policy, resuming=False)


def each_attempt_of_a_task_run_counts(t: TaskTransition, proposed: State) -> None:
    """Every time it begins to run."""
    if proposed.type is StateType.RUNNING:
        t.draft.run_count += 1


def the_parents_task_run_follows(t: FlowTransition, written: State) -> Failed | None:
    """In its parent, a subflow is a task run in the same state."""
    task_run_id = t.run.parent_task_run_id
    if task_run_id is None:
        return None
    if not t.facts.parent_exists:
        return Failed(ErrorCode.NOT_FOUND, f"there is no task run {task_run_id}, the parent of this flow run")
    details = revised(written.state_details, child_flow_run_id=t.run.id)
    echoed, _ = split_result(written.data)
    t.effects.append(SetParentState(task_run_id, t.fresh_copy(written, data=echoed, state_details=details)))
    return None


TIMES = (
    start_time_is_set_once,
    end_time_follows_the_end,
    running_time_adds_up,
    expected_start_is_set_once,
    next_start_is_that_of_the_schedule,
)

OF_FLOW_RUNS: Bookkeeping[FlowTransition] = Bookkeeping(
    before=(
        states_of_a_run_differ_in_time,
        *TIMES,
        a_flow_runs_state_names_its_run,
        each_attempt_of_a_flow_run_counts,
        a_run_that_goes_on_is_no_longer_resuming,
    ),
    after=(the_parents_task_run_follows,),
)

OF_TASK_RUNS: Bookkeeping[TaskTransition] = Bookkeeping(
    before=(
        states_of_a_run_differ_in_time,
        *TIMES,
        a_task_runs_state_names_its_runs,
        each_attempt_of_a_task_run_counts,
    ),
)
