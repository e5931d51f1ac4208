"""Slots freed by hand: under their limit's lock, by the same code that gives them back for a command."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from messages.fields import Id
from store import limits
from store import slots as store
from store.slots import Holder
from store.transaction import Connection, Engine, transaction
from workers.pipeline.save import save
from workers.world import slots
from workers.world.world import World


@dataclass(frozen=True, slots=True)
class Which:
    """Whose slots of a limit: a run's, a lease's, or (neither is given) everybody's."""

    run_id: Id | None = None
    lease_id: Id | None = None

    def of(self, holders: Iterable[Holder]) -> list[Holder]:
        """Those that are meant."""
        return [holder for holder in holders if self._means(holder)]

    def _means(self, holder: Holder) -> bool:
        slot = holder.slot
        if self.run_id is not None:
            return self.run_id in (slot.flow_run_id, slot.task_run_id)
        return self.lease_id is None or slot.lease_id == self.lease_id


@dataclass(frozen=True, slots=True)
class Freed:
    """A holder, and how many slots it gave back: what had faded before is not among them."""

    holder: Holder
    slots: int


def release(engine: Engine, limit_id: Id, which: Which, world: World) -> list[Freed]:
    """Frees in one transaction what is held by then. Nothing, if the limit is gone.

    Raises:
        StoreError: nothing was freed.
    """
    with transaction(engine) as connection:
        freed = _free(connection, limit_id, which, world, world.clock())
        save(connection, world)
    return freed


def _free(connection: Connection, limit_id: Id, which: Which, world: World, now: datetime) -> list[Freed]:
    world.limits.load(limits.lock(connection, [limit_id], now))
    limit = world.limits.get(limit_id)
    if limit is None:
        return []
    # Read after the lock was got: nobody takes or gives back slots of this limit any more.
    held = store.holders(connection, [limit_id], now)
    world.slots.load(holder.slot for holder in held)
    # Of a limit whose slots fade, the oldest have gone already: freeing them again would free somebody else's.
    slots.settle(world, limit, now)
    freed = []
    for holder in which.of(held):
        left = world.slots.get(holder.slot.id)
        if left is not None:
            freed.append(Freed(holder, slots.give_back(world, left)))
    return freed
