"""Task runs of a flow run that is not running."""

from messages.states import State, StateDetails, StateType
from workers.orchestration.policy import EVERY_TYPE, only, rule
from workers.orchestration.state_names import NOT_READY
from workers.orchestration.transition import TaskTransition
from workers.orchestration.verdicts import Abort, Reject


@rule(EVERY_TYPE, only(StateType.RUNNING))
def no_task_starts_in_a_stopped_flow(t: TaskTransition, _proposed: State) -> Abort | Reject | None:
    """It pauses with a paused flow, and for as long."""
    if t.facts.flow_run is None:
        return None
    state = t.facts.flow_run.state
    if state is None:
        return Abort("the flow run has no state yet")
    if state.type is StateType.PAUSED:
        return Reject("the flow run is paused", _paused_like(t, state))
    if state.type is not StateType.RUNNING:
        return Abort(f"the flow run is {state.type}, not RUNNING")
    return None


def _paused_like(t: TaskTransition, state: State) -> State:
    details = StateDetails(
        pause_timeout=state.state_details.pause_timeout,
        pause_reschedule=state.state_details.pause_reschedule,
    )
    return t.new_state(StateType.PAUSED, NOT_READY, details=details)
