"""Publishing to Redis: results to whoever asked, events to their streams. One pipeline for a whole batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis
from pydantic_core import from_json

from messages.ids import uuid7
from messages.wire import encode
from workers.now import now
from workers.settings import Settings

ACTOR = "actor:"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Puts envelopes where they belong.

    Keys: `NAMESPACE:replies:NAME` and `NAMESPACE:events` are streams, one field `event` each;
    `NAMESPACE:QUEUE` and `NAMESPACE:QUEUE.msgs` are dramatiq's; `NAMESPACE:relay` is the channel that wakes the relay.
    """

    client: redis.Redis
    namespace: str
    replies_maxlen: int
    events_maxlen: int

    @classmethod
    def over(cls, client: redis.Redis, settings: Settings) -> "Publisher":
        """A publisher with an operator's settings."""
        return cls(client, settings.namespace, settings.replies_maxlen, settings.events_maxlen)

    def replies(self, replies: Iterable[tuple[str, bytes]], *, wake_relay: bool = False) -> None:
        """Results, each to its reply address; and a sign to the relay that events wait.

        Raises:
            redis.RedisError: it is not known which of them arrived; all may be sent again.
        """
        with self.client.pipeline(transaction=False) as pipe:
            for replyto, envelope in replies:
                if replyto.startswith(ACTOR):
                    self._to_actor(pipe, replyto.removeprefix(ACTOR), envelope)
                else:
                    self._add(pipe, f"{self.namespace}:replies:{replyto}", envelope, self.replies_maxlen)
            if wake_relay:
                pipe.publish(self.relay_channel, b"")
            pipe.execute()

    def events(self, entries: Iterable[tuple[str, str]]) -> None:
        """Events, each to its stream (`events`, `notifications:NAME`), in order.

        Raises:
            redis.RedisError: it is not known which of them arrived; all may be sent again.
        """
        with self.client.pipeline(transaction=False) as pipe:
            for stream, envelope in entries:
                self._add(pipe, f"{self.namespace}:{stream}", envelope, self.events_maxlen)
            pipe.execute()

    @property
    def relay_channel(self) -> str:
        """Where the relay listens."""
        return f"{self.namespace}:relay"

    @staticmethod
    def _add(pipe: Any, stream: str, envelope: bytes | str, most: int) -> None:
        pipe.execute_command("XADD", stream, "MAXLEN", "~", most, "*", "event", envelope)

    def _to_actor(self, pipe: Any, address: str, envelope: bytes) -> None:
        queue, actor = address.split("/", 1)
        ident = str(uuid7())
        message = {
            "queue_name": queue,
            "actor_name": actor,
            "args": [from_json(envelope)],
            "kwargs": {},
            "options": {"redis_message_id": ident},
            "message_id": ident,
            "message_timestamp": int(now().timestamp() * 1000),
        }
        key = f"{self.namespace}:{queue}"
        pipe.hset(f"{key}.msgs", ident, encode(message))
        pipe.rpush(key, ident)
