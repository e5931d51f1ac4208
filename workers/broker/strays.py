"""Messages that have a body and are in no list and in nobody's hands: they go to the end of their queue.

A producer that writes the body and the id in two steps, and dies between them, leaves such a one. It was told nothing,
but it may have lost no more than the answer, and whoever sends twice is understood: so it is better sent than lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from workers.broker.calls import QueueCalls

_log = logging.getLogger(__name__)


class Strays:
    """Looked for by each worker, for itself."""

    def __init__(
        self, calls: QueueCalls, queue: str, every_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """A producer between its two steps is no dead one: a stray must have been seen twice, `every_s` apart."""
        self._calls, self._queue, self._every_s, self._clock = calls, queue, every_s, clock
        self._seen: set[bytes] = set()
        self._next = clock() + every_s

    def look(self) -> int:
        """Puts back what was astray when it last looked, and still is; answers how many those were.

        Raises:
            redis.RedisError, OSError: Redis cannot be asked; it is done another time.
        """
        if self._clock() < self._next:
            return 0
        self._next = self._clock() + self._every_s
        found = self._calls.strays(self._seen)
        put_back, self._seen = len(self._seen & found), found - self._seen
        if put_back:
            _log.warning("put %d messages into queue %r that were in no list", put_back, self._queue)
        return put_back
