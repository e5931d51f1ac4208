"""Concurrency limits and their slots: locked in the order of names, taken, given back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from messages.catalog import ConcurrencyLimit
from messages.fields import Id
from store import driver
from store.recordset import ids_parameter, insert_rows, rows_parameter, texts_parameter, update_rows
from store.rows import RowStore
from store.tables.limits import concurrency_limit, concurrency_slot

AT_REST = "held by a run that is not under way"
TOO_MANY = "more slots are taken than there are"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What one holder has of one limit. The holder is a flow run, a task run or a lease: one of the three."""

    id: Id
    limit_id: Id
    holder_kind: str
    flow_run_id: Id | None = None
    task_run_id: Id | None = None
    lease_id: Id | None = None
    slots: int
    acquired_at: datetime
    expires_at: datetime | None = None

    @property
    def holder_id(self) -> Id | None:
        """The holder's id, whatever it is."""
        return self.flow_run_id or self.task_run_id or self.lease_id


LIMITS = RowStore(
    concurrency_limit, select(concurrency_limit), lambda row: ConcurrencyLimit(**row, active_slots=0)
)
_IDS_FOR = """
SELECT id FROM concurrency_limit
WHERE name IN (SELECT value FROM json_array_elements_text(CAST(%(names)s AS json)))
   OR id = ANY(CAST(%(ids)s AS uuid[]))
   OR id IN (SELECT limit_id FROM concurrency_slot WHERE flow_run_id = ANY(CAST(%(flow_runs)s AS uuid[])))
   OR id IN (SELECT limit_id FROM concurrency_slot WHERE task_run_id = ANY(CAST(%(task_runs)s AS uuid[])))
   OR id IN (SELECT limit_id FROM concurrency_slot WHERE lease_id = ANY(CAST(%(leases)s AS uuid[])))
"""
_LOCK = """
SELECT id, created, updated, name, "limit", active, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds
FROM concurrency_limit WHERE id = ANY(CAST(%(ids)s AS uuid[])) ORDER BY name FOR NO KEY UPDATE
"""
_TAKEN = """
SELECT limit_id, sum(slots) FROM concurrency_slot
WHERE limit_id = ANY(CAST(%(ids)s AS uuid[])) AND (expires_at IS NULL OR expires_at > %(now)s) GROUP BY limit_id
"""
_TASK_RUNS_WITH_SLOTS = """
SELECT t.id FROM task_run t JOIN concurrency_slot s ON s.task_run_id = t.id
WHERE t.flow_run_id = ANY(CAST(%(ids)s AS uuid[]))
"""
_SLOTS = """
SELECT id, limit_id, holder_kind, flow_run_id, task_run_id, lease_id, slots, acquired_at, expires_at
FROM concurrency_slot
WHERE flow_run_id = ANY(CAST(%(flow_runs)s AS uuid[])) OR task_run_id = ANY(CAST(%(task_runs)s AS uuid[]))
   OR lease_id = ANY(CAST(%(leases)s AS uuid[]))
   OR (limit_id = ANY(CAST(%(whole)s AS uuid[])) AND lease_id IS NOT NULL)
ORDER BY acquired_at, id
"""
_INSERT = insert_rows(concurrency_slot)
_UPDATE = update_rows(concurrency_slot, ["slots"])
_DELETE = "DELETE FROM concurrency_slot WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
_DRIFT = f"""
SELECT l.name AS limit_name, s.holder_kind, coalesce(s.flow_run_id, s.task_run_id) AS holder_id, s.slots,
       '{AT_REST}' AS fault
FROM concurrency_slot s
JOIN concurrency_limit l ON l.id = s.limit_id
LEFT JOIN flow_run f ON f.id = s.flow_run_id
LEFT JOIN task_run t ON t.id = s.task_run_id
WHERE s.lease_id IS NULL
  AND coalesce(f.state_type IN ('PENDING', 'RUNNING', 'CANCELLING'), t.state_type IN ('RUNNING', 'CANCELLING'))
      IS NOT TRUE
UNION ALL
SELECT l.name, NULL, NULL, sum(s.slots), '{TOO_MANY}'
FROM concurrency_slot s
JOIN concurrency_limit l ON l.id = s.limit_id
WHERE l.slot_decay_per_second = 0 AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
GROUP BY l.id
HAVING sum(s.slots) > l.limit
ORDER BY limit_name, fault, holder_id
"""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which limits a batch may touch: by name, by id, or because one of these holds slots of them."""

    names: frozenset[str]
    ids: frozenset[Id]
    flow_runs: frozenset[Id]
    task_runs: frozenset[Id]
    leases: frozenset[Id]

    def parameters(self) -> dict[str, object]:
        """As the statements take them."""
        return {
            "names": texts_parameter(self.names),
            "ids": ids_parameter(self.ids),
            "flow_runs": ids_parameter(self.flow_runs),
            "task_runs": ids_parameter(self.task_runs),
            "leases": ids_parameter(self.leases),
        }


def find(connection: Connection, wanted: Wanted) -> list[Id]:
    """The limits that are wanted."""
    return driver.scalars(connection, _IDS_FOR, wanted.parameters())


def lock(connection: Connection, ids: Iterable[Id], now: datetime) -> list[ConcurrencyLimit]:
    """These limits, locked in the order of their names, with what is taken of each."""
    parameters: dict[str, Any] = {"ids": ids_parameter(ids)}
    rows = driver.records(connection, _LOCK, parameters)
    taken: dict[Id, Any] = dict(driver.rows(connection, _TAKEN, {**parameters, "now": now}))
    return [ConcurrencyLimit(**row, active_slots=int(taken.get(row["id"], 0))) for row in rows]


def slots(connection: Connection, wanted: Wanted, whole: Iterable[Id]) -> list[Slot]:
    """What the wanted holders have, and every lease of the limits in `whole`, oldest first."""
    parameters = {**wanted.parameters(), "whole": ids_parameter(whole)}
    return [Slot(**row) for row in driver.records(connection, _SLOTS, parameters)]


def task_runs_with_slots(connection: Connection, flow_run_ids: Iterable[Id]) -> list[Id]:
    """The task runs of these flow runs that hold slots."""
    return driver.scalars(connection, _TASK_RUNS_WITH_SLOTS, {"ids": ids_parameter(flow_run_ids)})


def insert_slots(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """New holders."""
    driver.execute(connection, _INSERT, rows_parameter(rows))


def update_slots(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """How many slots holders have now: id and slots."""
    driver.execute(connection, _UPDATE, rows_parameter(rows))


def delete_slots(connection: Connection, ids: Iterable[Id]) -> None:
    """Holders that gave back all they had."""
    driver.execute(connection, _DELETE, {"ids": ids_parameter(ids)})


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Slots that should not be taken; the holder is None where it is the limit as a whole that is at fault."""

    limit_name: str
    holder_kind: str | None
    holder_id: Id | None
    slots: int
    fault: str


def drift(connection: Connection, now: datetime) -> list[Drift]:
    """What should never be: slots of runs that rest or have ended, and limits with more holders than slots.

    No rows is the answer to hope for. The one innocent cause of a row: a limit that was lowered shows as
    TOO_MANY until enough is given back; it admits nobody meanwhile. Slots that fade by themselves are not
    counted, as time frees them and not their holders.
    """
    rows = driver.records(connection, _DRIFT, {"now": now})
    return [Drift(**{**row, "slots": int(row["slots"])}) for row in rows]
