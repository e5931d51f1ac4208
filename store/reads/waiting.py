"""Commands about a run that were taken in and have not ended, and why they have not. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from messages.fields import Id
from store import driver

_MOST = 20
_ABOUT = """
%(run)s IN (lower({0}.envelope -> 'data' ->> 'flow_run_id'), lower({0}.envelope -> 'data' ->> 'task_run_id'),
  lower({0}.envelope -> 'data' ->> 'id'))
"""
_FAILING = f"""
SELECT a.command_id AS id, a.envelope ->> 'type' AS type, a.envelope ->> 'source' AS source, a.attempts,
  a.next_attempt_at, a.last_error, a.waits, a.wait_reason
FROM attempt a
WHERE {_ABOUT.format("a")} AND NOT EXISTS (SELECT FROM command c WHERE c.id = a.command_id)
ORDER BY a.next_attempt_at, a.command_id LIMIT {_MOST}
"""
_PARKED = f"""
SELECT p.id, p.envelope ->> 'type' AS type, p.source, p.partitionkey, p.sequence, p.parked, s.next AS missing,
  (SELECT min(q.parked) FROM parked_command q WHERE q.source = p.source AND q.partitionkey = p.partitionkey)
    AS oldest,
  missed.attempts AS missing_attempts, missed.next_attempt_at AS missing_next_attempt_at
FROM parked_command p
JOIN sequence_position s ON s.source = p.source AND s.partitionkey = p.partitionkey
LEFT JOIN attempt missed ON missed.envelope ->> 'source' = p.source
  AND missed.envelope ->> 'partitionkey' = p.partitionkey AND missed.envelope ->> 'sequence' = s.next::text
  AND NOT EXISTS (SELECT FROM command c WHERE c.id = missed.command_id)
WHERE {_ABOUT.format("p")} AND NOT EXISTS (SELECT FROM attempt a WHERE a.command_id = p.id)
ORDER BY p.source, p.partitionkey, p.sequence LIMIT {_MOST}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A command that is tried again, and when: it failed, or it was told to wait. Neither: it was set apart."""

    id: Id
    type: str
    source: str
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    waits: int = 0
    wait_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedCommand:
    """A command that came before its turn: number `missing` of its key has not come, or comes again and fails.

    `oldest` is since when the first of the key's commands waits: all of them end with that one.
    """

    id: Id
    type: str
    source: str
    partitionkey: str
    sequence: int
    parked: datetime
    missing: int
    oldest: datetime
    missing_attempts: int | None
    missing_next_attempt_at: datetime | None


def failing(connection: Connection, run_id: Id) -> Sequence[Failing]:
    """Commands about a run that are to be tried again, the next one first."""
    return [Failing(**row) for row in driver.records(connection, _FAILING, {"run": str(run_id)})]


def parked(connection: Connection, run_id: Id) -> Sequence[ParkedCommand]:
    """Commands about a run that wait for their turn."""
    return [ParkedCommand(**row) for row in driver.records(connection, _PARKED, {"run": str(run_id)})]
