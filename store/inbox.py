"""The inbox: the id of a command that has ended -> its result. Written in the transaction of the command itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from messages.fields import Id
from store import driver
from store.recordset import ids_parameter, insert_rows, rows_parameter
from store.tables.delivery import command

_SEEN = """
SELECT id, fingerprint, replyto, result FROM command WHERE id = ANY(CAST(%(ids)s AS uuid[]))
"""
_KNOWN = """
SELECT id, fingerprint, replyto, result, NULL FROM command WHERE id = ANY(CAST(%(ids)s AS uuid[]))
UNION ALL
SELECT id, NULL, NULL, NULL, envelope FROM parked_command WHERE id = ANY(CAST(%(ids)s AS uuid[]))
"""
_FORGET_ATTEMPTS = "DELETE FROM attempt WHERE command_id = ANY(CAST(%(ids)s AS uuid[]))"
_INSERT = insert_rows(command)
_PRUNE = """
DELETE FROM command WHERE id IN (SELECT id FROM command WHERE finished < %(before)s ORDER BY finished LIMIT %(most)s)
"""
_COUNT_ATTEMPT = """
INSERT INTO attempt (command_id, attempts, next_attempt_at, last_error, envelope)
VALUES (%(id)s, 1, %(now)s, %(error)s, %(envelope)s)
ON CONFLICT (command_id) DO UPDATE SET attempts = attempt.attempts + 1, last_error = excluded.last_error
RETURNING attempts
"""
_FAILED = "SELECT envelope FROM attempt WHERE command_id = ANY(CAST(%(ids)s AS uuid[])) ORDER BY command_id"
_TRY_AGAIN = """
INSERT INTO attempt (command_id, attempts, next_attempt_at, last_error, envelope, out_of_turn)
SELECT k.id, 0, %(now)s, k.reason, CAST(k.envelope AS json), k.out_of_turn
FROM json_to_recordset(CAST(%(rows)s AS json)) AS k(id uuid, reason text, envelope text, out_of_turn boolean)
ON CONFLICT (command_id) DO UPDATE
SET next_attempt_at = excluded.next_attempt_at, out_of_turn = excluded.out_of_turn
"""
_OUT_OF_TURN = """
SELECT command_id FROM attempt WHERE command_id = ANY(CAST(%(ids)s AS uuid[])) AND out_of_turn
"""
_FORGET = "DELETE FROM command WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
_POSTPONE = "UPDATE attempt SET next_attempt_at = %(at)s WHERE command_id = %(id)s"
_DUE = """
SELECT command_id FROM attempt WHERE next_attempt_at <= %(now)s
ORDER BY next_attempt_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A command that has ended: what it was, and the envelope of its result."""

    fingerprint: bytes
    replyto: str | None
    result: str


def seen(connection: Connection, ids: Iterable[Id]) -> dict[Id, Seen]:
    """Those of the commands that have ended."""
    rows = driver.rows(connection, _SEEN, {"ids": ids_parameter(ids)})
    return {row[0]: Seen(bytes(row[1]), row[2], row[3]) for row in rows}


def known(connection: Connection, ids: Iterable[Id]) -> tuple[dict[Id, Seen], dict[Id, Mapping[str, Any]]]:
    """Those of the commands that have ended; and the envelopes of those that wait for their turn."""
    ended: dict[Id, Seen] = {}
    parked: dict[Id, Mapping[str, Any]] = {}
    for ident, mark, replyto, result, envelope in driver.rows(
        connection, _KNOWN, {"ids": ids_parameter(ids)}
    ):
        if mark is None:
            parked[ident] = envelope
        else:
            ended[ident] = Seen(bytes(mark), replyto, result)
    return ended, parked


def insert(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Commands that end in this transaction. A second transaction with the same id fails, and finds the first."""
    driver.execute(connection, _INSERT, rows_parameter(rows))


def forget_attempts(connection: Connection, ids: Iterable[Id]) -> None:
    """These commands have ended."""
    driver.execute(connection, _FORGET_ATTEMPTS, {"ids": ids_parameter(ids)})


def count_attempt(connection: Connection, command_id: Id, error: str, envelope: str, now: datetime) -> int:
    """One more failure of a command; answers how many there were."""
    parameters = {"id": command_id, "error": error, "envelope": envelope, "now": now}
    return int(driver.scalar(connection, _COUNT_ATTEMPT, parameters))


def try_again(connection: Connection, rows: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Commands that the clock sends at its next round, as if they had never failed: `id`, `reason`, `envelope` as
    text, and whether they go `out_of_turn`."""
    driver.execute(connection, _TRY_AGAIN, {**rows_parameter(rows), "now": now})


def out_of_turn(connection: Connection, ids: Iterable[Id]) -> frozenset[Id]:
    """Those of the commands that are applied when they come, whatever their number."""
    return frozenset(driver.scalars(connection, _OUT_OF_TURN, {"ids": ids_parameter(ids)}))


def forget(connection: Connection, ids: Iterable[Id]) -> None:
    """These commands are as if they had not ended."""
    driver.execute(connection, _FORGET, {"ids": ids_parameter(ids)})


def postpone(connection: Connection, command_id: Id, until: datetime) -> None:
    """Not to be tried again before this time."""
    driver.execute(connection, _POSTPONE, {"id": command_id, "at": until})


def failed(connection: Connection, ids: Iterable[Id]) -> list[Mapping[str, Any]]:
    """The envelopes of those of the commands that have failed and not ended yet."""
    return driver.scalars(connection, _FAILED, {"ids": ids_parameter(ids)})


def due(connection: Connection, now: datetime, most: int) -> list[Id]:
    """Commands whose next try has come, locked."""
    return driver.scalars(connection, _DUE, {"now": now, "most": most})


def prune(connection: Connection, before: datetime, most: int) -> int:
    """Forgets up to `most` commands that ended before this time; answers how many."""
    return driver.execute(connection, _PRUNE, {"before": before, "most": most})
