"""Reads all that comes out, whatever becomes of Redis meanwhile, and remembers when each answer first came."""

import json
import threading
import time
from typing import Any

from redis import Redis, RedisError

from tests.crashes.producer import Envelope

_AT_ONCE = 1000
_BLOCK_MS = 50


class Witness(threading.Thread):
    """Follows the results of one producer, all events, and the notifications of one name."""

    def __init__(self, redis: Redis, namespace: str, replyto: str) -> None:
        super().__init__(name="witness", daemon=True)
        self._redis = redis
        self._over = threading.Event()
        names = (f"replies:{replyto}", "events", "notifications:faults")
        self._streams = {f"{namespace}:{name}": "0" for name in names}
        self._seen: dict[str, list[Envelope]] = {stream: [] for stream in self._streams}
        self.results, self.events, self.notices = self._seen.values()
        #: monotonic seconds, by command
        self.answered_at: dict[str, float] = {}
        self._found = threading.Condition()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                answer: Any = self._redis.xread(dict(self._streams), count=_AT_ONCE, block=_BLOCK_MS)  # type: ignore[arg-type]
            except (RedisError, OSError):
                self._over.wait(0.05)
                continue
            for stream, entries in answer or ():
                self._take(stream, entries)

    def settle(self, redis: Redis) -> None:
        """Returns when it has read all that the streams hold now."""
        for stream in self._streams:
            last: Any = redis.xrevrange(stream, count=1)
            give_up_at = time.monotonic() + 30
            while last and _order(self._streams[stream]) < _order(last[0][0]):
                assert time.monotonic() < give_up_at, f"{stream} cannot be read"
                time.sleep(0.01)

    def stop(self) -> None:
        self._over.set()
        self.join(10)

    def has(self, ident: str) -> bool:
        """Whether the command was answered."""
        return ident in self.answered_at

    def wait_for(self, idents: set[str], within_s: float) -> set[str]:
        """Those that are still not answered then."""
        with self._found:
            self._found.wait_for(lambda: all(ident in self.answered_at for ident in idents), within_s)
            return {ident for ident in idents if ident not in self.answered_at}

    def _take(self, stream: str, entries: list[tuple[str, dict[str, str]]]) -> None:
        new = [json.loads(fields["event"]) for _, fields in entries]
        self._streams[stream] = entries[-1][0]
        self._seen[stream].extend(new)
        if self._seen[stream] is not self.results:
            return
        now = time.monotonic()
        with self._found:
            for each in new:
                self.answered_at.setdefault(each["causationid"], now)
            self._found.notify_all()


def _order(ident: str) -> tuple[int, int]:
    milliseconds, _, number = ident.partition("-")
    return int(milliseconds), int(number or 0)
