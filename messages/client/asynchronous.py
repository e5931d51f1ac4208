"""The client for asyncio: as the one for threads, with a task that writes and a task that reads."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self, Unpack

from messages.client.correspondence import (
    REPLY_TTL_SECONDS,
    TIDY_SECONDS,
    Attributes,
    ClientOptions,
    Correspondence,
    give_up,
)
from messages.client.errors import BrokerUnreachable, ClientClosed, NotYetKnown
from messages.client.futures import AsyncFuture, awaited
from messages.client.handles import AsyncFlowRunHandle, AsyncTaskRunHandle
from messages.client.leases import Holding
from messages.client.outstanding import Letter
from messages.client.result import Result
from messages.client.runs import AsyncFlowRuns, AsyncTaskRuns
from messages.client.vocabulary import Said, Vocabulary
from messages.enqueue import enqueue_async
from messages.fields import JsonObject
from messages.streams import BLOCK_MS, READ_AT_ONCE, TROUBLE, connect_async, entries_of

# Futures that were cancelled meanwhile are noticed after this time.
_LOOK_AGAIN_SECONDS = 1.0
_CANCEL_AGAIN_SECONDS = 0.05
_log = logging.getLogger("interlock.client")


class AsyncClient(Vocabulary[AsyncFuture, AsyncFlowRunHandle, AsyncTaskRunHandle]):
    """`Client` for one event loop: `async with AsyncClient(url, source="billing") as interlock: ...`.

    `send` and the commands by name give awaitable futures at once and are called in the loop's own thread.
    `flow_runs` and `task_runs` look up what there is.
    """

    _flow_run_handle = AsyncFlowRunHandle
    _task_run_handle = AsyncTaskRunHandle

    def __init__(
        self, url: str, source: str, *, namespace: str = "interlock", **options: Unpack[ClientOptions]
    ) -> None:
        self._desk = Correspondence(source, namespace, options)
        self._waiting = self._desk.outstanding
        self.flow_runs, self.task_runs = AsyncFlowRuns(self), AsyncTaskRuns(self)
        self._redis = connect_async(url)
        self._changed = asyncio.Event()
        self._answered = asyncio.Event()
        self._open = False
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connects.

        Raises:
            BrokerUnreachable: if Redis cannot be reached.
        """
        try:
            await self._redis.ping()
        except TROUBLE as error:
            await self._redis.aclose()
            raise BrokerUnreachable(f"Redis cannot be reached: {error}") from error
        self._open = True
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._read())]

    def send(
        self,
        message_type: str,
        data: Mapping[str, Any],
        *,
        raise_on_error: bool = True,
        deadline: float | None = None,
        **attributes: Unpack[Attributes],
    ) -> AsyncFuture:
        """Sends a command or query of any type, its data unchecked, and gives the future of its answer.

        Raises:
            Refused: if JSON cannot say it, or it is too large.
            ClientClosed: outside the `async with` block.
        """
        envelope = self._desk.composer.compose(message_type, data, attributes)
        letter, future = self._letter(envelope, raise_on_error, deadline)
        self._post([letter])
        return future

    def batch(self, commands: Iterable[Said], *, raise_on_error: bool = True) -> list[AsyncFuture]:
        """Sends `(type, data)` or `(type, data, attributes)` in `batch` messages; a future for each."""
        pairs = []
        for message_type, data, *more in commands:
            envelope = self._desk.composer.compose(message_type, data, dict(more[0]) if more else {})
            pairs.append(self._letter(envelope, raise_on_error, None, batched=True))
        self._post([letter for letter, _ in pairs])
        return [future for _, future in pairs]

    async def request(
        self,
        message_type: str,
        data: Mapping[str, Any] | None = None,
        *,
        timeout: float = 30.0,
        **attributes: Any,
    ) -> Result:
        """Sends a query or command and waits for its answer.

        Raises:
            CommandFailed: if it ended as ERROR.
            Unanswered: after `timeout` seconds; it is a TimeoutError too.
        """
        future = self.send(message_type, data or {}, deadline=timeout, **attributes)
        try:
            return await awaited(future, timeout)
        finally:
            future.cancel()

    def answer(self, future: AsyncFuture) -> Result:
        """The answer that a future holds.

        Raises:
            NotYetKnown: if it has not come yet.
        """
        if not future.done():
            raise NotYetKnown("only the answer tells the id of this run: `await` its handle first")
        return future.result()

    @asynccontextmanager
    async def slots(
        self,
        names: list[str],
        slots: int = 1,
        *,
        lease_seconds: float | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[JsonObject]:
        """Holds slots of all these limits within the block, waiting until they are free.

        `lease_seconds`: they are free again after that time, even if this process is gone by then.

        Raises:
            TimeoutError: if they were not free within `timeout` seconds.
        """
        holding = Holding(names, slots, time.monotonic(), timeout)
        while not holding.taken(await self.acquire_slots(names, slots, lease_seconds=lease_seconds)):
            await asyncio.sleep(holding.pause(time.monotonic()))
        try:
            yield holding.lease
        finally:
            await self.release_slots(**holding.release())

    async def close(self, timeout: float | None = None) -> None:
        """Waits up to `timeout` seconds for the answers to come; the rest ends as `Unanswered`."""
        if not self._open:
            return
        self._open = False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._desk.close_timeout if timeout is None else timeout):
                while self._waiting.any_waits():
                    self._answered.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._answered.wait(), _LOOK_AGAIN_SECONDS)
        await self._end_tasks()
        rest = self._waiting.drain()
        give_up(rest, "the client was closed before its answer came")
        await self._leave(expect_more=bool(rest))

    async def _end_tasks(self) -> None:
        """Cancels them until they end: redis-py swallows a cancellation that comes together with an answer."""
        self._stopping = True
        running = set(self._tasks)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=_CANCEL_AGAIN_SECONDS)

    def _letter(
        self, envelope: JsonObject, raise_on_error: bool, deadline: float | None, *, batched: bool = False
    ) -> tuple[Letter, AsyncFuture]:
        future = AsyncFuture()
        future.command_id = envelope["id"]
        moment = self._desk.deadline(time.monotonic(), deadline)
        return Letter(envelope, future, batched, raise_on_error, moment), future

    def _post(self, letters: list[Letter]) -> None:
        if not self._open:
            raise ClientClosed("the client is not open")
        self._waiting.add(letters)
        self._changed.set()

    async def _write(self) -> None:
        while not self._stopping:
            self._changed.clear()
            now = time.monotonic()
            give_up(self._waiting.overdue(now), "no answer came before its deadline")
            letters = self._waiting.due(now)
            if letters:
                await self._hand_over(letters)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._waiting.wait(time.monotonic())):
                    await self._changed.wait()

    async def _hand_over(self, letters: list[Letter]) -> None:
        try:
            await enqueue_async(self._redis, self._desk.namespace, self._desk.outgoing(letters))
        except TROUBLE as error:
            pause = self._waiting.not_sent(letters, time.monotonic())
            _log.warning("Redis takes no commands (%s); trying again in %.1f s", error, pause)
        else:
            self._waiting.sent(letters, time.monotonic())

    async def _read(self) -> None:
        last, unread, tidy_at = "0-0", 0, 0.0
        while not self._stopping:
            try:
                reply = await self._redis.xread({self._desk.stream: last}, count=READ_AT_ONCE, block=BLOCK_MS)
                entries = entries_of(reply)
                for last, text in entries:  # noqa: B007 - goes on after the last one
                    self._take(text)
                unread += len(entries)
                if unread >= READ_AT_ONCE or (unread and time.monotonic() >= tidy_at):
                    await self._tidy(last)
                    unread, tidy_at = 0, time.monotonic() + TIDY_SECONDS
            except TROUBLE as error:
                _log.warning("Redis gives no answers (%s); trying again", error)
                self._waiting.lost_touch(time.monotonic())
                self._changed.set()
                await asyncio.sleep(0.5)

    def _take(self, text: bytes | None) -> None:
        result, letters = self._desk.answered(text)
        if result is not None:
            for letter in letters:
                letter.fulfil(result)
        self._answered.set()

    async def _tidy(self, last: str) -> None:
        """Frees what was read, and lets the stream go by itself should this process vanish."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xtrim(self._desk.stream, minid=last, approximate=False)
            pipeline.expire(self._desk.stream, REPLY_TTL_SECONDS)
            await pipeline.execute()

    async def _leave(self, *, expect_more: bool) -> None:
        """Removes the reply stream; where answers may still come, leaves it to expire."""
        key = self._desk.stream
        try:
            if expect_more:
                await self._redis.xadd(key, {"event": "null"})
                await self._redis.expire(key, REPLY_TTL_SECONDS)
            else:
                await self._redis.delete(key)
        except TROUBLE as error:
            _log.warning("the reply stream %s stays (%s)", key, error)
        await self._redis.aclose()
