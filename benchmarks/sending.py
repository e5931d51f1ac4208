"""The producer: a process that has everything encoded before it begins, and then only speaks to Redis."""

import resource
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import redis

from benchmarks.workload import Message, Workload, encoded

_AT_ONCE = 100
_PACE_S = 0.01


@dataclass(frozen=True, slots=True)
class Sent:
    """What the producer did."""

    begun: float
    cpu_s: float


def send(
    url: str, namespace: str, workload: Workload, rate: float | None, shared: Any, pipe: Connection
) -> None:
    """Encodes, says that it is ready, waits for the start, sends.

    `shared` counts the results that have been read: no more than the window are on their way. With a `rate`
    (commands a second) they are sent in even portions.
    """
    messages = encoded(workload)
    sender = _Sender(redis.Redis.from_url(url), namespace, workload, shared)
    sender.send_nothing()
    pipe.send("ready")
    pipe.recv()
    cpu, begun = _cpu(), time.monotonic()
    if rate is None:
        sender.as_fast_as_answered(messages)
    else:
        sender.evenly(messages, rate)
    pipe.send(Sent(begun, _cpu() - cpu))


class _Sender:
    def __init__(self, client: redis.Redis, namespace: str, workload: Workload, shared: Any) -> None:
        self._client, self._workload, self._shared = client, workload, shared
        self._key = f"{namespace}:commands"
        self._sent = 0

    def send_nothing(self) -> None:
        self._client.ping()

    def as_fast_as_answered(self, messages: list[Message]) -> None:
        portion = max(1, _AT_ONCE // self._workload.batch)
        for first in range(0, len(messages), portion):
            self._wait_for_room()
            self._push(messages[first : first + portion])

    def evenly(self, messages: list[Message], rate: float) -> None:
        begun, first = time.monotonic(), 0
        while first < len(messages):
            due = int((time.monotonic() - begun) * rate)
            if due > first:
                self._push(messages[first:due])
                first = due
            time.sleep(_PACE_S)

    def _wait_for_room(self) -> None:
        while self._sent - self._shared.value >= self._workload.outstanding:
            time.sleep(0.0005)

    def _push(self, messages: list[Message]) -> None:
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(f"{self._key}.msgs", items=[part for message in messages for part in message])
            pipeline.rpush(self._key, *(redis_id for redis_id, _ in messages))
            pipeline.execute()
        self._sent += len(messages) * self._workload.batch


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
