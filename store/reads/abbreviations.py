"""Ids as people write them: as much of the beginning as tells one row from all others. Reads only."""

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection

from messages.fields import Id
from store import driver
from store.recordset import ids_parameter

_FEWEST = 8
_HEX_DIGITS = 32
_BEFORE = "(SELECT t.id FROM {table} t WHERE t.id < k.id ORDER BY t.id DESC LIMIT 1)"
_AFTER = "(SELECT t.id FROM {table} t WHERE t.id > k.id ORDER BY t.id LIMIT 1)"
_BETWEEN = "SELECT id FROM {table} WHERE id BETWEEN %(first)s AND %(last)s ORDER BY id LIMIT %(most)s"

#: The tables whose rows people ask for in this way.
TABLES = frozenset({"flow_run", "task_run", "dead_letter"})


def shortest(connection: Connection, tables: Sequence[str], ids: Iterable[Id]) -> dict[Id, str]:
    """For each id the shortest beginning, of eight characters or more, that no other row of the tables has.

    Only the neighbours in the order of ids need to be looked at: nobody else has more in common with it.
    """
    looks = ", ".join(look.format(table=_known(table)) for table in tables for look in (_BEFORE, _AFTER))
    statement = f"SELECT k.id, {looks} FROM unnest(CAST(%(ids)s AS uuid[])) AS k(id)"
    rows = driver.rows(connection, statement, {"ids": ids_parameter(ids)})
    return {
        row[0]: _shortest(str(row[0]), [str(each) for each in row[1:] if each is not None]) for row in rows
    }


def beginning_with(connection: Connection, table: str, beginning: str, most: int) -> list[Id]:
    """Up to `most` ids of a table that begin so, in their order; none for what is no beginning of an id."""
    bounds = bounds_of(beginning)
    if bounds is None:
        return []
    parameters = {"first": bounds[0], "last": bounds[1], "most": most}
    return driver.scalars(connection, _BETWEEN.format(table=_known(table)), parameters)


def bounds_of(beginning: str) -> tuple[Id, Id] | None:
    """The least and the greatest id that begins so; None if no id can, or if it says too little."""
    digits = beginning.replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{4,32}", digits) or not _whole().startswith(_shape(beginning)):
        return None
    rest = _HEX_DIGITS - len(digits)
    return UUID(digits + "0" * rest), UUID(digits + "f" * rest)


def _shortest(ident: str, others: Iterable[str]) -> str:
    same = max((_in_common(ident, other) for other in others), default=0)
    length = max(_FEWEST, same + 1)
    # Not to end with a hyphen.
    return ident[: length + 1] if ident[length - 1 : length] == "-" else ident[:length]


def _in_common(one: str, other: str) -> int:
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=True)) if len(set(pair)) > 1), len(one)
    )


def _shape(text: str) -> str:
    """Where hyphens may stand, if there are any."""
    return re.sub("[0-9a-fA-F]", "x", text) if "-" in text else ""


def _whole() -> str:
    return "-".join("x" * length for length in (8, 4, 4, 4, 12))


def _known(table: str) -> str:
    if table not in TABLES:
        raise ValueError(f"nobody asks for ids of {table}")
    return table
