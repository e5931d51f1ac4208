"""A namespace as producers and operators see it, through plain Redis commands."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast
from uuid import uuid4

import redis
from dramatiq.brokers.redis import RedisBroker

from workers.broker.batches import RawMessage


class Namespace:
    """The keys of one test."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self.client = client
        self.name = name

    def key(self, rest: str) -> str:
        return f"{self.name}:{rest}"

    def put(self, *bodies: bytes, queue: str = "commands") -> list[str]:
        """As any producer in any language does it."""
        ids = [uuid4().hex for _ in bodies]
        with self.client.pipeline(transaction=True) as pipeline:
            for redis_id, body in zip(ids, bodies, strict=True):
                pipeline.hset(self.key(f"{queue}.msgs"), redis_id, body)
                pipeline.rpush(self.key(queue), redis_id)
            pipeline.execute()
        return ids

    def waiting(self, queue: str = "commands") -> list[str]:
        ids = cast(list[bytes], self.client.lrange(self.key(queue), 0, -1))
        return [redis_id.decode() for redis_id in ids]

    def keys(self) -> set[str]:
        return {key.decode() for key in self.client.scan_iter(match=f"{self.name}:*")}

    def server_ms(self) -> int:
        seconds, microseconds = self.client.time()
        return int(seconds * 1000 + microseconds // 1000)

    def lay_out_a_dead_worker(self, worker: str, queue: str, bodies: list[bytes]) -> list[str]:
        """What a worker that was killed a minute ago left behind."""
        ids = [uuid4().hex for _ in bodies]
        self.client.hset(self.key(f"{queue}.msgs"), mapping=dict(zip(ids, bodies, strict=True)))
        self.client.sadd(self.key(f"__acks__.{worker}.{queue}"), *ids)
        self.client.zadd(self.key("__heartbeats__"), {worker: self.server_ms() - 61_000})
        return ids


class Received:
    """A handler that remembers: its batches, and when each came."""

    def __init__(self) -> None:
        self.batches: list[list[RawMessage]] = []
        self.times: list[float] = []

    def __call__(self, messages: list[RawMessage]) -> None:
        self.times.append(time.time())
        self.batches.append(messages)

    @property
    def bodies(self) -> list[bytes | None]:
        return [message.body for batch in self.batches for message in batch]

    def wait_for(self, count: int, within_s: float = 60.0) -> None:
        eventually(lambda: len(self.bodies) >= count, within_s)


def eventually(holds: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.002)


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def message(queue: str = "commands", **options: object) -> bytes:
    redis_id = uuid4().hex
    fields = {
        "queue_name": queue,
        "actor_name": "flow_run.create",
        "args": [{"id": redis_id}],
        "kwargs": {},
        "options": {"redis_message_id": redis_id, **options},
        "message_id": redis_id,
        "message_timestamp": 0,
    }
    return json.dumps(fields).encode()


@contextmanager
def stock_broker(url: str, namespace: Namespace) -> Iterator[RedisBroker]:
    """dramatiq as others use it."""
    broker = RedisBroker(url=url, namespace=namespace.name, middleware=[])  # type: ignore[no-untyped-call]
    broker.declare_queue("commands")
    yield broker
    broker.client.close()
