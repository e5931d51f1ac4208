"""Results that are kept under a key, to be used instead of running again."""

from messages.states import State, StateType
from workers.orchestration.decision import CacheState
from workers.orchestration.policy import EVERY_TYPE, only, rule
from workers.orchestration.state_names import CACHED
from workers.orchestration.transition import TaskTransition
from workers.orchestration.verdicts import Reject


def _keep_under_its_key(t: TaskTransition) -> None:
    details = t.proposed.state_details if t.proposed else None
    if t.proposed and details and details.cache_key:
        t.effects.append(CacheState(details.cache_key, details.cache_expiration, t.proposed.id))


@rule(EVERY_TYPE, only(StateType.RUNNING))
def a_cached_result_is_used_again(t: TaskTransition, proposed: State) -> Reject | None:
    """Unless the client wants a new one."""
    details = proposed.state_details
    if not details.cache_key or details.refresh_cache or t.facts.cached is None:
        return None
    return Reject("there is a cached result", t.fresh_copy(t.facts.cached, name=CACHED))


@rule(EVERY_TYPE, only(StateType.COMPLETED), after=_keep_under_its_key)
def a_completed_state_is_cached(_t: TaskTransition, _proposed: State) -> None:
    """Only a state that was written as it was proposed; what came from the cache is not put there again."""
