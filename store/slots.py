"""Limits and who holds slots of them, for people who look. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from messages.catalog import ConcurrencyLimit
from messages.fields import Id
from store import driver
from store.limits import LIMITS, Slot
from store.recordset import ids_parameter
from store.transaction import Connection

_IDS = "SELECT id FROM concurrency_limit WHERE CAST(%(name)s AS text) IS NULL OR name = %(name)s"
_HOLDERS = """
SELECT s.id, s.limit_id, s.holder_kind, s.flow_run_id, s.task_run_id, s.lease_id, s.slots, s.acquired_at,
  s.expires_at, coalesce(f.name, t.name) AS run_name, coalesce(f.state_type, t.state_type) AS state_type,
  coalesce(f.state_name, t.state_name) AS state_name
FROM concurrency_slot s LEFT JOIN flow_run f ON f.id = s.flow_run_id LEFT JOIN task_run t ON t.id = s.task_run_id
WHERE s.limit_id = ANY(CAST(%(limits)s AS uuid[])) AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
ORDER BY s.acquired_at, s.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A slot, and the run that holds it as far as there is one: `run_name` is None for a lease."""

    slot: Slot
    run_name: str | None
    state_type: str | None
    state_name: str | None


def limits(connection: Connection, name: str | None = None) -> list[ConcurrencyLimit]:
    """All limits in the order of their names, or the one of this name. Their `active_slots` are not counted."""
    ids = driver.scalars(connection, _IDS, {"name": name})
    return sorted(LIMITS.load(connection, ids), key=lambda limit: limit.name)


def holders(connection: Connection, limit_ids: Iterable[Id], now: datetime) -> list[Holder]:
    """Who holds slots of these limits, oldest first. A lease that is over holds none."""
    rows = driver.records(connection, _HOLDERS, {"limits": ids_parameter(limit_ids), "now": now})
    of_the_run = ("run_name", "state_type", "state_name")
    return [
        Holder(
            slot=Slot(**{name: value for name, value in row.items() if name not in of_the_run}),
            **{name: row[name] for name in of_the_run},
        )
        for row in rows
    ]
