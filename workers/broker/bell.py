"""Waits until a list has something in it, on a connection of its own.

Moving the tail of a list onto itself changes nothing, but it blocks while the list is empty: one command a
second when idle, and awake within the time of one answer whoever pushes, and however.
"""

from __future__ import annotations

import threading
import time

import redis

from workers.broker.connections import waiting_connection

# A server that is gone without a word never answers; one that is alive is this late at most.
_LATE_S = 5.0
# How often the wait looks up to see whether it is to end early. Costs no command and delays no wake-up.
_LOOK_UP_S = 0.2


class Bell:
    """Used by one thread; only `cut_short` may be called by others."""

    def __init__(self, url: str, key: str, stopping: threading.Event) -> None:
        self._key = key
        self._stopping = stopping
        self._cut_short = threading.Event()
        self._connection = waiting_connection(url, answer_within_s=_LATE_S)

    def wait(self, seconds: float) -> bool:
        """True when there is something; False after so many seconds, or when the wait was cut short."""
        if self._is_to_end():
            return False
        try:
            self._connection.send_command(
                "BLMOVE", self._key, self._key, "RIGHT", "RIGHT", f"{max(seconds, 0.001):.3f}"
            )
            return self._answered(time.monotonic() + seconds + _LATE_S)
        # Whatever ended it: an answer that comes later would be taken for the next command's.
        except BaseException:
            self.close()
            raise

    def cut_short(self) -> None:
        self._cut_short.set()

    def close(self) -> None:
        self._connection.disconnect()

    def _answered(self, deadline: float) -> bool:
        while not self._connection.can_read(timeout=_LOOK_UP_S):
            if self._is_to_end():
                self.close()  # an answer that nobody waits for must not be taken for the next one
                return False
            if time.monotonic() > deadline:
                raise redis.TimeoutError("no answer to BLMOVE")
        return self._connection.read_response() is not None

    def _is_to_end(self) -> bool:
        if self._cut_short.is_set():
            self._cut_short.clear()
            return True
        return self._stopping.is_set()
