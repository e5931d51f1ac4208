"""Statements that are ready as text, run on the driver's own cursor.

SQLAlchemy keeps the connection, the transaction and the pool. Its result objects would cost more than the
statements themselves, where ten of them make a batch of one command.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import Cursor
from psycopg.rows import dict_row
from sqlalchemy import Connection

Parameters = Mapping[str, Any]
_NONE: Parameters = {}


def execute(connection: Connection, statement: str, parameters: Parameters = _NONE) -> int:
    """Runs a statement; answers how many rows it touched."""
    return _cursor(connection).execute(statement, parameters).rowcount


class Asked:
    """A query that has been sent. In a pipeline nobody waits for its rows until they are asked for."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def rows(self) -> list[Any]:
        """Its rows: tuples, or dictionaries if they were asked for by name."""
        found: list[Any] = self._cursor.fetchall()
        return found


def ask(connection: Connection, statement: str, parameters: Parameters = _NONE) -> Asked:
    """Sends a query whose rows are tuples."""
    return Asked(_cursor(connection).execute(statement, parameters))


def ask_by_name(connection: Connection, statement: str, parameters: Parameters = _NONE) -> Asked:
    """Sends a query whose rows are dictionaries, by the names of their columns."""
    driver: Any = connection.connection.driver_connection
    return Asked(driver.cursor(row_factory=dict_row).execute(statement, parameters))


def rows(connection: Connection, statement: str, parameters: Parameters = _NONE) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return _cursor(connection).execute(statement, parameters).fetchall()


def records(connection: Connection, statement: str, parameters: Parameters = _NONE) -> list[dict[str, Any]]:
    """The rows of a query, by the names of their columns."""
    driver: Any = connection.connection.driver_connection
    cursor: Cursor[dict[str, Any]] = driver.cursor(row_factory=dict_row)
    return cursor.execute(statement, parameters).fetchall()


def scalars(connection: Connection, statement: str, parameters: Parameters = _NONE) -> list[Any]:
    """The first column of a query."""
    return [row[0] for row in rows(connection, statement, parameters)]


def scalar(connection: Connection, statement: str, parameters: Parameters = _NONE) -> Any:
    """The only value of a query."""
    return rows(connection, statement, parameters)[0][0]


def _cursor(connection: Connection) -> Cursor[tuple[Any, ...]]:
    driver: Any = connection.connection.driver_connection
    cursor: Cursor[tuple[Any, ...]] = driver.cursor()
    return cursor
