"""Concurrency limits by name: made, taken, given back, deleted."""

from datetime import datetime, timedelta
from math import ceil

from messages.catalog import ConcurrencyLimit
from messages.commands.limits import (
    AcquireSlots,
    DeleteConcurrencyLimit,
    ReleaseSlots,
    UpsertConcurrencyLimit,
)
from messages.errors import ErrorCode
from messages.evolve import evolve
from messages.results import Details, Lease, Outcome, Status
from store.limits import Slot
from workers.handlers.catalog import remove_limit
from workers.handlers.outcomes import CommandFailed, ok
from workers.world import slots
from workers.world.world import World


def upsert(world: World, data: UpsertConcurrencyLimit) -> Outcome:
    """Makes a limit, or changes the given fields; who holds slots keeps them."""
    now = world.clock()
    given = data.given("limit", "active", "slot_decay_per_second", "avg_slot_occupancy_seconds")
    existing = world.limits.by(data.name)
    if existing is None:
        limit = ConcurrencyLimit(id=world.new_id(), created=now, updated=now, name=data.name, **given)
    else:
        limit = evolve(slots.settle(world, existing, now), **given)
    world.limits.put(limit)
    return ok(limit.id, concurrency_limit=limit, created=existing is None)


def acquire(world: World, data: AcquireSlots) -> Outcome:
    """Takes slots of all named limits that are active, or of none. Limits that do not exist do not matter."""
    now = world.clock()
    limits = [limit for limit in _named(world, data.names) if limit.active]
    for limit in limits:
        if data.slots > limit.limit:
            raise CommandFailed(
                ErrorCode.INVALID_MESSAGE, f"{limit.name} has {limit.limit} slots, never {data.slots} at once"
            )
    if all(slots.taken(limit, now) + data.slots <= limit.limit for limit in limits):
        return ok(lease=_lease(world, limits, data, now))
    delay = _retry_after(limits, data.slots, now)
    for limit in limits:
        settled = slots.settle(world, limit, now)
        refusals = slots.denied(settled, now) + data.slots
        world.limits.put(evolve(settled, denied_slots=refusals, updated=now))
    names = ", ".join(limit.name for limit in limits)
    details = Details(reason=f"not enough free slots of {names}", delay_seconds=max(1, ceil(delay)))
    return Outcome(Status.WAIT, {"lease": None, "details": details})


def _named(world: World, names: list[str]) -> list[ConcurrencyLimit]:
    found = (world.limits.by(name) for name in sorted(set(names)))
    return [limit for limit in found if limit is not None]


def _lease(world: World, limits: list[ConcurrencyLimit], data: AcquireSlots, now: datetime) -> Lease:
    lease_id = world.new_id()
    expires = None if data.lease_seconds is None else now + timedelta(seconds=data.lease_seconds)
    for limit in limits:
        settled = slots.settle(world, limit, now)
        refusals = slots.denied(settled, now)
        world.limits.put(
            evolve(
                settled, active_slots=settled.active_slots + data.slots, denied_slots=refusals, updated=now
            )
        )
        world.slots.put(
            Slot(
                id=world.new_id(),
                limit_id=limit.id,
                holder_kind="lease",
                lease_id=lease_id,
                slots=data.slots,
                acquired_at=now,
                expires_at=expires,
            )
        )
    names = [limit.name for limit in limits]
    return Lease(lease_id=lease_id, names=names, slots=data.slots, expires_at=expires)


def _retry_after(limits: list[ConcurrencyLimit], number: int, now: datetime) -> float:
    """Seconds: what waits before us, as multiples of the limit, times how long one turn takes."""
    most, seconds = 0.0, 0.0
    for limit in limits:
        ahead = number + slots.denied(limit, now)
        decays = limit.slot_decay_per_second > 0
        blocking = float(ahead) if decays else ahead / max(1, limit.limit)
        if blocking > most:
            turn = 1 / limit.slot_decay_per_second if decays else limit.avg_slot_occupancy_seconds
            most, seconds = blocking, blocking * turn
    return seconds


def release(world: World, data: ReleaseSlots) -> Outcome:
    """Gives back a lease, or so many slots of each named limit, from the oldest leases first."""
    now = world.clock()
    if data.lease_id is not None:
        held = [
            slot for slot in world.slots if slot.lease_id == data.lease_id and not slots.is_over(slot, now)
        ]
        return ok(released=sum(slots.give_back(world, slot) for slot in held) > 0)
    assert data.names is not None
    assert data.slots is not None
    released = 0
    for limit in _named(world, data.names):
        if limit.active:
            settled = slots.settle(world, limit, now)
            released += slots.give_back_leases(world, settled, data.slots)
    return ok(released=released > 0)


def delete(world: World, data: DeleteConcurrencyLimit) -> Outcome:
    """Deletes a limit and all its slots."""
    limit = world.limits.by(data.name)
    if limit is not None:
        remove_limit(world, limit)
    return ok(limit.id if limit else None, deleted=limit is not None)
