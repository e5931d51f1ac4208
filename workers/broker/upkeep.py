"""Shows life, takes back what the dead held, finds what got lost: every few seconds, not by chance.

It goes on while handlers work, however long they take, and until the last of them is done.
"""

from __future__ import annotations

import logging
import threading
import time

from workers.broker.at_work import QueueAtWork
from workers.broker.connections import LOST_REDIS
from workers.broker.outage import Backoff
from workers.broker.strays import Strays

_log = logging.getLogger(__name__)

_WORK = "upkeep"


class Upkeep(threading.Thread):
    def __init__(self, queue: QueueAtWork) -> None:
        super().__init__(name=f"upkeep {queue.name}", daemon=True)
        self._queue = queue
        self._timeout_ms = queue.settings.heartbeat_timeout_ms
        # Three beats must fail before anybody takes this process for dead.
        self._interval_s = min(queue.settings.maintenance_interval_s, self._timeout_ms / 3000)
        self._backoff = Backoff()
        self._steady_since: float | None = None
        self._last_beat = 0.0
        self._nothing_left_with: set[str] = set()
        self._strays = Strays(queue.calls, queue.name, queue.settings.strays_interval_s)

    def run(self) -> None:
        while not self._queue.ended.is_set():
            wait_s = self._interval_s
            try:
                self._one_round()
                self._queue.redis_answered(_WORK, self._backoff)
            except LOST_REDIS as error:
                self._steady_since = None
                self._queue.redis_failed(_WORK, error, self._backoff)
                wait_s = 0.0
            except Exception:  # noqa: BLE001 - as in the consumer
                _log.exception("upkeep of queue %r failed; it goes on", self._queue.name)
            self._queue.ended.wait(wait_s)

    def _one_round(self) -> None:
        unheard_of = {worker.decode(errors="replace") for worker in self._queue.calls.beat(self._timeout_ms)}
        self._nothing_left_with &= unheard_of  # who came back may hold something when it dies again
        if self._may_judge():
            for worker in sorted(unheard_of - self._nothing_left_with):
                self._take_back_from(worker)
        self._find_lost_ones()
        self._strays.look()

    def _may_judge(self) -> bool:
        """Only who has been heard without a gap for a while may call others dead.

        After an outage of Redis, or of this process, everybody looks dead at first, the living too.
        """
        now = time.monotonic()
        if self._steady_since is None or now - self._last_beat > self._timeout_ms / 2000:
            self._steady_since = now
        self._last_beat = now
        return now - self._steady_since >= self._timeout_ms / 2000

    def _take_back_from(self, worker: str) -> None:
        moved = self._queue.calls.reclaim(worker, self._timeout_ms)
        self._nothing_left_with.add(worker)
        if moved:
            _log.warning(
                "took back %d messages of queue %r from dead worker %s", moved, self._queue.name, worker
            )

    def _find_lost_ones(self) -> None:
        """The answer to a fetch may have got lost on its way: then its messages are in nobody's hands."""
        with self._queue.hands.while_nothing_is_fetched(timeout_s=0.1) as quiet:
            if not quiet:
                return
            # In this order: what is released between the two questions must not look lost.
            in_hand = set(self._queue.hands.ids_in_order())
            lost = self._queue.calls.handed_out() - in_hand
            if lost:
                moved = self._queue.calls.put_back(sorted(lost))
                _log.warning("put back %d stranded messages of queue %r", moved, self._queue.name)
