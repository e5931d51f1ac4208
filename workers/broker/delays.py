"""Moves delayed messages to their queue when they are due.

Each move is one atomic step in Redis and no process holds a delayed message, so none can be lost with one.
"""

from __future__ import annotations

import logging
import threading

from workers.broker.at_work import QueueAtWork
from workers.broker.connections import LOST_REDIS
from workers.broker.outage import Backoff

_log = logging.getLogger(__name__)

_WORK = "delays"
# A delayed message that another process has looked at does not ring here. Should that process die before
# it is due, this is how late it can be.
_LOOK_ANYWAY_S = 5.0


class Delays(threading.Thread):
    def __init__(self, queue: QueueAtWork) -> None:
        super().__init__(name=f"delays {queue.name}", daemon=True)
        self._queue = queue
        self._bell = queue.delays_bell
        self._backoff = Backoff()

    def run(self) -> None:
        while not self._queue.stopping.is_set():
            try:
                self._one_round()
            except LOST_REDIS as error:
                self._queue.redis_failed(_WORK, error, self._backoff)
            except Exception:  # noqa: BLE001 - as in the consumer
                _log.exception("the delayed messages of queue %r failed; they go on", self._queue.name)
                self._queue.pause(1.0)
        self._bell.close()

    def _one_round(self) -> None:
        _, next_ms = self._queue.calls.promote()
        self._queue.redis_answered(_WORK, self._backoff)
        if next_ms != 0:
            self._bell.wait(_LOOK_ANYWAY_S if next_ms < 0 else min(next_ms / 1000, _LOOK_ANYWAY_S))
