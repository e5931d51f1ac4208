"""The limits with their holders as they are now. Reads only."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from messages.catalog import ConcurrencyLimit
from messages.evolve import evolve
from messages.fields import Id
from store import slots as store
from store.limits import Drift, drift
from store.reads.snapshot import for_reading
from store.slots import Holder
from store.transaction import Connection, Engine, transaction
from workers.world.slots import taken


@dataclass(frozen=True, slots=True)
class Use:
    """One limit, what is taken of it, and by whom: oldest first.

    Where slots fade, less may be taken than the holders' sum: their rows go when the limit is used next.
    """

    limit: ConcurrencyLimit
    taken: int
    holders: list[Holder]


@dataclass(frozen=True, slots=True)
class Overview:
    """The limits in the order of their names, and what of any limit should not be so."""

    uses: list[Use]
    drift: list[Drift]


def look(engine: Engine, name: str | None, now: datetime) -> Overview:
    """All limits, or the one of this name if there is one; all as of one moment."""
    with transaction(for_reading(engine)) as connection:
        return Overview(list(uses(connection, store.limits(connection, name), now)), drift(connection, now))


def uses(connection: Connection, limits: Sequence[ConcurrencyLimit], now: datetime) -> Iterator[Use]:
    """These limits, with what is taken of each and by whom."""
    held: defaultdict[Id, list[Holder]] = defaultdict(list)
    for holder in store.holders(connection, (limit.id for limit in limits), now):
        held[holder.slot.limit_id].append(holder)
    for limit in limits:
        mine = held[limit.id]
        counted = evolve(limit, active_slots=sum(holder.slot.slots for holder in mine))
        yield Use(counted, taken(counted, now), mine)
