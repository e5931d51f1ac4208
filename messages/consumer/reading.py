"""Which entries a consumer reads next: its own from before, those a dead consumer left, new ones. Pure."""

import socket
from dataclasses import dataclass
from enum import Enum
from uuid import uuid4

from messages.consumer.event import Event
from messages.consumer.intake import ConsumerOptions, Intake
from messages.fields import StreamName
from messages.streams import BLOCK_MS, Entry, stream_key

CLAIM_AFTER_SECONDS = 60.0
PREFETCH = 100
_LONGEST_CLAIM_PAUSE_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.1
_LAST_PAUSE_SECONDS = 5.0


class Source(Enum):
    """Where entries come from."""

    OWN = "read before under this name and not acknowledged"
    LEFT = "left by another that does not acknowledge them any more"
    NEW = "not read by anybody in the group"


@dataclass(frozen=True, slots=True)
class Step:
    """One call to Redis: what to read, and after which entry."""

    source: Source
    after: str = ""
    block_ms: int = 0


class Reading:
    """The way of one consumer through its stream; all times are seconds of a monotonic clock."""

    def __init__(self, stream: str, group: str, namespace: str, options: ConsumerOptions) -> None:
        self.key = stream_key(namespace, stream)
        self.group: StreamName = group
        self.is_named = options.get("name") is not None
        self.name = options.get("name") or f"{socket.gethostname()}.{uuid4().hex[:12]}"
        self.start = "$" if options.get("start") == "new" else "0"
        self.automatic = options.get("automatic", True)
        self.prefetch = options.get("prefetch", PREFETCH)
        self.claim_after = options.get("claim_after", CLAIM_AFTER_SECONDS)
        self.timeout = options.get("timeout")
        self.intake = Intake(options.get("remember", 100_000))
        self._in_hand: Event | None = None
        self._own_after: str | None = "0"
        self._left_after = "0-0"
        self._next_claim = 0.0
        self._pause = _FIRST_PAUSE_SECONDS

    @property
    def claim_after_ms(self) -> int:
        """After so many milliseconds without an acknowledgement, an entry is there for others."""
        return int(self.claim_after * 1_000)

    def ready(self, now: float) -> Event | None:
        """The next event that is at hand.

        What has lain here for long may be another's by now; it is let go and asked for again.
        """
        oldest = self.intake.oldest()
        if oldest is not None and oldest < now - self.claim_after / 2:
            self.intake.put_back()
            self._own_after = "0"
        return self.intake.next()

    def begin(self) -> None:
        """A loop begins: the event at which the loop before it was left is the first one again."""
        if self._in_hand is not None and self.automatic:
            self.intake.returned(self._in_hand)
        self._in_hand = None

    def give(self, event: Event) -> Event:
        """An event goes to whoever handles it."""
        self._in_hand = event
        return event

    def moving_on(self) -> Event | None:
        """The event that is to be acknowledged, now that the next one is asked for."""
        event, self._in_hand = self._in_hand, None
        return event if self.automatic else None

    def step(self, now: float, give_up_at: float | None) -> Step:
        """What to ask Redis for next."""
        if self._own_after is not None:
            return Step(Source.OWN, self._own_after)
        if now >= self._next_claim:
            return Step(Source.LEFT, self._left_after)
        ends = [self._next_claim] if give_up_at is None else [self._next_claim, give_up_at]
        block_ms = min(BLOCK_MS, int((min(ends) - now) * 1_000))
        return Step(Source.NEW, ">", max(block_ms, 1))

    def took(self, step: Step, entries: list[Entry], now: float, cursor: str = "0-0") -> None:
        """Takes what a step has brought; `cursor` is where the claiming goes on, 0-0 at its end."""
        self._pause = _FIRST_PAUSE_SECONDS
        self.intake.take(entries, now)
        if step.source is Source.OWN:
            self._own_after = entries[-1][0] if entries else None
        elif step.source is Source.LEFT:
            self._left_after = cursor
            if cursor == "0-0":
                self._next_claim = now + min(self.claim_after / 2, _LONGEST_CLAIM_PAUSE_SECONDS)

    def group_lost(self) -> None:
        """The stream or its group is gone, as Redis may lose it in a restart: all that is there is new."""
        self.start = "0"
        self._own_after = None

    def pause(self) -> float:
        """The seconds to wait after trouble with Redis; doubles from 0.1 to 5."""
        pause, self._pause = self._pause, min(self._pause * 2, _LAST_PAUSE_SECONDS)
        return pause
