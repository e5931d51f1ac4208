"""Dead letters: what could not be read or was given up, kept as it came until somebody decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from messages.fields import Id
from store import driver
from store.recordset import ids_parameter, insert_rows, rows_parameter
from store.tables.delivery import dead_letter

_INSERT = insert_rows(dead_letter)
_HEAD = """
id, created, queue, reason, command_id, type, source, attempts, octet_length(body) AS size, replayed
"""
# What is on its way back to its queue is no dead letter any more, though its row is still there.
_WHERE = """
FROM dead_letter WHERE replayed IS NULL
  AND (CAST(%(reason)s AS text) IS NULL OR strpos(lower(reason), lower(%(reason)s)) > 0)
  AND (CAST(%(type)s AS text) IS NULL OR type = %(type)s)
  AND (CAST(%(source)s AS text) IS NULL OR source = %(source)s)
  AND (CAST(%(since)s AS timestamptz) IS NULL OR created >= %(since)s)
  AND (CAST(%(until)s AS timestamptz) IS NULL OR created <= %(until)s)
"""
_NEWEST = f"SELECT {_HEAD} {_WHERE} ORDER BY created DESC, id DESC LIMIT %(most)s"
_COUNT = f"SELECT count(*) {_WHERE}"
_IDS = f"SELECT id {_WHERE} ORDER BY created, id"
_WITH_BODY = f"SELECT {_HEAD}, body FROM dead_letter WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
_READ = f"{_WITH_BODY} ORDER BY created, id"
_LOCK = f"{_WITH_BODY} AND replayed IS NULL ORDER BY id FOR UPDATE"
_DELETE = "DELETE FROM dead_letter WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
_DISCARD = f"{_DELETE} AND replayed IS NULL"
_REPLAY = "UPDATE dead_letter SET replayed = %(now)s WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
_TO_SEND = f"""
SELECT {_HEAD}, body FROM dead_letter WHERE replayed IS NOT NULL
ORDER BY replayed, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One dead letter. `command_id` only of a command that was given up; `size` in bytes; `body` where it was
    asked for."""

    id: Id
    created: datetime
    queue: str
    reason: str
    command_id: Id | None
    type: str | None
    source: str | None
    attempts: int
    size: int
    replayed: datetime | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Which dead letters: `reason` is a part of it, whatever the case; times are included. None says nothing."""

    reason: str | None = None
    type: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def insert(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """New dead letters; `body` is the text `\\\\x` and the bytes in hexadecimal."""
    driver.execute(connection, _INSERT, rows_parameter(rows))


def as_bytea(body: bytes) -> str:
    """Bytes as PostgreSQL reads them from text."""
    return "\\x" + body.hex()


def newest(connection: Connection, criteria: Criteria, most: int) -> list[Letter]:
    """The newest letters, newest first, without their bodies."""
    return [Letter(**row) for row in driver.records(connection, _NEWEST, {**_given(criteria), "most": most})]


def count(connection: Connection, criteria: Criteria) -> int:
    """How many letters there are."""
    return int(driver.scalar(connection, _COUNT, _given(criteria)))


def ids(connection: Connection, criteria: Criteria) -> list[Id]:
    """The ids of all letters, oldest first."""
    return driver.scalars(connection, _IDS, _given(criteria))


def read(connection: Connection, letter_ids: Iterable[Id]) -> list[Letter]:
    """These letters as far as they exist, oldest first, with their bodies."""
    return _letters(driver.records(connection, _READ, {"ids": ids_parameter(letter_ids)}))


def lock(connection: Connection, letter_ids: Iterable[Id]) -> list[Letter]:
    """Those of the letters that still wait for a decision, locked in the order of their ids, with their bodies."""
    return _letters(driver.records(connection, _LOCK, {"ids": ids_parameter(letter_ids)}))


def mark_replayed(connection: Connection, letter_ids: Iterable[Id], now: datetime) -> None:
    """These are to be put onto their queues again."""
    driver.execute(connection, _REPLAY, {"ids": ids_parameter(letter_ids), "now": now})


def to_send(connection: Connection, most: int) -> list[Letter]:
    """Letters that are to be put onto their queues again, locked, with their bodies."""
    return _letters(driver.records(connection, _TO_SEND, {"most": most}))


def delete(connection: Connection, letter_ids: Iterable[Id]) -> None:
    """These letters are gone."""
    driver.execute(connection, _DELETE, {"ids": ids_parameter(letter_ids)})


def discard(connection: Connection, letter_ids: Iterable[Id]) -> int:
    """Deletes those that still wait for a decision; answers how many."""
    return driver.execute(connection, _DISCARD, {"ids": ids_parameter(letter_ids)})


def _given(criteria: Criteria) -> dict[str, Any]:
    return {name: getattr(criteria, name) for name in ("reason", "type", "source", "since", "until")}


def _letters(rows: Iterable[dict[str, Any]]) -> list[Letter]:
    return [Letter(**{**row, "body": bytes(row["body"])}) for row in rows]
