"""What Redis tells: how much waits on each queue and for how long, and who is at work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from messages.registry import COMMANDS_QUEUE, QUERIES_QUEUE
from workers.figures.tally import enqueued_at

QUEUES = (COMMANDS_QUEUE, QUERIES_QUEUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """Messages that are ready, that workers have in hand, and that are delayed; how long the first one has waited."""

    name: str
    ready: int
    in_hand: int
    delayed: int
    oldest_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumers:
    """Processes that have shown life in time, by queue, and those that hold messages and have not."""

    alive: dict[str, int]
    silent: int


def queues(client: redis.Redis, namespace: str) -> list[QueueFigures]:
    """Both queues.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    now_s = server_time(client)
    workers: Any = client.zrange(f"{namespace}:__heartbeats__", 0, -1)
    return [_queue(client, namespace, name, workers, now_s) for name in QUEUES]


def consumers(client: redis.Redis, namespace: str, heartbeat_timeout_s: float) -> Consumers:
    """Who is at work, by Redis's own clock. Raises as `queues` does."""
    since_ms = (server_time(client) - heartbeat_timeout_s) * 1000
    beats: Any = client.zrange(f"{namespace}:__heartbeats__", 0, -1, withscores=True)
    alive = [worker.rpartition(b"@")[2].decode(errors="replace") for worker, at in beats if at >= since_ms]
    return Consumers(
        alive={name: alive.count(name) for name in QUEUES}, silent=sum(at < since_ms for _, at in beats)
    )


def server_time(client: redis.Redis) -> float:
    """Redis's clock, in seconds of the epoch."""
    seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1_000_000


def _queue(
    client: redis.Redis, namespace: str, name: str, workers: Sequence[bytes], now_s: float
) -> QueueFigures:
    key = f"{namespace}:{name}"
    with client.pipeline(transaction=False) as pipe:
        pipe.llen(key)
        pipe.hlen(f"{key}.DQ.msgs")
        pipe.lindex(key, 0)
        for worker in workers:
            pipe.scard(f"{namespace}:__acks__.{worker.decode(errors='replace')}.{name}")
        ready, delayed, first, *in_hand = pipe.execute()
    oldest_s = None if first is None else _age(client.hget(f"{key}.msgs", first), now_s)
    return QueueFigures(name=name, ready=ready, in_hand=_sum(in_hand), delayed=delayed, oldest_s=oldest_s)


def _age(body: Any, now_s: float) -> float | None:
    """None also where it was fetched meanwhile, or does not say when it was enqueued."""
    enqueued = () if body is None else enqueued_at([body])
    return max(0.0, now_s - enqueued[0]) if enqueued else None


def _sum(numbers: Iterable[int]) -> int:
    return sum(map(int, numbers))
