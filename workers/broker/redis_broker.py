"""dramatiq's broker over one Redis, with our consumer, our scripts and our middleware alone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import uuid4

from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import MiddlewareError

from workers.broker.at_work import BrokerSettings, QueueAtWork
from workers.broker.bell import Bell
from workers.broker.calls import QueueCalls
from workers.broker.connections import LOST_REDIS, command_client
from workers.broker.consumer import BatchConsumer
from workers.broker.delays import Delays
from workers.broker.hands import Hands
from workers.broker.lifecycle import Lifecycle
from workers.broker.outage import Outage
from workers.broker.upkeep import Upkeep

_log = logging.getLogger(__name__)

_LARGEST_BATCH = 1_000
_THREAD_ENDS_WITHIN_S = 2.0


class AlreadyAtWorkError(MiddlewareError):
    """Raised when a second Worker is started on a broker: each needs one of its own."""


class InterlockBroker(RedisBroker):
    """dramatiq broker over one Redis, explicit middleware only."""

    def __init__(  # noqa: PLR0913 - the settings of one broker, all by name
        self,
        *,
        url: str,
        namespace: str,
        batch_size: int = 200,
        batch_bytes: int = 256 * 1024,
        heartbeat_timeout_ms: int = 15_000,
        maintenance_interval_s: float = 5.0,
        block_s: float = 1.0,
        strays_interval_s: float = 60.0,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """Of messages that wait, as many are taken at a time as have `batch_bytes` together, and one at least: what
        they say takes some fifty times as much memory while it is applied.

        `beat` is called each time that a consumer has come round, whether or not it found anything.
        """
        if not 1 <= batch_size <= _LARGEST_BATCH:
            raise ValueError(f"batch_size must be between 1 and {_LARGEST_BATCH}, not {batch_size}")
        self.settings = BrokerSettings(
            url,
            namespace,
            batch_size,
            batch_bytes,
            heartbeat_timeout_ms,
            maintenance_interval_s,
            block_s,
            strays_interval_s,
        )
        super().__init__(  # type: ignore[no-untyped-call]
            client=command_client(url),
            middleware=[Lifecycle()],
            namespace=namespace,
            heartbeat_timeout=heartbeat_timeout_ms,
            maintenance_chance=0,
        )
        self._room = 1
        self.beat = beat
        self._at_work: dict[str, QueueAtWork] = {}
        self._threads: list[threading.Thread] = []

    @property
    def consumer_class(self) -> type[BatchConsumer]:
        return BatchConsumer

    def declare_queue(self, queue_name: str) -> None:
        """Without a delay queue of dramatiq's, whose consumer would hold delayed messages in memory."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def at_work(self, queue_name: str) -> QueueAtWork:
        """What the threads that serve the queue share."""
        if queue_name not in self._at_work:
            self._at_work[queue_name] = self._put_to_work(queue_name)
        return self._at_work[queue_name]

    def begin_work(self, *, room: int) -> None:
        """Called as a Worker boots. The id is drawn here, so that processes forked from one broker differ."""
        if self._threads:
            raise AlreadyAtWorkError
        self.broker_id = str(uuid4())
        self._room = room
        self._at_work.clear()
        for queue in map(self.at_work, sorted(self.queues)):
            self._threads += [Upkeep(queue), Delays(queue)]
        for thread in self._threads:
            thread.start()

    def stop_fetching(self) -> None:
        for queue in self._at_work.values():
            queue.stopping.set()
            queue.hands.close()

    def end_work(self) -> None:
        """Called when all handlers have returned, or the time for it is over."""
        for queue in self._at_work.values():
            queue.ended.set()
        for thread in self._threads:
            thread.join(_THREAD_ENDS_WITHIN_S)
        for queue in self._at_work.values():
            _leave(queue)
        self._threads.clear()
        self.close()

    def close(self) -> None:
        self.client.close()

    def do_enqueue(self, queue_name: str, message_id: str, body: bytes) -> None:
        key = f"{self.namespace}:{queue_name}"
        with self.client.pipeline(transaction=True) as pipeline:
            pipeline.hset(f"{key}.msgs", message_id, body)
            pipeline.rpush(key, message_id)
            pipeline.execute()

    def do_purge(self, queue_name: str) -> None:
        key = f"{self.namespace}:{queue_name}"
        self.client.delete(key, f"{key}.msgs", f"{key}.due", f"{key}.deaths")

    def do_qsize(self, queue_name: str) -> int:
        """Messages that wait, are in hand or are delayed."""
        key = f"{self.namespace}:{queue_name}"
        return int(self.client.hlen(f"{key}.msgs")) + int(self.client.hlen(f"{key}.DQ.msgs"))

    def _put_to_work(self, queue_name: str) -> QueueAtWork:
        stopping = threading.Event()
        calls = QueueCalls(self.client, self.namespace, queue_name, self.broker_id)
        return QueueAtWork(
            name=queue_name,
            settings=self.settings,
            calls=calls,
            hands=Hands(self._room),
            stopping=stopping,
            outage=Outage(queue_name),
            delays_bell=Bell(self.settings.url, calls.delayed_key, stopping),
        )


def _leave(queue: QueueAtWork) -> None:
    try:
        moved = queue.calls.leave(queue.hands.ids_in_order())
        if moved:
            _log.info("put %d messages back to queue %r", moved, queue.name)
    except LOST_REDIS as error:
        _log.warning("could not take leave of queue %r: %s. What was in hand comes again", queue.name, error)
