"""Being late."""

from messages.states import State, StateType
from workers.orchestration.policy import EVERY_TYPE, only, rule
from workers.orchestration.state_names import LATE
from workers.orchestration.transition import FlowTransition
from workers.orchestration.verdicts import Abort, Reject


@rule(EVERY_TYPE, only(StateType.SCHEDULED))
def only_a_scheduled_run_can_be_late(t: FlowTransition, proposed: State) -> Reject | Abort | None:
    """Between finding a late run and marking it, somebody may have started it."""
    if proposed.name != LATE or t.initial_type is StateType.SCHEDULED:
        return None
    reason = "only a scheduled run can be late"
    return Abort(reason) if t.initial is None else Reject(reason)
