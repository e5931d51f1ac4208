"""Handles of runs: what can be said about one run, without repeating its id."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from messages.client.correspondence import Attributes
from messages.client.futures import AsyncFuture, Future, awaited
from messages.client.result import Result
from messages.errors import MessagesError
from messages.states import ProposedState

F = TypeVar("F")


class Numbering:
    """The numbers of ordered commands on one key; may be used by several threads."""

    def __init__(self, key: str, first: int = 1) -> None:
        self.key = key
        self._next = first
        self._lock = Lock()

    @contextmanager
    def next(self) -> Iterator[Attributes]:
        """The attributes of the next command. Refused here, its number stays free: no gap is left."""
        with self._lock:
            yield {"partitionkey": self.key, "sequence": str(self._next)}
            self._next += 1


class Speaker(Protocol[F]):
    """What a handle needs of its client."""

    def say(self, message_type: str, fields: Mapping[str, Any], attributes: Attributes | None = None) -> F:
        """Sends a command or query."""

    def answer(self, future: F) -> Result:
        """The answer that a future holds."""


class RunHandle(Generic[F]):
    """A run. `created` is the future of the create command, None for a run that was there before."""

    kind: ClassVar[str]

    def __init__(
        self,
        client: Speaker[F],
        run_id: UUID | None,
        numbering: Numbering | None = None,
        created: F | None = None,
    ) -> None:
        self._client = client
        self._id = run_id
        self._numbering = numbering
        self.created = created

    def __repr__(self) -> str:
        return f"<{self.kind} {self._id or 'being created'}>"

    @property
    def id(self) -> UUID:
        """The id of the run. Where only the answer to its create command tells it: waits for that answer.

        Raises:
            CommandFailed: if the run could not be made.
            NotYetKnown: with asyncio, where nothing can wait here: `await` the handle first.
        """
        if self._id is None:
            run = self._client.answer(self._creation()).run
            if run is None:
                raise MessagesError(f"the answer to {self.kind}.create holds no run")
            self._id = UUID(run["id"])
        return self._id

    def set_state(self, state: ProposedState | Mapping[str, Any], **fields: Any) -> F:
        """Proposes a state; further fields (`force`, `if_version`, `on_wait`) as in `messages`."""
        return self._say("set_state", {"state": state, **fields})

    def update(self, **fields: Any) -> F:
        """Replaces the given fields."""
        return self._say("update", fields)

    def delete(self) -> F:
        """Deletes the run."""
        return self._say("delete", {})

    def read(self) -> F:
        """Asks for the run as it is now."""
        return self._client.say(f"{self.kind}.read", {"id": self.id})

    def states(self) -> F:
        """Asks for the states that the run has had."""
        return self._client.say(f"{self.kind}.states", {f"{self.kind}_id": self.id})

    def _say(self, verb: str, fields: Mapping[str, Any]) -> F:
        data = {f"{self.kind}_id": self.id, **fields}
        if self._numbering is None:
            return self._client.say(f"{self.kind}.{verb}", data)
        with self._numbering.next() as attributes:
            return self._client.say(f"{self.kind}.{verb}", data, attributes)

    def _creation(self) -> F:
        if self.created is None:
            raise MessagesError("this run was not created through this handle; use read()")
        return self.created


class _FlowRun(RunHandle[F]):
    kind = "flow_run"

    def set_labels(self, labels: Mapping[str, Any]) -> F:
        """Merges labels into those of the run."""
        return self._say("set_labels", {"labels": dict(labels)})


class _TaskRun(RunHandle[F]):
    kind = "task_run"


class _Waiting(RunHandle[Future]):
    def result(self, timeout: float | None = None) -> Result:
        """The answer to the create command.

        Raises:
            CommandFailed: if the run could not be made.
            TimeoutError: after so many seconds.
        """
        return self._creation().result(timeout)


class _Awaiting(RunHandle[AsyncFuture]):
    async def result(self, timeout: float | None = None) -> Result:
        """The answer to the create command; errors as of the handles without asyncio."""
        return await awaited(self._creation(), timeout)


class FlowRunHandle(_FlowRun[Future], _Waiting):
    """A flow run."""


class TaskRunHandle(_TaskRun[Future], _Waiting):
    """A task run."""


class AsyncFlowRunHandle(_FlowRun[AsyncFuture], _Awaiting):
    """A flow run; `await` it to wait until it is created."""

    def __await__(self) -> Generator[Any, None, "AsyncFlowRunHandle"]:
        yield from self._creation().__await__()
        return self


class AsyncTaskRunHandle(_TaskRun[AsyncFuture], _Awaiting):
    """A task run; `await` it to wait until it is created."""

    def __await__(self) -> Generator[Any, None, "AsyncTaskRunHandle"]:
        yield from self._creation().__await__()
        return self
