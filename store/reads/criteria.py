"""Criteria as SQL: what each operator of a filter says of a column.

NULL logic is PostgreSQL's: `not_any_` leaves out rows whose column is NULL. Everything that a sender wrote is
a bound parameter; a list is one parameter, however long it is.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, all_, and_, any_, false, literal, or_, true
from sqlalchemy.dialects.postgresql import JSONB

from messages.fields import Data
from messages.filters import Operator

Clause: TypeAlias = ColumnElement[bool]
#: What a criterion comes to: one clause.
Meaning: TypeAlias = Callable[[Any], Clause]


def joined(criteria: Data, clauses: Sequence[Clause]) -> Clause:
    """The clauses, joined by the criteria's own operator if they have one. None at all: TRUE."""
    if not clauses:
        return true()
    return or_(*clauses) if getattr(criteria, "operator", Operator.AND) is Operator.OR else and_(*clauses)


def clause(criteria: Data, meanings: Mapping[str, Meaning]) -> Clause:
    """What a filter asks for: one clause for each criterion that is given, TRUE for one that is empty."""
    given = ((meaning, getattr(criteria, name)) for name, meaning in meanings.items())
    return joined(criteria, [meaning(value) for meaning, value in given if value is not None])


def of(column: ColumnElement[Any]) -> Meaning:
    """What criteria say of a plain column."""
    return lambda criteria: joined(criteria, said_of(column, criteria))


def of_tags(column: ColumnElement[Any]) -> Meaning:
    """What criteria say of a column with a list of tags. No tags at all count as null."""
    return lambda criteria: clause(
        criteria,
        {
            "all_": lambda tags: column.contains(literal(list(tags), JSONB)),
            "is_null_": lambda empty: (column == _NO_TAGS) if empty else (column != _NO_TAGS),
        },
    )


def said_of(column: ColumnElement[Any], criteria: Data) -> list[Clause]:
    """The criteria one by one, not yet joined."""
    given = ((operator, getattr(criteria, name, None)) for name, operator in _OPERATORS.items())
    return [operator(column, value) for operator, value in given if value is not None]


def one_of(column: ColumnElement[Any], values: Sequence[UUID | str]) -> Clause:
    """Never true of NULL, nor of an empty list. Of one value: a plain comparison, which keeps an index's order."""
    if len(values) == 1:
        return column == literal(_plain(values[0]), column.type)
    return column == any_(_array(column, values)) if values else false()


def none_of(column: ColumnElement[Any], values: Sequence[UUID | str]) -> Clause:
    """Never true of NULL, unless the list is empty: then true of all."""
    return column != all_(_array(column, values))


def _array(column: ColumnElement[Any], values: Sequence[UUID | str]) -> ColumnElement[Any]:
    return literal([_plain(value) for value in values], ARRAY(column.type))


def _plain(value: UUID | str) -> UUID | str:
    # Members of an enumeration would be sent by their Python names.
    return value if isinstance(value, UUID) else str(value)


def containing(column: ColumnElement[Any], part: str) -> Clause:
    """Whatever the case. `%` and `_` are wildcards on purpose, as the senders expect."""
    return column.ilike(f"%{part}%")


def _beginning_with(column: ColumnElement[Any], parts: Sequence[str]) -> Clause:
    return or_(false(), *(column.ilike(f"{part}%") for part in parts))


def at_or_before(column: ColumnElement[Any], moment: datetime) -> Clause:
    """Never true of NULL."""
    return column <= moment


def at_or_after(column: ColumnElement[Any], moment: datetime) -> Clause:
    """Never true of NULL."""
    return column >= moment


def _null_or_not(column: ColumnElement[Any], is_null: bool) -> Clause:
    return column.is_(None) if is_null else column.is_not(None)


def _equal(column: ColumnElement[Any], value: bool) -> Clause:
    return column.is_(value)


_NO_TAGS = literal([], JSONB)
_OPERATORS: Mapping[str, Callable[[ColumnElement[Any], Any], Clause]] = {
    "any_": one_of,
    "not_any_": none_of,
    "like_": containing,
    "startswith_": _beginning_with,
    "before_": at_or_before,
    "after_": at_or_after,
    "is_null_": _null_or_not,
    "eq_": _equal,
}
