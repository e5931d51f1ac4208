"""Runs the batch actor of one queue under dramatiq's Worker."""

from __future__ import annotations

import time

from dramatiq.worker import Worker

from workers.broker.redis_broker import InterlockBroker

# How often dramatiq's idle threads look whether they are to end: no command is sent for it.
_LOOK_UP_MS = 200


class QueueRunner:
    """Several may run in one process, each with a broker of its own; each runs once."""

    def __init__(self, broker: InterlockBroker, queue_name: str, *, threads: int = 2) -> None:
        self._is_stopped = False
        self._worker = Worker(broker, queues={queue_name}, worker_timeout=_LOOK_UP_MS, worker_threads=threads)

    def start(self) -> None:
        self._worker.start()
        # A thread that is told to stop before it began would not hear it.
        while not self._is_running():
            time.sleep(0.001)

    def stop(self, timeout: float = 25.0) -> None:
        """Stops fetching at once, waits so many seconds for batches in hand, puts the rest back."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._worker.stop(timeout=int(timeout * 1000))

    def _is_running(self) -> bool:
        return all(thread.running for thread in self._worker.workers) and all(
            thread.running for thread in self._worker.consumers.values()
        )
