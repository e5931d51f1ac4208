"""Limits on how many task runs with a tag run at once, in all flows together."""

from messages.states import State, StateType
from workers.orchestration.decision import ReleaseSlots, TakeSlots
from workers.orchestration.facts import LimitFacts
from workers.orchestration.policy import EVERY_TYPE, Transform, only, rule
from workers.orchestration.transition import TaskTransition
from workers.orchestration.verdicts import Abort, Wait

KEEPS_ITS_SLOTS = frozenset({StateType.RUNNING, StateType.CANCELLING})


def _leave_the_slots(t: TaskTransition) -> None:
    t.effects[:] = [effect for effect in t.effects if not isinstance(effect, TakeSlots)]


@rule(EVERY_TYPE, only(StateType.RUNNING), cleanup=_leave_the_slots)
def a_task_takes_a_slot_of_each_of_its_tags(t: TaskTransition, _proposed: State) -> Abort | Wait | None:
    """All or none: whoever waits must not keep others waiting. Nobody waits for a slot of their own."""
    limits = [limit for limit in t.facts.tag_limits if limit.active]
    for limit in limits:
        if limit.limit == 0:
            return Abort(f"the concurrency limit of tag {limit.name!r} is 0")
    for limit in limits:
        if limit.taken >= limit.limit and not _may_use_its_own(t, limit):
            return Wait(f"no slot of tag {limit.name!r} is free", t.orders.tag_slot_wait_seconds)
    wanted = tuple(limit.id for limit in limits if not limit.held)
    if wanted:
        t.effects.append(TakeSlots(wanted))
    return None


def _may_use_its_own(t: TaskTransition, limit: LimitFacts) -> bool:
    """Who is being cancelled keeps a slot to stop with, not to start again ahead of those who wait."""
    return limit.held and t.initial_type is not StateType.CANCELLING


def a_task_gives_its_slots_back(t: TaskTransition, written: State) -> None:
    """As soon as it neither runs nor is being cancelled, whoever decided that."""
    if written.type in KEEPS_ITS_SLOTS:
        return
    held = tuple(limit.id for limit in t.facts.tag_limits if limit.held)
    if held:
        t.effects.append(ReleaseSlots(held))


RELEASE = Transform(a_task_gives_its_slots_back)
