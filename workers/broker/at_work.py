"""What the threads that serve one queue share: the consumer, the actor's threads, upkeep and delays."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import redis

from workers.broker.bell import Bell
from workers.broker.calls import QueueCalls
from workers.broker.connections import forget_connections
from workers.broker.hands import Hands
from workers.broker.outage import Backoff, Outage


@dataclass(frozen=True)
class BrokerSettings:
    url: str
    namespace: str
    batch_size: int
    batch_bytes: int
    heartbeat_timeout_ms: int
    maintenance_interval_s: float
    block_s: float
    strays_interval_s: float


@dataclass(frozen=True)
class QueueAtWork:
    name: str
    settings: BrokerSettings
    calls: QueueCalls
    hands: Hands
    stopping: threading.Event
    outage: Outage
    delays_bell: Bell
    ended: threading.Event = field(default_factory=threading.Event)

    def redis_failed(self, work: str, error: BaseException, backoff: Backoff) -> None:
        """Says so once, drops connections to a server that no longer is the right one, and waits a little."""
        self.outage.began(work, error)
        if isinstance(error, redis.ResponseError):
            forget_connections(self.calls.client)
        self.pause(backoff.next_s())

    def redis_answered(self, work: str, backoff: Backoff) -> None:
        backoff.reset()
        self.outage.over(work)

    def pause(self, seconds: float) -> None:
        """Short when stopping, but never nothing: callers try again in a loop."""
        if self.stopping.wait(seconds):
            time.sleep(min(seconds, 0.05))
