"""The client for threads.

One thread writes what waits to be sent, whatever has gathered in one round trip, and sends it again while no
answer has come; another reads the answers. Callers never wait for Redis, and never see its errors.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
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
from messages.client.errors import BrokerUnreachable, ClientClosed, Unanswered
from messages.client.futures import Future
from messages.client.handles import FlowRunHandle, TaskRunHandle
from messages.client.leases import Holding
from messages.client.outstanding import Letter
from messages.client.result import Result
from messages.client.runs import FlowRuns, TaskRuns
from messages.client.vocabulary import Said, Vocabulary
from messages.enqueue import enqueue
from messages.fields import JsonObject
from messages.streams import BLOCK_MS, READ_AT_ONCE, TROUBLE, connect, entries_of

_log = logging.getLogger("interlock.client")
_JOIN_SECONDS = 3.0


class Client(Vocabulary[Future, FlowRunHandle, TaskRunHandle]):
    """Sends commands and queries under the name `source`, and gives their answers as futures. Thread-safe.

    A command is sent again under the same id until it is answered, so that it is applied once, whatever
    happens to Redis, to the workers or on the way. Leaving the `with` block waits for the answers to come.
    `flow_runs` and `task_runs` look up what there is.

    Raises:
        BrokerUnreachable: if Redis cannot be reached at the start.
    """

    _flow_run_handle = FlowRunHandle
    _task_run_handle = TaskRunHandle

    def __init__(
        self, url: str, source: str, *, namespace: str = "interlock", **options: Unpack[ClientOptions]
    ) -> None:
        self._desk = Correspondence(source, namespace, options)
        self._waiting = self._desk.outstanding
        self.flow_runs, self.task_runs = FlowRuns(self), TaskRuns(self)
        self._redis = connect(url)
        try:
            self._redis.ping()
        except TROUBLE as error:
            self._redis.close()
            raise BrokerUnreachable(f"Redis cannot be reached: {error}") from error
        # Guards the desk; told of whatever changes what there is to do.
        self._changed = threading.Condition()
        self._closed = False
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(
                target=target, name=f"interlock-{source}-{target.__name__.strip('_')}", daemon=True
            )
            for target in (self._write, self._read)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(
        self,
        message_type: str,
        data: Mapping[str, Any],
        *,
        raise_on_error: bool = True,
        deadline: float | None = None,
        **attributes: Unpack[Attributes],
    ) -> Future:
        """Sends a command or query of any type, its data unchecked, and gives the future of its answer.

        Raises:
            Refused: if JSON cannot say it, or it is too large.
            ClientClosed: after `close`.
        """
        envelope = self._desk.composer.compose(message_type, data, attributes)
        letter, future = self._letter(envelope, raise_on_error, deadline)
        self._post([letter])
        return future

    def batch(self, commands: Iterable[Said], *, raise_on_error: bool = True) -> list[Future]:
        """Sends `(type, data)` or `(type, data, attributes)` in `batch` messages; a future for each.

        Each stands alone, with its own answer; they are applied in their order. Errors as of `send`; then
        nothing was sent.
        """
        pairs = []
        for message_type, data, *more in commands:
            envelope = self._desk.composer.compose(message_type, data, dict(more[0]) if more else {})
            pairs.append(self._letter(envelope, raise_on_error, None, batched=True))
        self._post([letter for letter, _ in pairs])
        return [future for _, future in pairs]

    def request(
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
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise Unanswered(
                future.command_id, f"{message_type}: no answer after {timeout} seconds"
            ) from None

    def answer(self, future: Future) -> Result:
        """The answer that a future holds, waited for."""
        return future.result()

    @contextmanager
    def slots(
        self,
        names: list[str],
        slots: int = 1,
        *,
        lease_seconds: float | None = None,
        timeout: float | None = None,
    ) -> Iterator[JsonObject]:
        """Holds slots of all these limits within the block, waiting until they are free.

        `lease_seconds`: they are free again after that time, even if this process is gone by then.

        Raises:
            TimeoutError: if they were not free within `timeout` seconds.
        """
        holding = Holding(names, slots, time.monotonic(), timeout)
        while not holding.taken(self.acquire_slots(names, slots, lease_seconds=lease_seconds).result()):
            time.sleep(holding.pause(time.monotonic()))
        try:
            yield holding.lease
        finally:
            self.release_slots(**holding.release()).result()

    def close(self, timeout: float | None = None) -> None:
        """Waits up to `timeout` seconds for the answers to come; the rest ends as `Unanswered`."""
        give_up_at = time.monotonic() + (self._desk.close_timeout if timeout is None else timeout)
        with self._changed:
            if self._closed:
                return
            self._closed = True
            while self._waiting.any_waits() and (left := give_up_at - time.monotonic()) > 0:
                self._changed.wait(min(left, 1.0))
            rest = self._waiting.drain()
            self._stopped.set()
            self._changed.notify_all()
        give_up(rest, "the client was closed before its answer came")
        self._leave(expect_more=bool(rest))

    def _letter(
        self, envelope: JsonObject, raise_on_error: bool, deadline: float | None, *, batched: bool = False
    ) -> tuple[Letter, Future]:
        future = Future()
        future.command_id = envelope["id"]
        moment = self._desk.deadline(time.monotonic(), deadline)
        return Letter(envelope, future, batched, raise_on_error, moment), future

    def _post(self, letters: list[Letter]) -> None:
        with self._changed:
            if self._closed:
                raise ClientClosed("the client is closed")
            self._waiting.add(letters)
            self._changed.notify_all()

    def _write(self) -> None:
        while not self._stopped.is_set():
            with self._changed:
                now = time.monotonic()
                letters, overdue = self._waiting.due(now), self._waiting.overdue(now)
                if not letters and not overdue and not self._stopped.is_set():
                    self._changed.wait(self._waiting.wait(now))
                    continue
                envelopes = self._desk.outgoing(letters)
            give_up(overdue, "no answer came before its deadline")
            self._hand_over(letters, envelopes)

    def _hand_over(self, letters: list[Letter], envelopes: list[JsonObject]) -> None:
        try:
            enqueue(self._redis, self._desk.namespace, envelopes)
        except TROUBLE as error:
            with self._changed:
                pause = self._waiting.not_sent(letters, time.monotonic())
            _log.warning("Redis takes no commands (%s); trying again in %.1f s", error, pause)
        else:
            with self._changed:
                self._waiting.sent(letters, time.monotonic())

    def _read(self) -> None:
        last, unread, tidy_at = "0-0", 0, 0.0
        while not self._stopped.is_set():
            try:
                reply = self._redis.xread({self._desk.stream: last}, count=READ_AT_ONCE, block=BLOCK_MS)
                entries = entries_of(reply)
                for last, text in entries:  # noqa: B007 - goes on after the last one
                    self._take(text)
                unread += len(entries)
                if unread >= READ_AT_ONCE or (unread and time.monotonic() >= tidy_at):
                    self._tidy(last)
                    unread, tidy_at = 0, time.monotonic() + TIDY_SECONDS
            except TROUBLE as error:
                _log.warning("Redis gives no answers (%s); trying again", error)
                with self._changed:
                    self._waiting.lost_touch(time.monotonic())
                    self._changed.notify_all()
                self._stopped.wait(0.5)

    def _take(self, text: bytes | None) -> None:
        with self._changed:
            result, letters = self._desk.answered(text)
            if self._closed:
                self._changed.notify_all()
        if result is not None:
            for letter in letters:
                letter.fulfil(result)

    def _tidy(self, last: str) -> None:
        """Frees what was read, and lets the stream go by itself should this process vanish."""
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xtrim(self._desk.stream, minid=last, approximate=False)
            pipeline.expire(self._desk.stream, REPLY_TTL_SECONDS)
            pipeline.execute()

    def _leave(self, *, expect_more: bool) -> None:
        """Ends the threads and the reply stream; where answers may still come, leaves it to expire."""
        key = self._desk.stream
        try:
            # Wakes the reader; is no answer, so nobody takes it for one.
            self._redis.xadd(key, {"event": "null"})
            self._redis.expire(key, REPLY_TTL_SECONDS)
            self._join()
            if not expect_more:
                self._redis.delete(key)
        except TROUBLE as error:
            _log.warning("the reply stream %s stays (%s)", key, error)
            self._join()
        self._redis.close()

    def _join(self) -> None:
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_SECONDS)
