"""The consumer for threads."""

import logging
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self, Unpack

from redis.exceptions import ResponseError

from messages.client.errors import BrokerUnreachable
from messages.consumer.event import Event
from messages.consumer.intake import ConsumerOptions
from messages.consumer.reading import Reading, Source, Step
from messages.streams import TROUBLE, Entry, connect, entries_of, ids_of, read_entries, text_of

_log = logging.getLogger("interlock.consumer")


class Consumer:
    """Reads `events`, `notifications:NAME` or `replies:NAME` in a group: `for event in Consumer(...)`.

    The members of a group share the events: each goes to one of them, and to another if that one dies. An
    event is acknowledged when the next one is asked for; one at which the loop was left, by an error or by
    `break`, comes again, here or elsewhere (`ack` before `break` prevents that). Repeats that this consumer
    has seen are dropped by their id. After a crash an event may still come twice: handle it so that this does
    no harm. Trouble with Redis is waited out. A consumer is for one thread; others may call `stop`.

    Raises:
        BrokerUnreachable: if Redis cannot be reached at the start.
    """

    def __init__(
        self,
        url: str,
        stream: str,
        group: str,
        *,
        namespace: str = "interlock",
        **options: Unpack[ConsumerOptions],
    ) -> None:
        self._reading = Reading(stream, group, namespace, options)
        self._redis = connect(url)
        self._stopped = threading.Event()
        try:
            self._create_group()
        except TROUBLE as error:
            self._redis.close()
            raise BrokerUnreachable(f"Redis cannot be reached: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Its name in the group."""
        return self._reading.name

    def __iter__(self) -> Self:
        self._reading.begin()
        return self

    def __next__(self) -> Event:
        if (handled := self._reading.moving_on()) is not None:
            self.ack(handled)
        event = self._next()
        if event is None:
            raise StopIteration
        return self._reading.give(event)

    def ack(self, event: Event) -> None:
        """Says that an event is handled, so that nobody gets it any more. A second time does nothing."""
        self._reading.intake.handled(event)
        with suppress(*TROUBLE):
            self._acknowledge()

    def stop(self) -> None:
        """Ends the iteration after the event in hand, within a second. For threads and signal handlers."""
        self._stopped.set()

    def close(self) -> None:
        """Disconnects. What was not acknowledged goes to the other members of the group."""
        self.stop()
        with suppress(*TROUBLE):
            self._acknowledge()
            self._leave_group()
        self._redis.close()

    def _next(self) -> Event | None:
        reading = self._reading
        give_up_at = None if reading.timeout is None else time.monotonic() + reading.timeout
        while not self._stopped.is_set():
            event = reading.ready(time.monotonic())
            if event is not None:
                return event
            if give_up_at is not None and time.monotonic() >= give_up_at:
                return None
            try:
                self._read(give_up_at)
            except TROUBLE as error:
                pause = reading.pause()
                _log.warning("Redis gives no events (%s); trying again in %.1f s", error, pause)
                self._stopped.wait(pause)
        return None

    def _read(self, give_up_at: float | None) -> None:
        self._acknowledge()
        step = self._reading.step(time.monotonic(), give_up_at)
        try:
            entries, cursor = self._claim(step) if step.source is Source.LEFT else (self._fetch(step), "0-0")
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._reading.group_lost()
            self._create_group()
            return
        self._reading.took(step, entries, time.monotonic(), cursor)

    def _fetch(self, step: Step) -> list[Entry]:
        reading = self._reading
        reply = self._redis.xreadgroup(
            reading.group,
            reading.name,
            {reading.key: step.after},
            count=reading.prefetch,
            block=step.block_ms or None,
        )
        entries = entries_of(reply)
        if step.source is Source.OWN and entries:
            # The time until others may claim them begins anew.
            self._redis.xclaim(reading.key, reading.group, reading.name, 0, ids_of(entries), justid=True)
        return entries

    def _claim(self, step: Step) -> tuple[list[Entry], str]:
        reading = self._reading
        cursor, entries, *_ = self._redis.xautoclaim(
            reading.key,
            reading.group,
            reading.name,
            reading.claim_after_ms,
            step.after,
            count=reading.prefetch,
        )
        return read_entries(entries), text_of(cursor)

    def _acknowledge(self) -> None:
        entry_ids = self._reading.intake.to_acknowledge()
        if entry_ids:
            self._redis.xack(self._reading.key, self._reading.group, *entry_ids)
            self._reading.intake.acknowledged(entry_ids)

    def _create_group(self) -> None:
        try:
            self._redis.xgroup_create(
                self._reading.key, self._reading.group, id=self._reading.start, mkstream=True
            )
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _leave_group(self) -> None:
        """Takes a name that nobody will use again off the group, unless entries are waiting under it."""
        reading = self._reading
        if reading.is_named:
            return
        pending = self._redis.xpending_range(
            reading.key, reading.group, "-", "+", 1, consumername=reading.name
        )
        if not pending:
            self._redis.xgroup_delconsumer(reading.key, reading.group, reading.name)
