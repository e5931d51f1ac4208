"""The inbox: the id of a command that has ended -> its result. Written in the transaction of the command itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from messages.fields import Id
from store import driver
from store.driver import Asked
from store.recordset import ids_parameter, insert_rows, rows_parameter
from store.tables.delivery import command

_SEEN = """
SELECT id, fingerprint, replyto, result FROM command WHERE id = ANY(CAST(%(ids)s AS uuid[]))
"""
_KNOWN = """
SELECT id, fingerprint, result, 'ended' FROM command WHERE id = ANY(CAST(%(ids)s AS uuid[]))
UNION ALL
SELECT id, fingerprint, NULL, 'parked' FROM parked_command WHERE id = ANY(CAST(%(ids)s AS uuid[]))
UNION ALL
SELECT command_id, fingerprint, NULL, 'tried' FROM attempt WHERE command_id = ANY(CAST(%(ids)s AS uuid[]))
"""
_INSERT = insert_rows(command)
_PRUNE = """
DELETE FROM command WHERE id IN (SELECT id FROM command WHERE finished < %(before)s ORDER BY finished LIMIT %(most)s)
"""
_FORGET = "DELETE FROM command WHERE id = ANY(CAST(%(ids)s AS uuid[]))"


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


@dataclass(slots=True)
class Known:
    """What is known of commands by their ids. One can be parked and to be tried again at once."""

    #: the fingerprint, and the envelope of the result
    ended: dict[Id, tuple[bytes, str]] = field(default_factory=dict)
    #: fingerprints of those that wait for their turn
    parked: dict[Id, bytes] = field(default_factory=dict)
    #: fingerprints of those that are tried again when their time comes
    tried: dict[Id, bytes] = field(default_factory=dict)


def ask_known(connection: Connection, ids: Iterable[Id]) -> Asked:
    """Sends the question that `known` answers."""
    return driver.ask(connection, _KNOWN, {"ids": ids_parameter(ids)})


def known(asked: Asked) -> Known:
    """What became of those of the commands that came before."""
    found = Known()
    for ident, mark, result, how in asked.rows():
        if how == "ended":
            found.ended[ident] = (bytes(mark), result)
        else:
            (found.parked if how == "parked" else found.tried)[ident] = bytes(mark)
    return found


def insert(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Commands that end in this transaction. A second transaction with the same id fails, and finds the first."""
    driver.execute(connection, _INSERT, rows_parameter(rows))


def forget(connection: Connection, ids: Iterable[Id]) -> None:
    """These commands are as if they had not ended."""
    driver.execute(connection, _FORGET, {"ids": ids_parameter(ids)})


def prune(connection: Connection, before: datetime, most: int) -> int:
    """Forgets up to `most` commands that ended before this time; answers how many."""
    return driver.execute(connection, _PRUNE, {"before": before, "most": most})
