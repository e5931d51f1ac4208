"""Per-key order: which number comes next, and the commands that came before their turn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from messages.fields import Id
from store import driver
from store.kept import Kept
from store.recordset import ids_parameter, insert_rows, rows_parameter
from store.tables.delivery import parked_command

Key = tuple[str, str]

_KEYS = "json_to_recordset(CAST(%(rows)s AS json)) AS k(source text, partitionkey text)"
_OPEN = f"""
INSERT INTO sequence_position (source, partitionkey, next, updated)
SELECT k.source, k.partitionkey, 1, %(now)s FROM {_KEYS} ORDER BY k.source, k.partitionkey
ON CONFLICT DO NOTHING
"""
_LOCK = f"""
SELECT p.source, p.partitionkey, p.next FROM sequence_position p
JOIN {_KEYS} ON p.source = k.source AND p.partitionkey = k.partitionkey
ORDER BY p.source, p.partitionkey FOR UPDATE OF p
"""
_PARKED = f"""
SELECT p.id, p.source, p.partitionkey, p.sequence, p.envelope, p.fingerprint, p.refusal FROM parked_command p
JOIN {_KEYS} ON p.source = k.source AND p.partitionkey = k.partitionkey
ORDER BY p.source, p.partitionkey, p.sequence
"""
_MOVE = """
UPDATE sequence_position p SET next = k.next, updated = %(now)s
FROM json_to_recordset(CAST(%(rows)s AS json)) AS k(source text, partitionkey text, next bigint)
WHERE p.source = k.source AND p.partitionkey = k.partitionkey
"""
_PARK = insert_rows(parked_command)
_UNPARK = "DELETE FROM parked_command WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
# No number is missing where the command whose turn it is waits here itself: it is tried again at its own time.
# Otherwise it is missing since the one before it came.
OVERDUE = """
SELECT DISTINCT p.source, p.partitionkey FROM parked_command p
JOIN sequence_position s ON s.source = p.source AND s.partitionkey = p.partitionkey
WHERE p.parked < %(before)s AND s.updated < %(before)s AND NOT EXISTS (
  SELECT FROM parked_command n
  WHERE n.source = p.source AND n.partitionkey = p.partitionkey AND n.sequence = s.next)
"""
_WAITED_TOO_LONG = f"{OVERDUE} LIMIT %(most)s"
_PRUNE = """
DELETE FROM sequence_position p WHERE (p.source, p.partitionkey) IN (
  SELECT source, partitionkey FROM sequence_position WHERE updated < %(before)s ORDER BY updated LIMIT %(most)s)
AND p.updated < %(before)s
AND NOT EXISTS (SELECT FROM parked_command c WHERE c.source = p.source AND c.partitionkey = p.partitionkey)
"""


@dataclass(frozen=True, slots=True)
class Parked:
    """A command that waits for its turn."""

    id: Id
    source: str
    partitionkey: str
    sequence: int
    kept: Kept


def lock(connection: Connection, keys: Iterable[Key], now: datetime) -> dict[Key, int]:
    """The number that comes next for each of these (source, partition key), locked in their order."""
    rows = rows_parameter({"source": source, "partitionkey": key} for source, key in sorted(keys))
    driver.execute(connection, _OPEN, {**rows, "now": now})
    return {(row[0], row[1]): row[2] for row in driver.rows(connection, _LOCK, rows)}


def parked(connection: Connection, keys: Iterable[Key]) -> list[Parked]:
    """What is parked under these (source, partition key), in order."""
    rows = rows_parameter({"source": source, "partitionkey": key} for source, key in keys)
    return [
        Parked(ident, source, key, number, Kept(envelope, bytes(mark), refusal))
        for ident, source, key, number, envelope, mark, refusal in driver.rows(connection, _PARKED, rows)
    ]


def move(connection: Connection, positions: Mapping[Key, int], now: datetime) -> None:
    """The next number of each key from now on."""
    rows = rows_parameter(
        {"source": source, "partitionkey": key, "next": number} for (source, key), number in positions.items()
    )
    driver.execute(connection, _MOVE, {**rows, "now": now})


def park(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keeps commands that came early."""
    driver.execute(connection, _PARK, rows_parameter(rows))


def unpark(connection: Connection, ids: Iterable[Id]) -> None:
    """These no longer wait."""
    driver.execute(connection, _UNPARK, {"ids": ids_parameter(ids)})


def waited_too_long(connection: Connection, before: datetime, most: int) -> list[Key]:
    """Keys under which a command has been parked, and the next number missing, since before this time."""
    rows = driver.rows(connection, _WAITED_TOO_LONG, {"before": before, "most": most})
    return [(row[0], row[1]) for row in rows]


def prune(connection: Connection, before: datetime, most: int) -> int:
    """Forgets keys that nothing has moved since this time; their numbers would begin at 1 again."""
    return driver.execute(connection, _PRUNE, {"before": before, "most": most})
