"""Lists and counts of runs: pages by offset, or by the place where the page before ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from sqlalchemy import func, select

from messages.fields import Id, JsonObject
from messages.filters import FlowRunFilter, TaskRunFilter
from messages.queries import RunFilters
from store.reads.criteria import Clause
from store.reads.filters import Surroundings, flow_runs_where, surroundings, task_runs_where
from store.reads.orders import FLOW_RUN_ORDERS, TASK_RUN_ORDERS, Order, Place
from store.reads.resting import Scope, asked_scope, within
from store.runs import FLOW_RUNS, TASK_RUNS, R, RunStore
from store.transaction import Connection

T = TypeVar("T")
Where = Callable[[RunFilters, Surroundings, Scope], Clause]
# Of these, indexes know one thing of runs at rest, and another, or nothing, of runs in motion.
_SPLIT = ("name", "tags", "state", "start_time", "expected_start_time")
# Of these, an index has the runs at rest in the order of their ids.
_ORDERED = ("name", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list: `after` a place, or from `offset` on."""

    limit: int
    offset: int = 0
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The runs of a page, and the place of the last of them if more follow."""

    runs: Sequence[T]
    end: Place | None


class RunLists(Generic[R]):
    """The lists of one kind of run."""

    def __init__(self, store: RunStore[R], where: Where, orders: Mapping[str, Order]) -> None:
        self._store: RunStore[R] = store
        self._where, self._orders = where, orders

    def find(self, connection: Connection, filters: RunFilters, sort: StrEnum, page: Page) -> Found[R]:
        """A page of the runs that the filters ask for."""
        places = self._places(connection, filters, sort, page)
        return _page(places, page, self._store.read(connection, _ids(places, page)))

    def find_columns(
        self, connection: Connection, filters: RunFilters, sort: StrEnum, page: Page, columns: Sequence[str]
    ) -> Found[JsonObject]:
        """The same, but of each run no more is read than its id and these columns."""
        places = self._places(connection, filters, sort, page)
        return _page(places, page, self._store.read_columns(connection, _ids(places, page), columns))

    def _places(self, connection: Connection, filters: RunFilters, sort: StrEnum, page: Page) -> list[Place]:
        """One more than the page holds, so that it is known whether others follow."""
        if page.limit == 0:
            return []
        where = self._asked(connection, filters)
        order = self._orders[sort]
        has_value = bool(order.parts)
        # Other orders have parts of their own.
        scopes = [asked_scope(self._criteria(filters))] if has_value else self._scopes(filters, _ORDERED)
        query = order.places(where, scopes, page.after, offset=page.offset, limit=page.limit + 1)
        return [Place(row.value if has_value else None, row.id) for row in connection.execute(query)]

    def count(self, connection: Connection, filters: RunFilters) -> int:
        """How many runs the filters ask for."""
        where, table = self._asked(connection, filters), self._store.table
        counts = [
            select(func.count()).select_from(table).where(*within(table, scope), where(scope))
            for scope in self._scopes(filters, _SPLIT)
        ]
        return sum(connection.execute(query).scalar_one() for query in counts)

    def _asked(self, connection: Connection, filters: RunFilters) -> Callable[[Scope], Clause]:
        known = surroundings(connection, filters)
        return lambda scope: self._where(filters, known, scope)

    def _scopes(self, filters: RunFilters, split: Sequence[str]) -> Sequence[Scope]:
        """What to ask for apart: two simple questions are quicker than one whose answer is in two places."""
        criteria = self._criteria(filters)
        scope = asked_scope(criteria)
        if scope is Scope.ALL and any(getattr(criteria, name, None) is not None for name in split):
            return (Scope.AT_REST, Scope.IN_MOTION)
        return (scope,)

    def _criteria(self, filters: RunFilters) -> FlowRunFilter | TaskRunFilter | None:
        return filters.flow_runs if self._store is FLOW_RUNS else filters.task_runs


def _ids(places: Sequence[Place], page: Page) -> list[Id]:
    return [place.id for place in places[: page.limit]]


def _page(places: Sequence[Place], page: Page, runs: Mapping[Id, T]) -> Found[T]:
    ids = _ids(places, page)
    # A run that was deleted in between is left out.
    listed = [runs[run_id] for run_id in ids if run_id in runs]
    return Found(listed, places[len(ids) - 1] if len(places) > len(ids) > 0 else None)


FLOW_RUN_LISTS = RunLists(FLOW_RUNS, flow_runs_where, FLOW_RUN_ORDERS)
TASK_RUN_LISTS = RunLists(TASK_RUNS, task_runs_where, TASK_RUN_ORDERS)
