"""Leaving a terminal state."""

from messages.evolve import revised
from messages.states import State, StateType
from workers.orchestration.policy import EVERY_TYPE, TERMINAL_TYPES, rule
from workers.orchestration.results import has_result_to_lose
from workers.orchestration.state_names import RETRYING
from workers.orchestration.transition import FlowTransition, TaskTransition
from workers.orchestration.verdicts import Abort, Amend, Reject
from workers.orchestration.versions import KNOWS_RESUMING, older_than

OUT_OF_REACH = frozenset({StateType.CANCELLING, StateType.PAUSED, StateType.CRASHED})


def _policy_as_before(t: FlowTransition) -> None:
    t.draft.empirical_policy = t.run.empirical_policy


def _run_count_as_before(t: TaskTransition) -> None:
    t.draft.run_count = t.run.run_count


@rule(TERMINAL_TYPES, EVERY_TYPE, cleanup=_policy_as_before)
def an_ended_flow_run_starts_again_only_from_scratch(
    t: FlowTransition, proposed: State
) -> Abort | Reject | None:
    """What has ended cannot be stopped; a kept result is not lost; a new start forgets old pauses."""
    if proposed.type in OUT_OF_REACH:
        return Abort(f"a run that has ended cannot become {proposed.type}")
    if proposed.is_terminal:
        return None
    if _holds_a_result(t):
        return Reject("the run has completed and its result is kept")
    if proposed.type is StateType.SCHEDULED and t.run.deployment_id is None:
        return Abort("only a run of a deployment can be scheduled again: nobody would start this one")
    if not older_than(t, KNOWS_RESUMING):
        t.draft.empirical_policy = revised(t.draft.empirical_policy, resuming=False, pause_keys=frozenset())
    return None


@rule(TERMINAL_TYPES, EVERY_TYPE, cleanup=_run_count_as_before)
def an_ended_task_run_starts_again_only_from_scratch(
    t: TaskTransition, proposed: State
) -> Abort | Reject | Amend | None:
    """What has ended cannot be stopped; a kept result is final; a new start counts its attempts from 0."""
    if proposed.type in OUT_OF_REACH:
        return Abort(f"a run that has ended cannot become {proposed.type}")
    if _holds_a_result(t):
        return Reject("the run has completed and its result is kept")
    if proposed.is_terminal:
        return None
    t.draft.run_count = 0
    if proposed.type is StateType.RUNNING and _belongs_to_an_earlier_attempt(t):
        return Amend(name=RETRYING)
    return None


def _holds_a_result(t: FlowTransition | TaskTransition) -> bool:
    initial = t.initial
    return initial is not None and initial.type is StateType.COMPLETED and has_result_to_lose(initial.data)


def _belongs_to_an_earlier_attempt(t: TaskTransition) -> bool:
    flow_run = t.facts.flow_run
    return flow_run is not None and t.draft.flow_run_run_count < flow_run.run_count
