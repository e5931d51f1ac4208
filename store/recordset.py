"""Whole sets of rows in one statement: the rows travel as one JSON text, which PostgreSQL takes apart.

Lists of Python values would be dumped one by one by the driver, which costs more than all else.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ClauseElement, Column, Table, bindparam, cast, column, func, insert, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSON

from store.arrays import Uuids, uuids
from store.encoding import encode

_DIALECT = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


def sql(statement: ClauseElement) -> str:
    """A statement as text, made once, so that running it costs no compilation."""
    return str(statement.compile(dialect=_DIALECT))


def _records(columns: Sequence[Column[Any]]) -> Any:
    rows = cast(bindparam("rows"), JSON)
    described = [column(each.name, each.type) for each in columns]
    return func.json_to_recordset(rows).table_valued(*described, name="r").render_derived(with_types=True)


def insert_rows(table: Table, *, without: Iterable[str] = ()) -> str:
    """INSERT of `rows`, each a JSON object with the table's column names."""
    skipped = set(without)
    columns = [each for each in table.columns if each.name not in skipped and each.computed is None]
    records = _records(columns)
    return sql(insert(table).from_select([each.name for each in columns], records.select()))


def update_rows(
    table: Table, names: Sequence[str], *, key: str = "id", or_as_before: Collection[str] = ()
) -> str:
    """UPDATE of the named columns from `rows`, found by their key; those of `or_as_before` may be left out of a row."""
    records = _records([table.c[key], *(table.c[name] for name in names)])
    values = {
        name: func.coalesce(records.c[name], table.c[name]) if name in or_as_before else records.c[name]
        for name in names
    }
    return sql(update(table).values(values).where(table.c[key] == records.c[key]))


def rows_parameter(rows: Iterable[Any]) -> dict[str, str]:
    """The parameter of these statements. Objects may hold more members than there are columns."""
    return {"rows": encode(list(rows)).decode()}


def ids_parameter(ids: Iterable[UUID]) -> Uuids:
    """An array of UUIDs."""
    return uuids(ids)


#: what `ids_parameter` makes of none
NO_IDS = uuids(())


def texts_parameter(texts: Iterable[str]) -> str:
    """A JSON list of texts."""
    return encode(list(texts)).decode()
