"""What this process has in hand of one queue: batches fetched and neither acknowledged nor put back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Hands:
    def __init__(self, room: int) -> None:
        self._room = room
        self._batches: dict[int, tuple[bytes, ...]] = {}
        self._unhandled: set[int] = set()
        self._last_number = 0
        self._is_closed = False
        self._changed = threading.Condition()
        self._fetch = threading.Lock()

    def wait_for_room(self, timeout_s: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._batches) < self._room, timeout_s)
            return not self._is_closed and len(self._batches) < self._room

    def wait_until_handled(self, timeout_s: float) -> None:
        """Until no handler is at work; what it has done may still have to be acknowledged."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or not self._unhandled, timeout_s)

    def handled(self, number: int) -> None:
        """The handler has returned, or has failed."""
        with self._changed:
            self._unhandled.discard(number)
            self._changed.notify_all()

    def close(self) -> None:
        """There will be no room any more; what is in hand stays until it is released."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Held from the question to Redis until the answer is in hand."""
        with self._fetch:
            yield

    @contextmanager
    def while_nothing_is_fetched(self, timeout_s: float) -> Iterator[bool]:
        acquired = self._fetch.acquire(timeout=timeout_s)
        try:
            yield acquired
        finally:
            if acquired:
                self._fetch.release()

    def take(self, ids: tuple[bytes, ...]) -> int:
        with self._changed:
            self._last_number += 1
            self._batches[self._last_number] = ids
            self._unhandled.add(self._last_number)
            return self._last_number

    def release(self, number: int) -> None:
        with self._changed:
            self._batches.pop(number, None)
            self._unhandled.discard(number)
            self._changed.notify_all()

    def ids_in_order(self) -> list[bytes]:
        """In the order of fetching, which was the order of the queue."""
        with self._changed:
            return [redis_id for number in sorted(self._batches) for redis_id in self._batches[number]]
