"""Lists and counts of runs: orders, and pages by offset or by the place where the page before ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic

from sqlalchemy import Column, ColumnElement, Select, Table, and_, func, or_, select

from messages.fields import Id
from messages.queries import FlowRunSort, RunFilters, TaskRunSort
from store.reads.criteria import Clause
from store.reads.filters import flow_runs_where, task_runs_where
from store.runs import FLOW_RUNS, TASK_RUNS, R, RunStore
from store.tables.runs import flow_run, task_run
from store.transaction import Connection


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands in an order: what it is ordered by, and its id."""

    value: datetime | str | None
    id: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list: `after` a place, or from `offset` on."""

    limit: int
    offset: int = 0
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[R]):
    """The runs of a page, and the place of the last of them if more follow."""

    runs: Sequence[R]
    end: Place | None


class _Order:
    """One order: a column and then the id, both in the same direction. Without a column, the id alone.

    NULLs stand where PostgreSQL has them: last if ascending, first if descending.
    """

    def __init__(self, column: ColumnElement[Any] | None, *, descending: bool) -> None:
        self.column, self.descending = column, descending

    def columns(self, table: Table) -> list[ColumnElement[Any]]:
        return [table.c.id] if self.column is None else [self.column, table.c.id]

    def apply(self, query: Select[Any], table: Table, after: Place | None) -> Select[Any]:
        """The query in this order, from behind a place on."""
        columns = self.columns(table)
        query = query.order_by(*(each.desc() if self.descending else each.asc() for each in columns))
        return query if after is None else query.where(self._behind(table.c.id, after))

    def _behind(self, run_id: Column[Any], place: Place) -> Clause:
        later = run_id < place.id if self.descending else run_id > place.id
        if self.column is None:
            return later
        if place.value is None:
            same = and_(self.column.is_(None), later)
            return or_(self.column.is_not(None), same) if self.descending else same
        same = and_(self.column == place.value, later)
        if self.descending:
            return or_(self.column < place.value, same)
        return or_(self.column > place.value, self.column.is_(None), same)


class RunLists(Generic[R]):
    """The lists of one kind of run."""

    def __init__(self, store: RunStore[R], orders: Mapping[StrEnum, _Order]) -> None:
        self._store: RunStore[R] = store
        self._table, self._orders = store.table, orders

    def find(self, connection: Connection, filters: RunFilters, sort: StrEnum, page: Page) -> Found[R]:
        """A page of the runs that the filters ask for."""
        places = self._places(connection, filters, sort, page)
        shown = places[: page.limit]
        runs = self._store.read(connection, [place.id for place in shown])
        # A run that was deleted in between is left out.
        listed = [runs[place.id] for place in shown if place.id in runs]
        return Found(listed, shown[-1] if shown and len(places) > len(shown) else None)

    def _places(self, connection: Connection, filters: RunFilters, sort: StrEnum, page: Page) -> list[Place]:
        """One more than the page holds, so that it is known whether others follow."""
        if page.limit == 0:
            return []
        order = self._orders[sort]
        value = self._table.c.id if order.column is None else order.column
        query = select(value.label("value"), self._table.c.id).where(self._where(filters))
        query = order.apply(query, self._table, page.after).offset(page.offset).limit(page.limit + 1)
        has_value = order.column is not None
        return [Place(row.value if has_value else None, row.id) for row in connection.execute(query)]

    def count(self, connection: Connection, filters: RunFilters) -> int:
        """How many runs the filters ask for."""
        query = select(func.count()).select_from(self._table).where(self._where(filters))
        return connection.execute(query).scalar_one()

    def _where(self, filters: RunFilters) -> Clause:
        return flow_runs_where(filters) if self._table is flow_run else task_runs_where(filters)


def _orders_of(table: Table) -> dict[str, _Order]:
    return {
        "ID_DESC": _Order(None, descending=True),
        "EXPECTED_START_TIME_ASC": _Order(table.c.expected_start_time, descending=False),
        "EXPECTED_START_TIME_DESC": _Order(table.c.expected_start_time, descending=True),
        "NAME_ASC": _Order(table.c.name, descending=False),
        "NAME_DESC": _Order(table.c.name, descending=True),
        "NEXT_SCHEDULED_START_TIME_ASC": _Order(table.c.next_scheduled_start_time, descending=False),
        "END_TIME_DESC": _Order(table.c.end_time, descending=True),
    }


_started = func.coalesce(flow_run.c.start_time, flow_run.c.expected_start_time)
_flow_run_orders = {
    **_orders_of(flow_run),
    "START_TIME_ASC": _Order(_started, descending=False),
    "START_TIME_DESC": _Order(_started, descending=True),
}
_task_run_orders = _orders_of(task_run)

FLOW_RUN_LISTS = RunLists(FLOW_RUNS, {sort: _flow_run_orders[sort] for sort in FlowRunSort})
TASK_RUN_LISTS = RunLists(TASK_RUNS, {sort: _task_run_orders[sort] for sort in TaskRunSort})
