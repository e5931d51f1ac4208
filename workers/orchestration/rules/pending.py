"""Becoming PENDING."""

from messages.states import State, StateType
from workers.orchestration.policy import only, rule
from workers.orchestration.transition import Transition
from workers.orchestration.verdicts import Abort


@rule(
    only(StateType.PENDING, StateType.CANCELLING, StateType.RUNNING, StateType.CANCELLED),
    only(StateType.PENDING),
)
def a_run_is_taken_up_by_one_process_only(t: Transition, _proposed: State) -> Abort:
    """PENDING says: I take it. Of two processes that say so, the second must let go."""
    return Abort(f"the run is {t.initial_type}: it has been taken up already, or is not to be")
