"""Dead letters: what could not be read or was given up, kept as it came until somebody decides."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from store import driver
from store.recordset import insert_rows, rows_parameter
from store.tables.delivery import dead_letter

_INSERT = insert_rows(dead_letter)


def insert(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """New dead letters; `body` is the text `\\\\x` and the bytes in hexadecimal."""
    driver.execute(connection, _INSERT, rows_parameter(rows))


def as_bytea(body: bytes) -> str:
    """Bytes as PostgreSQL reads them from text."""
    return "\\x" + body.hex()
