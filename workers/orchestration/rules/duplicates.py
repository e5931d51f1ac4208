"""The same transition, sent twice."""

from messages.states import State
from workers.orchestration.policy import EVERY_TYPE, rule
from workers.orchestration.transition import Transition
from workers.orchestration.verdicts import Reject


@rule(EVERY_TYPE, EVERY_TYPE)
def a_transition_happens_once(t: Transition, proposed: State) -> Reject | None:
    """A client that got no answer asks again; the second time must not count as another attempt."""
    transition_id = proposed.state_details.transition_id
    if transition_id is None or t.initial is None:
        return None
    if t.initial.state_details.transition_id == transition_id:
        return Reject("this transition has already been made")
    return None
