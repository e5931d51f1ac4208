"""Tables whose rows are values of `messages`: found, inserted, updated, deleted in whole sets."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Select, Table, bindparam, delete, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from messages.fields import Id
from store import driver
from store.driver import Asked
from store.recordset import NO_IDS, ids_parameter, insert_rows, rows_parameter, sql, update_rows

T = TypeVar("T")
IDS = bindparam("ids", type_=ARRAY(Uuid))


class RowStore(Generic[T]):
    """The statements of one table; `make` turns a row into a value."""

    def __init__(self, table: Table, query: Select[Any], make: Callable[[Mapping[str, Any]], T]) -> None:
        self._table, self._make = table, make
        mine = query.where(table.c.id == func.any(IDS)).order_by(table.c.id)
        self._read = sql(mine)
        self._lock = sql(mine.with_for_update(key_share=True, of=table))
        self._insert = insert_rows(table)
        changing = [each.name for each in table.columns if each.name not in ("id", "created")]
        self._update = update_rows(table, changing)
        self._delete = sql(delete(table).where(table.c.id == func.any(IDS)))

    def load(self, connection: Connection, ids: Iterable[Id], *, lock: bool = False) -> list[T]:
        """The rows that exist; locked in the order of their ids if asked."""
        wanted = ids_parameter(ids)
        if wanted == NO_IDS:
            return []
        statement = self._lock if lock else self._read
        return self.loaded(driver.ask_by_name(connection, statement, {"ids": wanted}))

    def loaded(self, asked: Asked) -> list[T]:
        """The rows of a query that was sent before."""
        return [self._make(row) for row in asked.rows()]

    def insert(self, connection: Connection, values: Iterable[T]) -> None:
        """New rows."""
        driver.execute(connection, self._insert, rows_parameter(map(plain, values)))

    def update(self, connection: Connection, values: Iterable[T]) -> None:
        """All columns of rows that exist."""
        driver.execute(connection, self._update, rows_parameter(map(plain, values)))

    def delete(self, connection: Connection, ids: Iterable[Id]) -> None:
        """Deletes rows."""
        driver.execute(connection, self._delete, {"ids": ids_parameter(ids)})


def plain(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, as they are."""
    return {each.name: getattr(value, each.name) for each in fields(value)}
