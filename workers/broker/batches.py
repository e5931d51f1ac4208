"""What passes between the broker and a handler: a batch of messages as they stand in Redis, unread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dramatiq

from messages.evolve import value

if TYPE_CHECKING:
    from workers.broker.redis_broker import InterlockBroker


@value()
class RawMessage:
    redis_id: str
    body: bytes | None
    """The dramatiq message as its producer wrote it, or its first 16 MiB; None when only the id was left of it."""
    deaths: int = 0
    """How many workers died while they had it in hand."""


@dataclass(frozen=True)
class Batch:
    """The only argument of a synthetic message: what one fetch brought."""

    number: int
    ids: tuple[bytes, ...]
    messages: tuple[RawMessage, ...]

    def __repr__(self) -> str:
        """No bodies: dramatiq logs the arguments of a message that failed."""
        return f"<batch {self.number} of {len(self.ids)} messages>"


Handler = Callable[[list[RawMessage]], None]


class Requeue(Exception):
    """Raised by a handler which could not finish (it is being stopped).

    The messages go back to the head of the queue, in order.
    """


def declare_batch_actor(
    broker: InterlockBroker, queue_name: str, handler: Handler
) -> dramatiq.Actor[[Batch], None]:
    """The actor that meets every batch of the queue, whatever actors its producers named."""

    def apply_batch(batch: Batch) -> None:
        try:
            handler(list(batch.messages))
        finally:
            broker.at_work(queue_name).hands.handled(batch.number)

    options: dict[str, Any] = {"throws": Requeue}
    actor: dramatiq.Actor[[Batch], None] = dramatiq.actor(
        broker=broker, actor_name=batch_actor_name(queue_name), queue_name=queue_name, **options
    )(apply_batch)
    return actor


def batch_actor_name(queue_name: str) -> str:
    return f"interlock.{queue_name}"
