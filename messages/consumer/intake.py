"""What a consumer holds: entries read, events in hand, and the ids of events seen. Pure: time comes in."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypedDict

from messages.consumer.event import Event, read_event
from messages.streams import Entry

_SEEN = 100_000


class ConsumerOptions(TypedDict, total=False):
    """What a consumer can be told beside what to read.

    name: its name in the group, unique there; by default a fresh one. One that comes back under its name
        gets what it had not acknowledged.
    start: where a new group begins: at the `beginning` of the stream (the default) or with what is `new`.
    automatic: whether an event is acknowledged when the next is asked for (default), or by `ack` alone.
    claim_after: seconds after which others take over what a consumer has not acknowledged, 60 by default.
        Must be more than the handling of an event ever takes.
    prefetch: how many events are read at once, 100 by default.
    remember: of how many events the ids are kept to drop repeats, 100,000 by default.
    timeout: seconds without an event after which the iteration ends; by default it never does.
    """

    name: str | None
    start: Literal["beginning", "new"]
    automatic: bool
    claim_after: float
    prefetch: int
    remember: int
    timeout: float | None


@dataclass(frozen=True, slots=True)
class _Held:
    event: Event
    read_at: float


class Intake:
    """The entries of one consumer between Redis and whoever handles them. Not for several threads at once."""

    def __init__(self, remember: int = _SEEN) -> None:
        self._remember = remember
        self._waiting: deque[_Held] = deque()
        self._held: dict[str, _Held] = {}
        self._in_work: set[str] = set()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._done: list[str] = []

    def take(self, entries: Iterable[Entry], now: float) -> None:
        """Takes entries that were read. Repeats and what is no event are dropped, to be acknowledged."""
        for entry_id, text in entries:
            if entry_id in self._held:
                continue
            event = read_event(entry_id, text)
            if event is None or event.id in self._seen or event.id in self._in_work:
                self._done.append(entry_id)
                continue
            self._in_work.add(event.id)
            self._held[entry_id] = _Held(event, now)
            self._waiting.append(self._held[entry_id])

    def next(self) -> Event | None:
        """The next event to handle, if there is one."""
        return self._waiting.popleft().event if self._waiting else None

    def oldest(self) -> float | None:
        """When the next event was read."""
        return self._waiting[0].read_at if self._waiting else None

    def handled(self, event: Event) -> None:
        """Notes that an event is done: a repeat of it will be dropped, its entry acknowledged."""
        if self._held.pop(event.entry_id, None) is None:
            return
        self._in_work.discard(event.id)
        self._seen[event.id] = None
        while len(self._seen) > self._remember:
            self._seen.popitem(last=False)
        self._done.append(event.entry_id)

    def returned(self, event: Event) -> None:
        """Takes back an event that was given out but not handled: it is the next one again."""
        held = self._held.get(event.entry_id)
        if held is not None:
            self._waiting.appendleft(held)

    def put_back(self) -> None:
        """Lets go of what was read but not given to anybody: others may have taken it over by now."""
        for held in self._waiting:
            self._held.pop(held.event.entry_id, None)
            self._in_work.discard(held.event.id)
        self._waiting.clear()

    def to_acknowledge(self) -> list[str]:
        """The entries that are to be acknowledged, until they are `acknowledged`."""
        return list(self._done)

    def acknowledged(self, entry_ids: Iterable[str]) -> None:
        """Redis knows of these."""
        known = set(entry_ids)
        self._done = [entry_id for entry_id in self._done if entry_id not in known]
