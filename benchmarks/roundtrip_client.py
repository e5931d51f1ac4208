"""One command at a time, as a producer that knows nothing but Redis sends it and waits for the answer."""

import time
from typing import Any

import redis

from messages.enqueue import dramatiq_message
from messages.registry import queue_of


class Caller:
    """Sends one message and waits on its reply stream."""

    def __init__(self, client: redis.Redis, namespace: str, name: str) -> None:
        self._client, self._namespace = client, namespace
        self._stream = f"{namespace}:replies:{name}"
        self._last: Any = "0-0"

    def call(self, envelope: dict[str, Any], *, wait_s: float = 10.0) -> bytes | None:
        """The result's envelope; None if there is none in time."""
        return self.timed(envelope, wait_s=wait_s)[0]

    def timed(self, envelope: dict[str, Any], *, wait_s: float = 10.0) -> tuple[bytes | None, float]:
        """The result's envelope, and the seconds from the enqueueing until it was read."""
        key = f"{self._namespace}:{queue_of(envelope['type'])}"
        redis_id, text = dramatiq_message(queue_of(envelope["type"]), envelope)
        wanted = str(envelope["id"]).encode()
        begun = time.perf_counter()
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(f"{key}.msgs", redis_id, text)
            pipeline.rpush(key, redis_id)
            pipeline.execute()
        while (left := begun + wait_s - time.perf_counter()) > 0:
            found: Any = self._client.xread({self._stream: self._last}, block=max(1, int(left * 1000)))
            took = time.perf_counter() - begun
            for entry_id, fields in _entries(found):
                self._last = entry_id
                if wanted in fields[b"event"]:
                    return fields[b"event"], took
        return None, wait_s


def _entries(found: Any) -> list[Any]:
    """The entries of the only stream, whichever form this version of the client gives them in."""
    if not found:
        return []
    streams = list(found.values()) if isinstance(found, dict) else [entries for _, entries in found]
    entries = streams[0]
    # Under RESP3 each stream's entries come in a list of their own.
    return entries[0] if entries and isinstance(entries[0], list) else entries
