"""The consumer that dramatiq's Worker iterates over: one synthetic message per fetched batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from dramatiq.broker import Consumer, MessageProxy
from dramatiq.message import Message

from workers.broker.batches import Batch, RawMessage, batch_actor_name
from workers.broker.bell import Bell
from workers.broker.calls import Fetched
from workers.broker.connections import LOST_REDIS
from workers.broker.eta import eta_ms_of
from workers.broker.outage import Backoff

if TYPE_CHECKING:
    from workers.broker.redis_broker import InterlockBroker

_log = logging.getLogger(__name__)

# After a handler failed: time for the cause to pass, so that the same batch does not go round and round.
_AFTER_FAILURE_S = 0.5
# While a batch is in hand, what comes one by one is left to gather for so long: small batches cost nearly as much as
# large ones.
_TOGETHER_S = 0.02
# How long a stopping process goes on trying; what it cannot tell Redis is delivered again.
_LAST_TRIES_S = 3.0


class BatchConsumer(Consumer):
    """Never raises to dramatiq's consumer thread, which would sleep for three seconds."""

    def __init__(self, broker: InterlockBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        self._queue = broker.at_work(queue_name)
        self._bell = Bell(self._queue.settings.url, self._queue.calls.queue_key, self._queue.stopping)
        self._beat = broker.beat
        self._backoff = Backoff()
        self._drained = False

    def __next__(self) -> MessageProxy | None:
        self._beat()
        try:
            batch = self._next_batch()
        except LOST_REDIS as error:
            self._queue.redis_failed("fetch", error, self._backoff)
            return None
        except Exception:  # noqa: BLE001 - what it is stands in the log; the queue must not stand still
            _log.exception("the consumer of queue %r failed; it goes on", self._queue.name)
            self._queue.pause(_AFTER_FAILURE_S)
            return None
        return None if batch is None else self._synthetic_message(batch)

    def ack(self, message: MessageProxy) -> None:
        self._settle(_batch_of(message), self._queue.calls.ack, "acknowledged")

    def nack(self, message: MessageProxy) -> None:
        """The handler did not do it, so somebody shall do it again."""
        batch = _batch_of(message)
        if self._queue.stopping.is_set():
            return  # stays in hand until the end, when everything goes back at once and in order
        self._settle(batch, self._queue.calls.put_back, "put back", pause_s=_AFTER_FAILURE_S)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Called for what was fetched but not begun."""
        if not self._queue.stopping.is_set():
            for batch in sorted(map(_batch_of, messages), key=lambda batch: batch.number, reverse=True):
                self._settle(batch, self._queue.calls.put_back, "put back")

    def close(self) -> None:
        self._bell.close()

    def _next_batch(self) -> Batch | None:
        if self._queue.stopping.is_set():
            self._queue.pause(0.05)
            return None
        if not self._queue.hands.wait_for_room(self._queue.settings.block_s):
            return None
        if self._drained and self._queue.settings.batch_size > 1:
            self._queue.hands.wait_until_handled(_TOGETHER_S)
        if self._drained and not self._bell.wait(self._queue.settings.block_s):
            self._redis_answered()
            return None
        batch = self._fetch()
        self._redis_answered()
        return batch

    def _redis_answered(self) -> None:
        if not self._queue.stopping.is_set():
            self._queue.redis_answered("fetch", self._backoff)

    def _fetch(self) -> Batch | None:
        settings = self._queue.settings
        with self._queue.hands.fetching():
            fetched = self._queue.calls.fetch(settings.batch_size, settings.batch_bytes)
            self._drained = not fetched.more
            messages = self._without_postponed(fetched)
            if not messages:
                return None
            ids = tuple(redis_id for redis_id, _ in messages)
            number = self._queue.hands.take(ids)
        deaths = dict(zip(fetched.ids, fetched.deaths, strict=True)) if fetched.deaths else {}
        return Batch(
            number,
            ids,
            tuple(
                RawMessage(_printable(redis_id), body, deaths.get(redis_id, 0)) for redis_id, body in messages
            ),
        )

    def _without_postponed(self, fetched: Fetched) -> list[tuple[bytes, bytes | None]]:
        """A producer may put a message with an `eta` on the queue itself: not before its time."""
        messages = list(zip(fetched.ids, fetched.bodies, strict=True))
        etas_ms = ((redis_id, eta_ms_of(body)) for redis_id, body in messages)
        early = {redis_id: eta_ms for redis_id, eta_ms in etas_ms if eta_ms and eta_ms > fetched.now_ms}
        if early:
            self._queue.calls.postpone(early.items())
            self._queue.delays_bell.cut_short()
        lost = [redis_id for redis_id, body in messages if body is None]
        if lost:
            _log.warning(
                "queue %r: %d ids without a message, such as %r", self._queue.name, len(lost), lost[0]
            )
        return [message for message in messages if message[0] not in early]

    def _synthetic_message(self, batch: Batch) -> MessageProxy:
        message: Message[None] = Message(
            queue_name=self._queue.name,
            actor_name=batch_actor_name(self._queue.name),
            args=(batch,),
            kwargs={},
            options={},
        )
        return MessageProxy(message)

    def _settle(
        self, batch: Batch, call: Callable[[Sequence[bytes]], int], done: str, *, pause_s: float = 0.0
    ) -> None:
        try:
            settled = self._until_answered(batch, call)
            if settled is None:
                _log.warning("%r of queue %r could not be %s: it comes again", batch, self._queue.name, done)
            elif settled < len(batch.ids):
                _log.warning(
                    "queue %r: %d of %r were no longer ours to be %s",
                    self._queue.name,
                    len(batch.ids) - settled,
                    batch,
                    done,
                )
            if pause_s:
                self._queue.pause(pause_s)
        finally:
            self._queue.hands.release(batch.number)

    def _until_answered(self, batch: Batch, call: Callable[[Sequence[bytes]], int]) -> int | None:
        """Tried as long as it takes, lest the batch be applied twice. None: gave up, being stopped."""
        backoff = Backoff()
        tries, give_up_at = 0, float("inf")
        while True:
            tries += 1
            try:
                settled = call(batch.ids)
            except LOST_REDIS as error:
                if self._queue.stopping.is_set():
                    give_up_at = min(give_up_at, time.monotonic() + _LAST_TRIES_S)
                if time.monotonic() >= give_up_at:
                    return None
                self._queue.redis_failed("settle", error, backoff)
            else:
                self._queue.redis_answered("settle", backoff)
                # An earlier try may have done it, and only its answer got lost.
                return settled if tries == 1 else len(batch.ids)


def _batch_of(message: MessageProxy) -> Batch:
    batch = message.args[0]
    assert isinstance(batch, Batch)
    return batch


def _printable(redis_id: bytes) -> str:
    return redis_id.decode(errors="backslashreplace")
