"""Being cancelled: only forward, and at once where nothing runs that would have to be stopped."""

from messages.states import State, StateType
from workers.orchestration.policy import all_except, only, rule
from workers.orchestration.state_names import RESUMING
from workers.orchestration.transition import FlowTransition
from workers.orchestration.verdicts import Reject


@rule(only(StateType.CANCELLING, StateType.CANCELLED), all_except(StateType.CANCELLED))
def only_cancelled_follows_cancelling(t: FlowTransition, _proposed: State) -> Reject | None:
    """Whoever asked for the cancelling may rely on it."""
    return Reject(f"the run is {t.initial_type}, and only CANCELLED can follow that")


@rule(only(StateType.SCHEDULED, StateType.PAUSED), only(StateType.CANCELLING))
def a_run_that_nobody_runs_is_cancelled_at_once(t: FlowTransition, _proposed: State) -> Reject | None:
    """CANCELLING asks a process to stop. Where there is none, nobody would ever report CANCELLED."""
    if t.initial is not None and _nobody_runs(t, t.initial):
        return Reject("no process runs it: it is cancelled at once", t.new_state(StateType.CANCELLED))
    return None


def _nobody_runs(t: FlowTransition, initial: State) -> bool:
    if initial.type is StateType.SCHEDULED and not t.run.infrastructure_pid:
        return True
    if initial.name == RESUMING:
        return True
    return initial.type is StateType.PAUSED and initial.state_details.pause_reschedule
