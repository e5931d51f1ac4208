"""Statements that are ready as text, run on the driver's own cursor.

SQLAlchemy keeps the connection, the transaction and the pool. Its result objects would cost more than the
statements themselves, where ten of them make a batch of one command.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from psycopg import Cursor
from psycopg.rows import dict_row
from sqlalchemy import Connection

from store.pipeline import Pipeline, pipeline_of

Parameters = Mapping[str, Any]
_NONE: Parameters = {}


class Asked(Protocol):
    """A query that has been sent. In a pipeline nobody waits for its rows until they are asked for."""

    def rows(self) -> list[Any]:
        """Its rows: tuples, or dictionaries if they were asked for by name."""


class _Answered:
    """Outside of a pipeline a query has been answered once it has been sent."""

    def __init__(self, cursor: Cursor[Any]) -> None:
        self._cursor = cursor

    def rows(self) -> list[Any]:
        return self._cursor.fetchall()


def execute(connection: Connection, statement: str, parameters: Parameters = _NONE) -> int:
    """Runs a statement; answers how many rows it touched, -1 in a pipeline, where nobody waits for that."""
    pipeline = _open_pipeline(connection)
    if pipeline is not None:
        pipeline.execute(statement, parameters)
        return -1
    return _cursor(connection).execute(statement, parameters).rowcount


def ask(connection: Connection, statement: str, parameters: Parameters = _NONE) -> Asked:
    """Sends a query whose rows are tuples."""
    pipeline = _open_pipeline(connection)
    if pipeline is not None:
        return pipeline.ask(statement, parameters)
    return _Answered(_cursor(connection).execute(statement, parameters))


def ask_by_name(connection: Connection, statement: str, parameters: Parameters = _NONE) -> Asked:
    """Sends a query whose rows are dictionaries, by the names of their columns."""
    pipeline = _open_pipeline(connection)
    if pipeline is not None:
        return pipeline.ask(statement, parameters, by_name=True)
    driver: Any = connection.connection.driver_connection
    return _Answered(driver.cursor(row_factory=dict_row).execute(statement, parameters))


def rows(connection: Connection, statement: str, parameters: Parameters = _NONE) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return ask(connection, statement, parameters).rows()


def records(connection: Connection, statement: str, parameters: Parameters = _NONE) -> list[dict[str, Any]]:
    """The rows of a query, by the names of their columns."""
    return ask_by_name(connection, statement, parameters).rows()


def scalars(connection: Connection, statement: str, parameters: Parameters = _NONE) -> list[Any]:
    """The first column of a query."""
    return [row[0] for row in rows(connection, statement, parameters)]


def scalar(connection: Connection, statement: str, parameters: Parameters = _NONE) -> Any:
    """The only value of a query."""
    return rows(connection, statement, parameters)[0][0]


def _open_pipeline(connection: Connection) -> Pipeline | None:
    pipeline = pipeline_of(connection)
    return pipeline if pipeline is not None and pipeline.is_open else None


def _cursor(connection: Connection) -> Cursor[tuple[Any, ...]]:
    driver: Any = connection.connection.driver_connection
    cursor: Cursor[tuple[Any, ...]] = driver.cursor()
    return cursor
