"""The outbox: the events of each transaction, published after it by the relay; and results that may not have left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from msgspec import Raw
from msgspec.json import Decoder
from sqlalchemy import Connection

from messages.fields import Id
from store import driver
from store.encoding import encode
from store.recordset import ids_parameter

# What the relay holds while it is the active one.
RELAY_LOCK = 0x1A7E_0002

# One command can have very many events: those who publish them take them in portions.
_IN_A_ROW = 2_000

_TRY_LOCK = "SELECT pg_try_advisory_lock(%(key)s)"
_INSERT = "INSERT INTO outbox (created, entries) VALUES (%(now)s, %(entries)s)"
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
INSERT INTO unpublished_results (id, created, command_ids) VALUES (%(id)s, %(now)s, %(ids)s)
"""
_FORGET_RESULTS = "DELETE FROM unpublished_results WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
_UNPUBLISHED = """
SELECT c.replyto, c.result FROM unpublished_results u
CROSS JOIN LATERAL unnest(u.command_ids) WITH ORDINALITY AS told(id, place)
JOIN command c ON c.id = told.id
WHERE u.id = ANY(CAST(%(ids)s AS uuid[])) AND c.replyto IS NOT NULL ORDER BY u.created, u.id, told.place
"""
_OLD_RESULTS = (
    "SELECT id FROM unpublished_results WHERE created < %(before)s ORDER BY created, id LIMIT %(most)s"
)
# Envelopes stay the texts that they are.
_entries = Decoder(list[tuple[str, Raw]]).decode


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one transaction has to say: (stream, envelope) each."""

    id: int
    entries: Sequence[tuple[str, bytes]]


def insert(connection: Connection, entries: Iterable[tuple[str, bytes]], now: datetime) -> int:
    """Puts a transaction's events into the outbox, very many of them in several rows; answers how many they are.

    Envelopes are JSON objects, in UTF-8. The rows that they are about must be locked by now: the outbox's id is drawn
    here, and gives the events of a run their order.
    """
    number, left = 0, iter(entries)
    while some := list(islice(left, _IN_A_ROW)):
        text = encode([(stream, Raw(envelope)) for stream, envelope in some]).decode()
        driver.execute(connection, _INSERT, {"now": now, "entries": text})
        number += len(some)
    return number


def become_the_relay(connection: Connection) -> bool:
    """Whether this session is now the one that publishes; it is until its connection ends."""
    return bool(driver.scalar(connection, _TRY_LOCK, {"key": RELAY_LOCK}))


def waiting(connection: Connection, most: int) -> list[Waiting]:
    """What has not been published, oldest first."""
    rows = driver.rows(connection, _WAITING, {"most": most})
    return [Waiting(ident, [(stream, bytes(text)) for stream, text in _entries(row)]) for ident, row in rows]


def mark_published(connection: Connection, ids: Iterable[int], now: datetime) -> None:
    """These have reached their streams."""
    driver.execute(connection, _MARK, {"ids": _array(ids), "now": now})


def prune(connection: Connection, before: datetime, most: int) -> int:
    """Deletes up to `most` entries that were published before this time; answers how many."""
    return driver.execute(connection, _PRUNE, {"before": before, "most": most})


def note_results(connection: Connection, note: Id, command_ids: Iterable[Id], now: datetime) -> None:
    """Remembers, under the id `note`, that this transaction's results are still to be published."""
    parameters = {"id": note, "now": now, "ids": ids_parameter(command_ids)}
    driver.execute(connection, _NOTE_RESULTS, parameters)


def forget_results(connection: Connection, notes: Iterable[Id]) -> None:
    """The results of these notes have reached their streams."""
    driver.execute(connection, _FORGET_RESULTS, {"ids": ids_parameter(notes)})


def old_results(connection: Connection, before: datetime, most: int) -> list[Id]:
    """Notes of results that should have left long ago."""
    return driver.scalars(connection, _OLD_RESULTS, {"before": before, "most": most})


def results_of(connection: Connection, notes: Iterable[Id]) -> list[tuple[str, str]]:
    """The results that these notes speak of: (reply address, envelope) each."""
    rows = driver.rows(connection, _UNPUBLISHED, {"ids": ids_parameter(notes)})
    return [(row[0], row[1]) for row in rows]


def _array(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
