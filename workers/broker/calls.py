"""The commands of queue.lua, typed, for one queue and one worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import redis

_SCRIPT = files("workers.broker").joinpath("queue.lua").read_bytes()
_PROMOTE_AT_ONCE = 500
#: Of a message that is longer, so many bytes are fetched: more than any handler takes, and enough to see that.
LARGEST_BODY = 16 * 1024 * 1024 + 1


@dataclass(frozen=True)
class Fetched:
    now_ms: int
    ids: list[bytes]
    bodies: list[bytes | None]
    more: bool
    deaths: list[int]
    """How many workers died with each of the messages; empty if none did."""


class QueueCalls:
    def __init__(self, client: redis.Redis, namespace: str, queue_name: str, broker_id: str) -> None:
        self.client = client
        self.worker_id = f"{broker_id}@{queue_name}"
        self.queue_key = f"{namespace}:{queue_name}"
        self.delayed_key = f"{namespace}:{queue_name}.DQ"
        self._namespace = namespace
        self._queue_name = queue_name
        self._script = client.register_script(_SCRIPT)
        self._keys = self._keys_of(self.queue_key, self._acks_key(self.worker_id, queue_name))
        self._workers = 1

    def fetch(self, count: int, max_bytes: int) -> Fetched:
        now_ms, ids, bodies, more, deaths = self._call(
            "fetch", self.worker_id, count, min(max_bytes, LARGEST_BODY), LARGEST_BODY, self._workers
        )
        return Fetched(now_ms, ids, bodies, bool(more), [_number(each) for each in deaths])

    def ack(self, ids: Sequence[bytes]) -> int:
        return int(self._call("ack", *ids))

    def put_back(self, ids: Sequence[bytes]) -> int:
        return int(self._call("put_back", *ids))

    def postpone(self, etas_ms: Iterable[tuple[bytes, float]]) -> int:
        return int(self._call("postpone", *(value for pair in etas_ms for value in pair)))

    def promote(self) -> tuple[int, int]:
        """How many delayed messages moved to the queue, and the milliseconds until the next is due.

        0: there is more to do at once; -1: there is none.
        """
        moved, next_ms = self._call("promote", _PROMOTE_AT_ONCE)
        return int(moved), int(next_ms)

    def beat(self, timeout_ms: int) -> list[bytes]:
        """Shows life; the ids of those who have not for so long. Among the others a fetch divides what is waiting."""
        dead: list[bytes]
        dead, alive = self._call("beat", self.worker_id, timeout_ms, f"@{self._queue_name}")
        self._workers = max(1, int(alive))
        return dead

    def reclaim(self, dead_worker: str, timeout_ms: int) -> int:
        """Puts back what a dead worker held of this queue, waiting or delayed.

        The entry of a worker goes with it only if it was one for this queue alone: who else would find what a
        stock worker held of its other queues?
        """
        ours = "1" if dead_worker.endswith(f"@{self._queue_name}") else "0"
        moved = 0
        for key, name in ((self.delayed_key, f"{self._queue_name}.DQ"), (self.queue_key, self._queue_name)):
            keys = self._keys_of(key, self._acks_key(dead_worker, name))
            is_main = key == self.queue_key
            forget, count = (ours, "1") if is_main else ("0", "0")
            moved += int(self._script(keys=keys, args=("reclaim", dead_worker, timeout_ms, forget, count)))
        return moved

    def handed_out(self) -> set[bytes]:
        """What Redis thinks that this worker has in hand."""
        return set(self.client.smembers(self._keys[2]))  # type: ignore[arg-type]  # awaitable in asyncio's client only

    def strays(self, put_back: Iterable[bytes]) -> set[bytes]:
        """Messages that are neither in the list nor in anybody's hands; those of `put_back` go to the list's end."""
        workers: list[bytes] = self.client.zrange(f"{self._namespace}:__heartbeats__", 0, -1)  # type: ignore[assignment]
        hands = (self._acks_key(each.decode(errors="replace"), self._queue_name) for each in workers)
        return set(self._script(keys=(*self._keys, *hands), args=("strays", *put_back)))

    def leave(self, ids: Sequence[bytes]) -> int:
        """Puts everything back, `ids` first, and takes this worker off the list."""
        return int(self._call("leave", self.worker_id, *ids))

    def _call(self, command: str, *arguments: Any) -> Any:
        return self._script(keys=self._keys, args=(command, *arguments))

    def _acks_key(self, worker_id: str, queue_name: str) -> str:
        return f"{self._namespace}:__acks__.{worker_id}.{queue_name}"

    def _keys_of(self, queue_key: str, acks_key: str) -> tuple[str, ...]:
        """Every key that the script may touch, as a cluster demands."""
        return (
            queue_key,
            f"{queue_key}.msgs",
            acks_key,
            f"{self._namespace}:__heartbeats__",
            self.delayed_key,
            f"{self.delayed_key}.msgs",
            f"{self.delayed_key}.due",
            f"{self.queue_key}.deaths",
        )


def _number(text: bytes | None) -> int:
    return int(text) if text and text.isdigit() else 0
