"""Names that tell attempts apart."""

from messages.states import State, StateType
from workers.orchestration.policy import EVERY_TYPE, only, rule
from workers.orchestration.state_names import AWAITING_RETRY, RERUNNING, RETRYING
from workers.orchestration.transition import TaskTransition
from workers.orchestration.verdicts import Amend


@rule(EVERY_TYPE, only(StateType.RUNNING))
def another_attempt_is_named_so(t: TaskTransition, _proposed: State) -> Amend | None:
    """Retrying if the rules wanted it, Rerunning if somebody else did."""
    if t.draft.run_count == 0:
        return None
    wanted_by_the_rules = t.initial is not None and t.initial.name == AWAITING_RETRY
    return Amend(name=RETRYING if wanted_by_the_rules else RERUNNING)
