"""The orders of lists, in the form that the indexes of runs can answer (see docs/decisions).

Each order is a column and then the id, both in the same direction, or the id alone. NULLs stand where PostgreSQL has
them: last if ascending, first if descending. No index has the whole of an order whose column changes with a run's
state, so it is read in pieces, each from an index or small, which are then merged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, func, literal, or_, select, union_all
from sqlalchemy import tuple_ as row_of

from messages.fields import Id
from store.reads.criteria import Clause
from store.reads.resting import Scope, fits, in_motion, too_long, within
from store.tables.runs import flow_run, task_run


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands in an order: what it is ordered by, and its id."""

    value: datetime | str | None
    id: Id


class Part(NamedTuple):
    """Some of the runs, and the column that has for them what the order is by."""

    scope: Scope
    column: ColumnElement[Any]
    where: Clause | None = None
    has_nulls: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """One order. The parts are disjoint, and together all runs; without parts: the order of the ids.

    `nulls_apart`: the index leaves NULLs out. These are read in the order of the ids.
    """

    table: Table
    parts: Sequence[Part]
    descending: bool
    nulls_apart: bool = False

    def places(
        self,
        where: Callable[[Scope], Clause],
        asked: Sequence[Scope],
        after: Place | None,
        *,
        offset: int,
        limit: int,
    ) -> Select[Any]:
        """`value` and `id` of those runs that stand behind a place, in this order.

        `where` says in the terms of a scope what is asked for; all of it is in the scopes `asked`, which have no
        run in common.
        """
        found = (piece for scope in asked for piece in self._pieces(scope, after))
        pieces = [piece.where(where(scope)) for scope, piece in found]
        if len(pieces) == 1:
            return pieces[0].offset(offset).limit(limit)
        merged = union_all(*(each.limit(offset + limit).subquery().select() for each in pieces)).subquery()
        return self._sorted(merged.select(), merged.c.value, merged.c.id).offset(offset).limit(limit)

    def _pieces(self, asked: Scope, after: Place | None) -> Iterator[tuple[Scope, Select[Any]]]:
        if not self.parts:
            run_id = self.table.c.id
            every = select(run_id.label("value"), run_id).where(*within(self.table, asked))
            query = self._sorted(every, run_id)
            yield asked, query if after is None else query.where(self._behind([run_id], [after.id]))
        for part in self.parts:
            scopes = {part.scope, asked} - {Scope.ALL}
            if len(scopes) <= 1:
                scope = next(iter(scopes), Scope.ALL)
                yield from ((scope, piece) for piece in self._pieces_of(part, scope, after))

    def _pieces_of(self, part: Part, scope: Scope, after: Place | None) -> list[Select[Any]]:
        """Up to two: one without NULLs and one of NULLs, if the place lies before it."""
        column, run_id = part.column, self.table.c.id
        clauses = [*within(self.table, scope), *([] if part.where is None else [part.where])]
        every = select(column.label("value"), run_id).where(*clauses)
        if after is None and not self.nulls_apart:
            return [self._sorted(every, column, run_id)]
        pieces = []
        if after is None or after.value is not None or self.descending:
            known = every.where(column.is_not(None)) if part.has_nulls else every
            if after is not None and after.value is not None:
                known = known.where(self._behind([column, run_id], [after.value, after.id]))
            pieces.append(self._sorted(known, column, run_id))
        if part.has_nulls and (after is None or after.value is None or not self.descending):
            nulls = every.where(column.is_(None))
            if after is not None and after.value is None:
                nulls = nulls.where(self._behind([run_id], [after.id]))
            pieces.append(self._sorted(nulls, *([] if self.nulls_apart else [column]), run_id))
        return pieces

    def _behind(self, columns: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> Clause:
        """As a comparison of rows: the form in which an index can begin at a place."""
        place = [literal(value, column.type) for column, value in zip(columns, values, strict=True)]
        here, there = row_of(*columns), row_of(*place)
        return here < there if self.descending else here > there

    def _sorted(self, query: Select[Any], *columns: ColumnElement[Any]) -> Select[Any]:
        return query.order_by(*(each.desc() if self.descending else each.asc() for each in columns))


def _orders_of(table: Table) -> dict[str, Order]:
    """Those that flow runs and task runs have in common."""
    columns = table.c
    expected = _resting(columns.resting_expected_start, columns.expected_start_time)
    names = [
        Part(Scope.AT_REST, columns.name, fits(columns.name), has_nulls=False),
        Part(Scope.ALL, columns.name, or_(in_motion(table), too_long(columns.name)), has_nulls=False),
    ]
    planned = [Part(Scope.ALL, columns.next_scheduled_start_time)]
    return {
        "ID_DESC": Order(table, (), descending=True),
        "EXPECTED_START_TIME_ASC": Order(table, expected, descending=False),
        "EXPECTED_START_TIME_DESC": Order(table, expected, descending=True),
        "NAME_ASC": Order(table, names, descending=False),
        "NAME_DESC": Order(table, names, descending=True),
        "NEXT_SCHEDULED_START_TIME_ASC": Order(table, planned, descending=False, nulls_apart=True),
        "END_TIME_DESC": Order(table, [Part(Scope.ALL, columns.end_time)], descending=True),
    }


def _resting(resting: ColumnElement[Any], moving: ColumnElement[Any]) -> list[Part]:
    return [Part(Scope.AT_REST, resting), Part(Scope.IN_MOTION, moving)]


def _orders_of_flow_runs() -> dict[str, Order]:
    columns = flow_run.c
    started = func.coalesce(columns.start_time, columns.expected_start_time)
    starts = _resting(columns.resting_start, started)
    return {
        **_orders_of(flow_run),
        "START_TIME_ASC": Order(flow_run, starts, descending=False),
        "START_TIME_DESC": Order(flow_run, starts, descending=True),
    }


FLOW_RUN_ORDERS: Mapping[str, Order] = _orders_of_flow_runs()
TASK_RUN_ORDERS: Mapping[str, Order] = _orders_of(task_run)
