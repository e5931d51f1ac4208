"""Which processes are alive, and what waits for them: asked of Redis, and judged with what PostgreSQL knows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis

from messages.registry import COMMANDS_QUEUE, QUERIES_QUEUE
from store.diagnosis import Processes
from workers.doctor.finding import Finding, ok, warn

# A worker process has one consumer for commands and one for queries.
_CONSUMERS_EACH = 2
MANY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """How much waits on one queue, is in some worker's hands, or is to come later."""

    name: str
    waiting: int
    in_hand: int
    delayed: int


def alive_consumers(client: redis.Redis, namespace: str, heartbeat_timeout_s: float) -> int:
    """How many consumers have shown life in time, by Redis's own clock."""
    seconds, microseconds = client.time()
    since_ms = (seconds + microseconds / 1_000_000 - heartbeat_timeout_s) * 1000
    count: Any = client.zcount(f"{namespace}:__heartbeats__", since_ms, "+inf")
    return int(count)


def queues(client: redis.Redis, namespace: str) -> list[Queue]:
    """Both queues."""
    return [_queue(client, namespace, name) for name in (COMMANDS_QUEUE, QUERIES_QUEUE)]


def judge_workers(consumers: int) -> Finding:
    """By their heartbeats."""
    if consumers == 0:
        return warn("workers", "none has shown life", "start `interlock worker`")
    number = -(-consumers // _CONSUMERS_EACH)
    return ok("workers", f"{number} alive")


def judge_single(processes: Processes) -> Iterator[Finding]:
    """Relay and clock: one of each is to be active."""
    for name, active, consequence in (
        ("relay", processes.relay_is_active, "no event is published without it"),
        ("clock", processes.clock_is_active, "nothing that is due happens without it"),
    ):
        # The clock has a connection for its lock and one for its duties.
        connected = processes.sessions.get(f"interlock {name}", 0)
        if active:
            yield ok(name, "one is active")
        elif connected:
            yield warn(name, "connected, but none is active yet", "look again in a few seconds")
        else:
            yield warn(name, "none is running", f"start `interlock {name}`: {consequence}")


def judge_queue(queue: Queue, consumers: int) -> Finding:
    """How much waits, and whether there is anybody for it."""
    name = f"queue {queue.name}"
    found = f"{queue.waiting:,} waiting, {queue.in_hand:,} in hand, {queue.delayed:,} for later"
    if queue.waiting and consumers == 0:
        return warn(name, found, "start `interlock worker`")
    if queue.waiting > MANY:
        return warn(name, found, "start more workers, on this machine or others")
    return ok(name, found)


def _queue(client: redis.Redis, namespace: str, name: str) -> Queue:
    key = f"{namespace}:{name}"
    with client.pipeline(transaction=True) as pipe:
        pipe.llen(key)
        pipe.hlen(f"{key}.msgs")
        pipe.hlen(f"{key}.DQ.msgs")
        waiting, known, delayed = pipe.execute()
    return Queue(name=name, waiting=waiting, in_hand=max(0, known - waiting), delayed=delayed)
