"""The outbox: the events of each transaction, published after it by the relay; and results that may not have left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import to_json
from sqlalchemy import Connection

from messages.fields import Id
from store.recordset import texts_parameter

# What the relay holds while it is the active one.
RELAY_LOCK = 0x1A7E_0002

_INSERT = "INSERT INTO outbox (created, entries) VALUES (%(now)s, CAST(%(entries)s AS json))"
_WAITING = "SELECT id, entries FROM outbox WHERE published IS NULL ORDER BY id LIMIT %(most)s"
_MARK = """
UPDATE outbox SET published = %(now)s
WHERE id = ANY(CAST(%(ids)s AS bigint[]))
"""
_PRUNE = """
DELETE FROM outbox WHERE id IN (
  SELECT id FROM outbox WHERE published IS NOT NULL AND published < %(before)s ORDER BY published LIMIT %(most)s)
"""
_NOTE_RESULTS = """
INSERT INTO unpublished_results (created, command_ids) VALUES (%(now)s, CAST(%(ids)s AS json)) RETURNING id
"""
_FORGET_RESULTS = "DELETE FROM unpublished_results WHERE id = ANY(CAST(%(ids)s AS bigint[]))"
_UNPUBLISHED = """
SELECT c.replyto, c.result FROM command c
WHERE c.replyto IS NOT NULL AND c.id IN (
  SELECT CAST(value AS uuid) FROM unpublished_results u, json_array_elements_text(u.command_ids)
  WHERE u.id = ANY(CAST(%(ids)s AS bigint[])))
"""
_OLD_RESULTS = "SELECT id FROM unpublished_results WHERE created < %(before)s ORDER BY id LIMIT %(most)s"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one transaction has to say: (stream, envelope) each."""

    id: int
    entries: Sequence[tuple[str, str]]


def insert(connection: Connection, entries: Sequence[tuple[str, str]], now: datetime) -> None:
    """Puts a transaction's events into the outbox. The rows that they are about must be locked by now: the
    outbox's id is drawn here, and gives the events of a run their order."""
    connection.exec_driver_sql(_INSERT, {"now": now, "entries": to_json(entries).decode()})


def become_the_relay(connection: Connection) -> bool:
    """Whether this session is now the one that publishes; it is until its connection ends."""
    return bool(
        connection.exec_driver_sql("SELECT pg_try_advisory_lock(%(key)s)", {"key": RELAY_LOCK}).scalar()
    )


def waiting(connection: Connection, most: int) -> list[Waiting]:
    """What has not been published, oldest first."""
    return [Waiting(row[0], row[1]) for row in connection.exec_driver_sql(_WAITING, {"most": most})]


def mark_published(connection: Connection, ids: Iterable[int], now: datetime) -> None:
    """These have reached their streams."""
    connection.exec_driver_sql(_MARK, {"ids": _array(ids), "now": now})


def prune(connection: Connection, before: datetime, most: int) -> int:
    """Deletes up to `most` entries that were published before this time; answers how many."""
    return connection.exec_driver_sql(_PRUNE, {"before": before, "most": most}).rowcount


def note_results(connection: Connection, command_ids: Iterable[Id], now: datetime) -> int:
    """Remembers that this transaction's results are still to be published; answers the note's id."""
    parameters = {"now": now, "ids": texts_parameter(map(str, command_ids))}
    return int(connection.exec_driver_sql(_NOTE_RESULTS, parameters).scalar_one())


def forget_results(connection: Connection, notes: Iterable[int]) -> None:
    """The results of these notes have reached their streams."""
    connection.exec_driver_sql(_FORGET_RESULTS, {"ids": _array(notes)})


def old_results(connection: Connection, before: datetime, most: int) -> list[int]:
    """Notes of results that should have left long ago."""
    rows = connection.exec_driver_sql(_OLD_RESULTS, {"before": before, "most": most})
    return list(rows.scalars())


def results_of(connection: Connection, notes: Iterable[int]) -> list[tuple[str, str]]:
    """The results that these notes speak of: (reply address, envelope) each."""
    return [(row[0], row[1]) for row in connection.exec_driver_sql(_UNPUBLISHED, {"ids": _array(notes)})]


def _array(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
