"""What has become due with time: found here, looked at again under a lock by whoever acts on it.

`resting_type` is `state_type` where indexes can see it: of runs at rest.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from messages.fields import Id
from store.recordset import rows_parameter
from store.sequences import OVERDUE, Key

# What a clock holds while it is the active one.
CLOCK_LOCK = 0x1A7E_0003
# Before every id, for the first of several batches.
FIRST = Id(int=0)

_BECOME = "SELECT pg_try_advisory_lock(%(key)s)"
_ALIVE = "SELECT 1"
_LATE = """
SELECT id FROM flow_run
WHERE resting_type = 'SCHEDULED' AND state_name = 'Scheduled' AND next_scheduled_start_time <= %(due)s
  AND id > %(after)s
ORDER BY id LIMIT %(most)s
"""
_EXPIRED_PAUSES = """
SELECT r.id FROM flow_run r JOIN flow_run_state s ON s.id = r.state_id
WHERE r.resting_type = 'PAUSED' AND CAST(s.state_details ->> 'pause_timeout' AS timestamptz) < %(now)s
  AND r.id > %(after)s
ORDER BY r.id LIMIT %(most)s
"""
_TASKS_OF_CANCELLED = """
SELECT t.id, f.id FROM flow_run f JOIN task_run t ON t.flow_run_id = f.id
WHERE f.resting_type = 'CANCELLED' AND f.end_time >= %(since)s
  AND t.state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')
  AND t.id > %(after)s
ORDER BY t.id LIMIT %(most)s
"""
_SUBFLOWS_OF_CANCELLED = """
SELECT c.id, p.id FROM flow_run c
JOIN task_run t ON t.id = c.parent_task_run_id
JOIN flow_run p ON p.id = t.flow_run_id
WHERE c.parent_task_run_id IS NOT NULL AND c.state_type IS NOT NULL
  AND (c.resting_type IS NULL OR c.resting_type IN ('SCHEDULED', 'PAUSED'))
  AND NOT (c.state_type = 'CANCELLING' AND c.deployment_id IS NOT NULL)
  AND p.resting_type = 'CANCELLED' AND c.id > %(after)s
ORDER BY c.id LIMIT %(most)s
"""
# Who is being changed right now is left for the next round: nobody has to wait for this.
_FREE_LEASES = """
DELETE FROM concurrency_slot WHERE id IN (
  SELECT id FROM concurrency_slot WHERE expires_at <= %(now)s ORDER BY expires_at LIMIT %(most)s
  FOR UPDATE SKIP LOCKED)
"""
_STILL_WAITING = f"""
SELECT o.source, o.partitionkey FROM ({OVERDUE}) o
JOIN json_to_recordset(CAST(%(rows)s AS json)) AS k(source text, partitionkey text)
  ON o.source = k.source AND o.partitionkey = k.partitionkey
"""


class Pair(NamedTuple):
    """A run, and the flow run above it on which it depends what becomes of it."""

    id: Id
    above: Id


def become_the_clock(connection: Connection) -> bool:
    """Whether this session is now the one that acts; it is until its connection ends."""
    return bool(connection.exec_driver_sql(_BECOME, {"key": CLOCK_LOCK}).scalar())


def assure(connection: Connection) -> None:
    """Does nothing, unless the connection is lost, and the lock with it."""
    connection.exec_driver_sql(_ALIVE)


def late_runs(connection: Connection, due: datetime, after: Id, most: int) -> list[Id]:
    """Flow runs that should have been started by then, in the order of their ids, after this one."""
    return _ids(connection, _LATE, due=due, after=after, most=most)


def expired_pauses(connection: Connection, now: datetime, after: Id, most: int) -> list[Id]:
    """Paused flow runs whose time to be resumed is over. Those that may pause for ever are none of them."""
    return _ids(connection, _EXPIRED_PAUSES, now=now, after=after, most=most)


def tasks_of_cancelled(connection: Connection, since: datetime, after: Id, most: int) -> list[Pair]:
    """Task runs that have not ended, of flow runs that were cancelled since this time."""
    return _pairs(connection, _TASKS_OF_CANCELLED, since=since, after=after, most=most)


def subflows_of_cancelled(connection: Connection, after: Id, most: int) -> list[Pair]:
    """Subflow runs that have not ended, and are not being ended, though the run above them was cancelled."""
    return _pairs(connection, _SUBFLOWS_OF_CANCELLED, after=after, most=most)


def free_expired_leases(connection: Connection, now: datetime, most: int) -> int:
    """Frees slots whose lease is over; answers how many holders that were."""
    return connection.exec_driver_sql(_FREE_LEASES, {"now": now, "most": most}).rowcount


def still_waiting(connection: Connection, keys: Iterable[Key], before: datetime) -> list[Key]:
    """Those of the keys, whose positions are locked, that still wait too long."""
    rows = rows_parameter({"source": source, "partitionkey": key} for source, key in keys)
    return [
        (row[0], row[1]) for row in connection.exec_driver_sql(_STILL_WAITING, {**rows, "before": before})
    ]


def _ids(connection: Connection, statement: str, **parameters: Any) -> list[Id]:
    return list(connection.exec_driver_sql(statement, parameters).scalars())


def _pairs(connection: Connection, statement: str, **parameters: Any) -> list[Pair]:
    return [Pair(*row) for row in connection.exec_driver_sql(statement, parameters)]
