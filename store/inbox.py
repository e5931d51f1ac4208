"""The inbox: the id of a command that has ended -> its result. Written in the transaction of the command itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from messages.evolve import value
from messages.fields import Id
from store import arrays, driver
from store.driver import Asked
from store.recordset import ids_parameter

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
_INSERT = """
INSERT INTO command (id, source, type, fingerprint, status, replyto, result, finished)
SELECT given.*, %(finished)s
FROM unnest(%(ids)s, %(sources)s, %(types)s, %(fingerprints)s, %(statuses)s, %(replytos)s, %(results)s) AS given
"""
_PRUNE = """
DELETE FROM command WHERE id IN (SELECT id FROM command WHERE finished < %(before)s ORDER BY finished LIMIT %(most)s)
"""
_FORGET = "DELETE FROM command WHERE id = ANY(CAST(%(ids)s AS uuid[]))"


@value()
class Row:
    """A command that has ended: the envelope of its result is the text that is published, in UTF-8."""

    id: Id
    source: str
    type: str
    fingerprint: bytes
    status: str
    replyto: str | None
    result: bytes


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


def insert(connection: Connection, rows: Sequence[Row], finished: datetime) -> None:
    """Commands that end in this transaction. A second transaction with the same id fails, and finds the first."""
    parameters = {
        "ids": arrays.uuids(row.id for row in rows),
        "sources": arrays.texts(row.source for row in rows),
        "types": arrays.texts(row.type for row in rows),
        "fingerprints": arrays.byteas(row.fingerprint for row in rows),
        "statuses": arrays.texts(row.status for row in rows),
        "replytos": arrays.texts(row.replyto for row in rows),
        "results": arrays.texts(row.result for row in rows),
        "finished": finished,
    }
    driver.execute(connection, _INSERT, parameters)


def forget(connection: Connection, ids: Iterable[Id]) -> None:
    """These commands are as if they had not ended."""
    driver.execute(connection, _FORGET, {"ids": ids_parameter(ids)})


def prune(connection: Connection, before: datetime, most: int) -> int:
    """Forgets up to `most` commands that ended before this time; answers how many."""
    return driver.execute(connection, _PRUNE, {"before": before, "most": most})
