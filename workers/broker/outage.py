"""Tells the log that Redis is gone, and that it is back: once each, however many tries fail in between."""

from __future__ import annotations

import logging
import threading
import time

_log = logging.getLogger(__name__)


class Outage:
    """Shared by all threads that serve one queue; it lasts as long as one of them fails."""

    def __init__(self, queue_name: str) -> None:
        self._queue_name = queue_name
        self._failing: set[str] = set()
        self._since = 0.0
        self._lock = threading.Lock()

    def began(self, work: str, error: BaseException) -> None:
        with self._lock:
            if not self._failing:
                self._since = time.monotonic()
                _log.warning(
                    "redis fails for queue %r (%s): %s: %s",
                    self._queue_name,
                    work,
                    type(error).__name__,
                    error,
                )
            self._failing.add(work)

    def over(self, work: str) -> None:
        if work not in self._failing:
            return
        with self._lock:
            self._failing.discard(work)
            if not self._failing:
                lasted_s = time.monotonic() - self._since
                _log.warning("redis serves queue %r again after %.1f s", self._queue_name, lasted_s)


class Backoff:
    """How long to wait before the next try: twice as long each time, at most a second."""

    _FIRST_S, _LONGEST_S = 0.02, 1.0

    def __init__(self) -> None:
        self._next_s = self._FIRST_S

    def next_s(self) -> float:
        this_s = self._next_s
        self._next_s = min(2 * this_s, self._LONGEST_S)
        return this_s

    def reset(self) -> None:
        self._next_s = self._FIRST_S
