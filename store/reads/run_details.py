"""What people ask about one run beside its own fields. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from messages.fields import Id
from store import driver
from store.recordset import ids_parameter
from store.tables.runs import LONGEST_INDEXED

# At rest and in motion: an index has each part. A long name has an index of its own.
_NAMED = f"""
SELECT id FROM (
  (SELECT id FROM {{table}} WHERE name = %(name)s AND resting_type IS NOT NULL
   AND octet_length(name) {{fits}} {LONGEST_INDEXED} ORDER BY id DESC LIMIT %(most)s)
  UNION ALL SELECT id FROM {{table}} WHERE name = %(name)s AND resting_type IS NULL
) AS found ORDER BY id DESC LIMIT %(most)s
"""
_TASKS = """
SELECT coalesce(state_type, ''), count(*) FROM task_run WHERE flow_run_id = %(id)s GROUP BY 1 ORDER BY 1
"""
_HELD = """
SELECT l.name AS limit_name, s.slots, s.acquired_at FROM concurrency_slot s
JOIN concurrency_limit l ON l.id = s.limit_id
WHERE s.flow_run_id = ANY(CAST(%(ids)s AS uuid[])) OR s.task_run_id = ANY(CAST(%(ids)s AS uuid[]))
ORDER BY l.name
"""
_KINDS = ("flow_run", "task_run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Slots of a limit that a run holds."""

    limit_name: str
    slots: int
    acquired_at: datetime


def named(connection: Connection, kind: str, name: str, most: int) -> list[Id]:
    """Up to `most` runs of this name, the latest ids first; `kind` is flow_run or task_run."""
    return driver.scalars(connection, *question_of_name(kind, name, most))


def question_of_name(kind: str, name: str, most: int) -> tuple[str, dict[str, str | int]]:
    """What `named` asks: the statement and its parameters."""
    if kind not in _KINDS:
        raise ValueError(f"{kind} is no kind of run")
    fits = "<=" if len(name.encode()) <= LONGEST_INDEXED else ">"
    return _NAMED.format(table=kind, fits=fits), {"name": name, "most": most}


def task_run_counts(connection: Connection, flow_run_id: Id) -> dict[str, int]:
    """How many task runs of a flow run are in a state of each type; without a state: under no text."""
    return {row[0]: row[1] for row in driver.rows(connection, _TASKS, {"id": flow_run_id})}


def held_by(connection: Connection, run_ids: Iterable[Id]) -> list[Held]:
    """What these runs hold."""
    return [Held(**row) for row in driver.records(connection, _HELD, {"ids": ids_parameter(run_ids)})]
