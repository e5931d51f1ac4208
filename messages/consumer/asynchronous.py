"""The consumer for asyncio: as the one for threads."""

import asyncio
import logging
import time
from contextlib import suppress
from types import TracebackType
from typing import Self, Unpack

from redis.exceptions import ResponseError

from messages.client.errors import BrokerUnreachable
from messages.consumer.event import Event
from messages.consumer.intake import ConsumerOptions
from messages.consumer.reading import Reading, Source, Step
from messages.streams import TROUBLE, Entry, connect_async, entries_of, ids_of, read_entries, text_of

_log = logging.getLogger("interlock.consumer")


class AsyncConsumer:
    """`Consumer` for an event loop: `async for event in AsyncConsumer(...)`; connects when first asked."""

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
        self._redis = connect_async(url)
        self._stopped = asyncio.Event()
        self._is_open = False

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def name(self) -> str:
        """Its name in the group."""
        return self._reading.name

    async def open(self) -> None:
        """Connects and makes the group; a second time does nothing.

        Raises:
            BrokerUnreachable: if Redis cannot be reached.
        """
        if self._is_open:
            return
        try:
            await self._create_group()
        except TROUBLE as error:
            await self._redis.aclose()
            raise BrokerUnreachable(f"Redis cannot be reached: {error}") from error
        self._is_open = True

    def __aiter__(self) -> Self:
        self._reading.begin()
        return self

    async def __anext__(self) -> Event:
        if (handled := self._reading.moving_on()) is not None:
            await self.ack(handled)
        event = await self._next()
        if event is None:
            raise StopAsyncIteration
        return self._reading.give(event)

    async def ack(self, event: Event) -> None:
        """Says that an event is handled, so that nobody gets it any more. A second time does nothing."""
        self._reading.intake.handled(event)
        with suppress(*TROUBLE):
            await self._acknowledge()

    def stop(self) -> None:
        """Ends the iteration after the event in hand, within a second."""
        self._stopped.set()

    async def close(self) -> None:
        """Disconnects. What was not acknowledged goes to the other members of the group."""
        self.stop()
        with suppress(*TROUBLE):
            await self._acknowledge()
            await self._leave_group()
        await self._redis.aclose()

    async def _next(self) -> Event | None:
        await self.open()
        reading = self._reading
        give_up_at = None if reading.timeout is None else time.monotonic() + reading.timeout
        while not self._stopped.is_set():
            event = reading.ready(time.monotonic())
            if event is not None:
                return event
            if give_up_at is not None and time.monotonic() >= give_up_at:
                return None
            try:
                await self._read(give_up_at)
            except TROUBLE as error:
                pause = reading.pause()
                _log.warning("Redis gives no events (%s); trying again in %.1f s", error, pause)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), pause)
        return None

    async def _read(self, give_up_at: float | None) -> None:
        await self._acknowledge()
        step = self._reading.step(time.monotonic(), give_up_at)
        try:
            if step.source is Source.LEFT:
                entries, cursor = await self._claim(step)
            else:
                entries, cursor = await self._fetch(step), "0-0"
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._reading.group_lost()
            await self._create_group()
            return
        self._reading.took(step, entries, time.monotonic(), cursor)

    async def _fetch(self, step: Step) -> list[Entry]:
        reading = self._reading
        reply = await self._redis.xreadgroup(
            reading.group,
            reading.name,
            {reading.key: step.after},
            count=reading.prefetch,
            block=step.block_ms or None,
        )
        entries = entries_of(reply)
        if step.source is Source.OWN and entries:
            # The time until others may claim them begins anew.
            await self._redis.xclaim(
                reading.key, reading.group, reading.name, 0, ids_of(entries), justid=True
            )
        return entries

    async def _claim(self, step: Step) -> tuple[list[Entry], str]:
        reading = self._reading
        cursor, entries, *_ = await self._redis.xautoclaim(
            reading.key,
            reading.group,
            reading.name,
            reading.claim_after_ms,
            step.after,
            count=reading.prefetch,
        )
        return read_entries(entries), text_of(cursor)

    async def _acknowledge(self) -> None:
        entry_ids = self._reading.intake.to_acknowledge()
        if entry_ids:
            await self._redis.xack(self._reading.key, self._reading.group, *entry_ids)
            self._reading.intake.acknowledged(entry_ids)

    async def _create_group(self) -> None:
        reading = self._reading
        try:
            await self._redis.xgroup_create(reading.key, reading.group, id=reading.start, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _leave_group(self) -> None:
        """Takes a name that nobody will use again off the group, unless entries are waiting under it."""
        reading = self._reading
        if reading.is_named:
            return
        pending = await self._redis.xpending_range(
            reading.key, reading.group, "-", "+", 1, consumername=reading.name
        )
        if not pending:
            await self._redis.xgroup_delconsumer(reading.key, reading.group, reading.name)
