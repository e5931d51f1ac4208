"""Slots of concurrency limits: taken, given back, and fading away where a limit says so."""

from datetime import datetime
from math import floor

from messages.catalog import ConcurrencyLimit
from messages.evolve import evolve
from messages.fields import Id
from messages.runs import FlowRun, TaskRun
from store.limits import Slot
from workers.world.world import World


def decayed(limit: ConcurrencyLimit, now: datetime) -> int:
    """How many slots of a limit have faded since it was last changed (floor of rate times seconds)."""
    elapsed = max(0.0, (now - limit.updated).total_seconds())
    return min(limit.active_slots, floor(limit.slot_decay_per_second * elapsed))


def denied(limit: ConcurrencyLimit, now: datetime) -> int:
    """Recent refusals: they fade at the rate of the slots, or of one in each average occupancy."""
    rate = limit.slot_decay_per_second or 1 / limit.avg_slot_occupancy_seconds
    return max(0, limit.denied_slots - floor(rate * max(0.0, (now - limit.updated).total_seconds())))


def taken(limit: ConcurrencyLimit, now: datetime) -> int:
    """How many slots of a limit are taken now."""
    return limit.active_slots - decayed(limit, now)


def is_over(slot: Slot, now: datetime) -> bool:
    """Whether a lease has ended by itself. Its slots are free, though its row is there until the clock comes by."""
    return slot.expires_at is not None and slot.expires_at <= now


def held_by(world: World, run: FlowRun | TaskRun) -> dict[Id, Slot]:
    """What a run holds, by limit."""
    return {slot.limit_id: slot for slot in world.slots if run.id in (slot.flow_run_id, slot.task_run_id)}


def take(world: World, run: FlowRun | TaskRun, limit_id: Id, now: datetime) -> None:
    """One slot of a limit for a run. Whoever holds one already keeps just that."""
    limit = world.limits.get(limit_id)
    if limit is None or limit_id in held_by(world, run):
        return
    limit = settle(world, limit, now)
    is_flow_run = isinstance(run, FlowRun)
    world.slots.put(
        Slot(
            id=world.new_id(),
            limit_id=limit_id,
            holder_kind="flow_run" if is_flow_run else "task_run",
            flow_run_id=run.id if is_flow_run else None,
            task_run_id=None if is_flow_run else run.id,
            slots=1,
            acquired_at=now,
        )
    )
    world.limits.put(evolve(limit, active_slots=limit.active_slots + 1))


def give_back(world: World, slot: Slot, most: int | None = None) -> int:
    """Gives back what a holder has of a limit, or `most` of it; answers how many slots that were."""
    number = slot.slots if most is None else min(most, slot.slots)
    if number == slot.slots:
        world.slots.remove(slot.id)
    else:
        world.slots.put(evolve(slot, slots=slot.slots - number))
    limit = world.limits.get(slot.limit_id)
    if limit is not None and not is_over(slot, world.clock()):
        world.limits.put(evolve(limit, active_slots=max(0, limit.active_slots - number)))
    return number


def settle(world: World, limit: ConcurrencyLimit, now: datetime) -> ConcurrencyLimit:
    """Takes away what has faded, from the oldest leases first, and starts the count anew."""
    faded = decayed(limit, now)
    if limit.slot_decay_per_second == 0 or faded == 0:
        return limit
    give_back_leases(world, limit, faded)
    settled = world.limits.get(limit.id) or limit
    return world.limits.put(evolve(settled, updated=now, denied_slots=denied(limit, now)))


def give_back_leases(world: World, limit: ConcurrencyLimit, number: int) -> int:
    """Gives back so many slots of a limit that are held by leases, oldest first; answers how many there were."""
    now = world.clock()
    leases = [
        slot
        for slot in world.slots
        if slot.limit_id == limit.id and slot.lease_id is not None and not is_over(slot, now)
    ]
    left = number
    for slot in sorted(leases, key=lambda it: (it.acquired_at, it.id)):
        if left == 0:
            break
        left -= give_back(world, slot, left)
    return number - left


def forget_slots(world: World, run: FlowRun | TaskRun) -> None:
    """Gives back all that a run holds: it is about to be deleted."""
    for slot in held_by(world, run).values():
        give_back(world, slot)
