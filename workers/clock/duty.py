"""What a timed duty is, and what it works with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import TypeAlias, TypeVar

from messages.fields import Id
from store.duties import FIRST, Pair
from store.transaction import Connection, Engine, session
from workers.settings import Settings
from workers.streams import Publisher
from workers.world.world import World

#: Goes to work on what is due at a moment, and answers how much it did.
Duty: TypeAlias = "Callable[[Means, datetime], int]"

T = TypeVar("T")
R = TypeVar("R", Id, Pair)


@dataclass(frozen=True, slots=True)
class Means:
    """What duties work with. All ids, dice and times come from outside."""

    engine: Engine
    publisher: Publisher
    settings: Settings
    new_id: Callable[[], Id]
    dice: Callable[[], float]
    stopped: Event

    def world(self, now: datetime) -> World:
        """An empty world at this moment."""
        return World(clock=lambda: now, new_id=self.new_id, dice=self.dice)

    def find(self, look: Callable[[Connection], list[T]]) -> list[T]:
        """What a query finds, without any lock: whoever acts on it looks again under one."""
        with session(self.engine) as connection:
            return look(connection)

    def batches(self, look: Callable[[Connection, Id], list[R]], size: int) -> Iterator[list[R]]:
        """What a query finds after an id, batch after batch, until one is not full or the clock is to stop.

        Going on behind the last id, it comes to an end even where nothing can be done about what was found.
        """
        after = FIRST
        while not self.stopped.is_set():
            found = self.find(lambda connection: look(connection, after))  # noqa: B023 - called at once
            if found:
                yield found
            if len(found) < size:
                return
            last = found[-1]
            after = last.id if isinstance(last, Pair) else last
