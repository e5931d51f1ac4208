"""A deployment's limit on how many of its runs are under way, from PENDING until they end or rest."""

from datetime import timedelta

from messages.catalog import CollisionStrategy
from messages.states import State, StateType
from workers.orchestration.decision import ReleaseSlots, TakeSlots
from workers.orchestration.facts import LimitFacts
from workers.orchestration.policy import Transform, all_except, only, rule
from workers.orchestration.state_names import AWAITING_SLOT
from workers.orchestration.transition import FlowTransition
from workers.orchestration.verdicts import Abort, Reject

UNDER_WAY = frozenset({StateType.PENDING, StateType.RUNNING, StateType.CANCELLING})


def _leave_the_slot(t: FlowTransition) -> None:
    t.effects[:] = [effect for effect in t.effects if not isinstance(effect, TakeSlots)]


@rule(all_except(*UNDER_WAY), only(StateType.PENDING), cleanup=_leave_the_slot)
def a_run_takes_a_slot_of_its_deployment(t: FlowTransition, _proposed: State) -> Abort | Reject | None:
    """A run that finds no slot waits in the schedule or is cancelled, as the deployment says."""
    deployment = t.facts.deployment
    if t.run.deployment_id is None or deployment is None:
        return None
    if not deployment.exists:
        return Abort("the deployment of this run does not exist any more")
    limit = deployment.limit
    if limit is None:
        return None
    if limit.limit == 0:
        return Abort("the concurrency limit of the deployment is 0")
    if limit.held:
        return None
    if not _has_room(limit):
        return _turn_away(t, deployment.collision_strategy)
    t.effects.append(TakeSlots((limit.id,)))
    return None


def _has_room(limit: LimitFacts) -> bool:
    return limit.active and limit.taken < limit.limit


def _turn_away(t: FlowTransition, strategy: CollisionStrategy) -> Reject:
    if strategy is CollisionStrategy.CANCEL_NEW:
        message = "The concurrency limit of the deployment has been reached."
        return Reject("no slot of the deployment is free", t.new_state(StateType.CANCELLED, message=message))
    later = t.now + timedelta(seconds=t.orders.deployment_slot_wait_seconds)
    return Reject("no slot of the deployment is free", t.new_scheduled_state(AWAITING_SLOT, later))


def a_run_gives_its_slot_back(t: FlowTransition, written: State) -> None:
    """As soon as it is no longer under way, whoever decided that."""
    limit = t.facts.deployment.limit if t.facts.deployment else None
    if limit is not None and limit.held and written.type not in UNDER_WAY:
        t.effects.append(ReleaseSlots((limit.id,)))


RELEASE = Transform(a_run_gives_its_slot_back)
