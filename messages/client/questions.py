"""What a client can ask about runs, and how the answers are read. Pure: who asks is in `runs`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypedDict, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from messages.answers import Dependency, Graph
from messages.client.correspondence import checked
from messages.client.result import Result
from messages.errors import ErrorCode, Refused
from messages.fields import JsonObject
from messages.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from messages.queries import MAX_LIMIT
from messages.runs import FlowRun, TaskRun
from messages.states import State

T = TypeVar("T")
R = TypeVar("R")


class Filters(TypedDict, total=False):
    """Which runs: filters of `messages.filters`, or dicts of the same shape. All that is given must hold."""

    flows: FlowFilter | Mapping[str, Any]
    flow_runs: FlowRunFilter | Mapping[str, Any]
    task_runs: TaskRunFilter | Mapping[str, Any]
    deployments: DeploymentFilter | Mapping[str, Any]
    work_pools: WorkPoolFilter | Mapping[str, Any]
    work_queues: WorkQueueFilter | Mapping[str, Any]


class Listing(Filters, total=False):
    """Which runs, and how they are listed.

    sort: a `FlowRunSort` or `TaskRunSort`; the default is ID_DESC.
    limit: the most items in all; None (the default) = every one.
    page_size: the most items fetched at once, 1 to 200 (the default).
    timeout: seconds to wait for each page, 30 by default.
    """

    sort: str
    limit: int | None
    page_size: int
    timeout: float


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One query, and how its answer is read."""

    type: str
    data: JsonObject
    read: Callable[[Result], T]


class Pages(Generic[T]):
    """A list as far as it has been read: what to ask for next, and what has come."""

    def __init__(
        self, message_type: str, data: JsonObject, item: Callable[[Any], T], limit: int | None, page_size: int
    ) -> None:
        self._type, self._data, self._item = message_type, data, item
        self._left, self._page_size = limit, page_size
        self._at_end = limit == 0

    def next(self) -> Question[list[T]] | None:
        """The question for the next page; None at the end."""
        if self._at_end:
            return None
        size = self._page_size if self._left is None else min(self._page_size, self._left)
        return Question(self._type, {**self._data, "limit": size}, self._take)

    def _take(self, answer: Result) -> list[T]:
        """A page may hold fewer items than were asked for, even none, and others still follow: runs get deleted."""
        items = [self._item(each) for each in answer.data["items"]]
        if self._left is not None:
            self._left -= len(items)
        self._data = {**self._data, "after": answer.data["next"]}
        self._at_end = answer.data["next"] is None or self._left == 0
        return items


class Kind(Generic[R]):
    """What can be asked about one kind of run. Misspelt and unfit fields are `Refused` at once."""

    def __init__(self, name: str, run: TypeAdapter[R]) -> None:
        self._name = name
        self._run = _reader(run)

    def runs(self, asked: Listing) -> Pages[R]:
        """A list of whole runs."""
        return self._pages(asked, {}, self._run)

    def columns(self, asked: Listing, columns: Sequence[str]) -> Pages[JsonObject]:
        """A list of parts of runs, as JSON says them."""
        return self._pages(asked, {"columns": columns}, dict)

    def count(self, filters: Filters) -> Question[int]:
        """How many there are."""
        message_type = f"{self._name}.count"
        return Question(
            message_type, checked(message_type, filters), lambda answer: int(answer.data["count"])
        )

    def one(self, run_id: UUID | str) -> Question[R | None]:
        """The run with this id; None: there is none."""

        def found(answer: Result) -> R | None:
            return self._run(answer.data[self._name]) if answer.data["found"] else None

        return _question(f"{self._name}.read", {"id": run_id}, found)

    def states(self, run_id: UUID | str) -> Question[list[State]]:
        """The states that a run has had."""
        fields = {f"{self._name}_id": run_id}
        return _question(f"{self._name}.states", fields, lambda answer: _STATES(answer.data["items"]))

    def _pages(self, asked: Listing, more: Mapping[str, Any], item: Callable[[Any], T]) -> Pages[T]:
        filters: dict[str, Any] = {**asked}
        filters.pop("timeout", None)
        limit, page_size = filters.pop("limit", None), filters.pop("page_size", MAX_LIMIT)
        if limit is not None and limit < 0:
            raise Refused(ErrorCode.INVALID_MESSAGE, "limit is the most items in all: 0 or more, or None")
        if not 1 <= page_size <= MAX_LIMIT:
            raise Refused(ErrorCode.INVALID_MESSAGE, f"page_size is a number from 1 to {MAX_LIMIT}")
        sort = {"sort": filters.pop("sort")} if "sort" in filters else {}
        checked(f"{self._name}.count", filters)
        data = checked(f"{self._name}.list", {**filters, **sort, **more})
        return Pages(f"{self._name}.list", data, item, limit, page_size)


def graph(run_id: UUID | str, since: Any) -> Question[Graph]:
    """The graph of a flow run."""
    fields = {"flow_run_id": run_id} | ({} if since is None else {"since": since})
    return _question("flow_run.graph", fields, lambda answer: _GRAPH(answer.data["graph"]))


def dependencies(run_id: UUID | str) -> Question[list[Dependency]]:
    """What each task run of a flow run took in."""
    fields = {"flow_run_id": run_id}
    return _question("flow_run.dependencies", fields, lambda answer: _DEPENDENCIES(answer.data["items"]))


def _question(message_type: str, fields: Mapping[str, Any], read: Callable[[Result], T]) -> Question[T]:
    return Question(message_type, checked(message_type, fields), read)


def _reader(adapter: TypeAdapter[T]) -> Callable[[Any], T]:
    # What a newer worker tells beside is left out: commands refuse unknown members, answers must not.
    return lambda value: adapter.validate_python(value, extra="ignore")


_STATES = _reader(TypeAdapter(list[State]))
_GRAPH = _reader(TypeAdapter(Graph))
_DEPENDENCIES = _reader(TypeAdapter(list[Dependency]))
FLOW_RUNS = Kind("flow_run", TypeAdapter(FlowRun))
TASK_RUNS = Kind("task_run", TypeAdapter(TaskRun))
