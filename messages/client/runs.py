"""Runs as they can be looked up through a client: `client.flow_runs`, `client.task_runs`."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar, Unpack, overload
from uuid import UUID

from messages.answers import Dependency, Graph
from messages.client import questions
from messages.client.questions import FLOW_RUNS, TASK_RUNS, Filters, Kind, Listing, Pages, Question
from messages.client.result import Result
from messages.fields import JsonObject
from messages.runs import FlowRun, TaskRun
from messages.states import State

T = TypeVar("T")
R = TypeVar("R")
# Within the classes `list` is the method.
States = list[State]
Dependencies = list[Dependency]
_TIMEOUT_SECONDS = 30.0


class Asker(Protocol):
    """What is needed of a client for threads."""

    def request(self, message_type: str, data: JsonObject, *, timeout: float) -> Result:
        """Sends a query and waits for its answer."""


class AsyncAsker(Protocol):
    """What is needed of a client for asyncio."""

    async def request(self, message_type: str, data: JsonObject, *, timeout: float) -> Result:
        """Sends a query and waits for its answer."""


class _Runs(Generic[R]):
    """Each call waits for its answer, at most `timeout` seconds.

    Raises:
        Refused: at once, for misspelt or unfit fields.
        CommandFailed: if the answer is an ERROR.
        Unanswered: if none came in time.
    """

    _kind: ClassVar[Kind[Any]]

    def __init__(self, client: Asker) -> None:
        self._client = client

    @overload
    def list(self, *, columns: None = None, **asked: Unpack[Listing]) -> Iterator[R]: ...

    @overload
    def list(self, *, columns: Sequence[str], **asked: Unpack[Listing]) -> Iterator[JsonObject]: ...

    def list(self, *, columns: Sequence[str] | None = None, **asked: Unpack[Listing]) -> Iterator[Any]:
        """The runs that the filters ask for, one by one; see `Listing`. A page is fetched when it is needed.

        `columns`: of each run no more is read than its id and these fields, and told as a dict of JSON values.
        Runs that come and go between two pages do not move the others: a run whose place in the order stays is
        shown, and shown once. The order by id, the default, is one in which all places stay.
        """
        timeout = asked.get("timeout", _TIMEOUT_SECONDS)
        pages = self._kind.runs(asked) if columns is None else self._kind.columns(asked, columns)
        return self._items(pages, timeout)

    def count(self, *, timeout: float = _TIMEOUT_SECONDS, **filters: Unpack[Filters]) -> int:
        """How many runs the filters ask for."""
        return self._ask(self._kind.count(filters), timeout)

    def read(self, run_id: UUID | str, *, timeout: float = _TIMEOUT_SECONDS) -> R | None:
        """The run with this id, with its state; None: there is none."""
        found: R | None = self._ask(self._kind.one(run_id), timeout)
        return found

    def states(self, run_id: UUID | str, *, timeout: float = _TIMEOUT_SECONDS) -> States:
        """The states that the run has had, oldest first; none where there is no such run."""
        return self._ask(self._kind.states(run_id), timeout)

    def _items(self, pages: Pages[T], timeout: float) -> Iterator[T]:
        while (question := pages.next()) is not None:
            yield from self._ask(question, timeout)

    def _ask(self, question: Question[T], timeout: float) -> T:
        return question.read(self._client.request(question.type, question.data, timeout=timeout))


class FlowRuns(_Runs[FlowRun]):
    """The flow runs that there are."""

    _kind = FLOW_RUNS

    def graph(
        self, run_id: UUID | str, *, since: datetime | None = None, timeout: float = _TIMEOUT_SECONDS
    ) -> Graph:
        """The task runs and subflow runs of a flow run, and what took in the results of what.

        `since` leaves out what had ended before. `CommandFailed`: `not_found`, `graph_too_large`.
        """
        return self._ask(questions.graph(run_id, since), timeout)

    def dependencies(self, run_id: UUID | str, *, timeout: float = _TIMEOUT_SECONDS) -> Dependencies:
        """Each task run of a flow run, highest id first, with those whose results it took in.

        `CommandFailed`: `not_found`.
        """
        return self._ask(questions.dependencies(run_id), timeout)


class TaskRuns(_Runs[TaskRun]):
    """The task runs that there are."""

    _kind = TASK_RUNS


class _AsyncRuns(Generic[R]):
    """As without asyncio, but awaited; a list is read by `async for`."""

    _kind: ClassVar[Kind[Any]]

    def __init__(self, client: AsyncAsker) -> None:
        self._client = client

    @overload
    def list(self, *, columns: None = None, **asked: Unpack[Listing]) -> AsyncIterator[R]: ...

    @overload
    def list(self, *, columns: Sequence[str], **asked: Unpack[Listing]) -> AsyncIterator[JsonObject]: ...

    def list(self, *, columns: Sequence[str] | None = None, **asked: Unpack[Listing]) -> AsyncIterator[Any]:
        """The runs that the filters ask for, one by one; as without asyncio."""
        timeout = asked.get("timeout", _TIMEOUT_SECONDS)
        pages = self._kind.runs(asked) if columns is None else self._kind.columns(asked, columns)
        return self._items(pages, timeout)

    async def count(self, *, timeout: float = _TIMEOUT_SECONDS, **filters: Unpack[Filters]) -> int:
        """How many runs the filters ask for."""
        return await self._ask(self._kind.count(filters), timeout)

    async def read(self, run_id: UUID | str, *, timeout: float = _TIMEOUT_SECONDS) -> R | None:
        """The run with this id, with its state; None: there is none."""
        found: R | None = await self._ask(self._kind.one(run_id), timeout)
        return found

    async def states(self, run_id: UUID | str, *, timeout: float = _TIMEOUT_SECONDS) -> States:
        """The states that the run has had, oldest first; none where there is no such run."""
        return await self._ask(self._kind.states(run_id), timeout)

    async def _items(self, pages: Pages[T], timeout: float) -> AsyncIterator[T]:
        while (question := pages.next()) is not None:
            for item in await self._ask(question, timeout):
                yield item

    async def _ask(self, question: Question[T], timeout: float) -> T:
        return question.read(await self._client.request(question.type, question.data, timeout=timeout))


class AsyncFlowRuns(_AsyncRuns[FlowRun]):
    """The flow runs that there are."""

    _kind = FLOW_RUNS

    async def graph(
        self, run_id: UUID | str, *, since: datetime | None = None, timeout: float = _TIMEOUT_SECONDS
    ) -> Graph:
        """The task runs and subflow runs of a flow run; as without asyncio."""
        return await self._ask(questions.graph(run_id, since), timeout)

    async def dependencies(self, run_id: UUID | str, *, timeout: float = _TIMEOUT_SECONDS) -> Dependencies:
        """Each task run of a flow run, with those whose results it took in; as without asyncio."""
        return await self._ask(questions.dependencies(run_id), timeout)


class AsyncTaskRuns(_AsyncRuns[TaskRun]):
    """The task runs that there are."""

    _kind = TASK_RUNS
