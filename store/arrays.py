"""Arrays in PostgreSQL's binary form: what is long is neither escaped here nor parsed there.

The form is that of `array_send` and `array_recv` in PostgreSQL's `arrayfuncs.c`: the number of dimensions, whether
there are nulls, the type of the elements; length and lower bound of the dimension; then the length of each element,
-1 for null, and its bytes. All numbers have 32 bits, the highest byte first.
"""

from collections.abc import Iterable
from struct import Struct
from typing import Any
from uuid import UUID

from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER, _LENGTH = Struct(">iiiii").pack, Struct(">i").pack
_NULL = _LENGTH(-1)
# Types of elements and of arrays of them, by the numbers that they have in every PostgreSQL.
_UUID, _UUIDS = 2950, 2951
_TEXT, _TEXTS = 25, 1009
_BYTEA, _BYTEAS = 17, 1001


class Uuids(bytes):
    """An array of `uuid`."""


class Texts(bytes):
    """An array of `text`."""


class Byteas(bytes):
    """An array of `bytea`."""


def uuids(values: Iterable[UUID]) -> Uuids:
    """Ids."""
    return Uuids(_array(_UUID, (value.int.to_bytes(16) for value in values)))


def texts(values: Iterable[str | bytes | None]) -> Texts:
    """Texts; what is in UTF-8 already may be given as it is."""
    return Texts(_array(_TEXT, (value.encode() if isinstance(value, str) else value for value in values)))


def byteas(values: Iterable[bytes]) -> Byteas:
    """Strings of bytes."""
    return Byteas(_array(_BYTEA, values))


def _array(kind: int, values: Iterable[bytes | None]) -> bytes:
    parts: list[bytes] = [b""]
    nulls = 0
    for value in values:
        if value is None:
            nulls = 1
            parts += (_NULL, b"")
        else:
            parts += (_LENGTH(len(value)), value)
    parts[0] = _HEADER(1, nulls, kind, len(parts) // 2, 1)
    return b"".join(parts)


class _AsItIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


class _UuidsDumper(_AsItIs):
    oid = _UUIDS


class _TextsDumper(_AsItIs):
    oid = _TEXTS


class _ByteasDumper(_AsItIs):
    oid = _BYTEAS


def register(connection: Any) -> None:
    """Has a connection of the driver take such arrays as parameters."""
    for kind, dumper in ((Uuids, _UuidsDumper), (Texts, _TextsDumper), (Byteas, _ByteasDumper)):
        connection.adapters.register_dumper(kind, dumper)
