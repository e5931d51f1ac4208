"""Publishing to Redis: results to whoever asked, events to their streams. One pipeline for a whole batch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from pydantic_core import from_json

from messages.ids import uuid7
from messages.wire import encode
from workers.now import now
from workers.settings import Settings

ACTOR = "actor:"
# One call for all entries of a stream: packing an XADD each costs more than all else about a result.
# KEYS: the stream. ARGV: how many entries to keep, roughly; then the envelopes, in order.
_ADD_ALL = """
for i = 2, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[i])
end
return #ARGV - 1
"""
# KEYS: a queue, its messages. ARGV: the id, the message. Both or neither, whatever state Redis is in.
_ENQUEUE = """
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return redis.call('RPUSH', KEYS[1], ARGV[1])
"""
# A script holds up everybody else in Redis while it runs.
_ENTRIES_IN_A_CALL = 200


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
        by_address: dict[str, list[bytes | str]] = {}
        for replyto, envelope in replies:
            by_address.setdefault(replyto, []).append(envelope)
        streams: dict[str, list[bytes | str]] = {}
        actors: list[tuple[str, str, bytes | str]] = []
        for replyto, envelopes in by_address.items():
            queue, slash, actor = replyto.removeprefix(ACTOR).partition("/")
            if replyto.startswith(ACTOR) and slash:
                actors += ((queue, actor, envelope) for envelope in envelopes)
            else:
                streams[f"{self.namespace}:replies:{replyto}"] = envelopes
        self._send(streams, self.replies_maxlen, actors, wake_relay=wake_relay)

    def events(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Events, each to its stream (`events`, `notifications:NAME`), in order.

        Raises:
            redis.RedisError: it is not known which of them arrived; all may be sent again.
        """
        streams: dict[str, list[bytes | str]] = {}
        for stream, envelope in entries:
            streams.setdefault(f"{self.namespace}:{stream}", []).append(envelope)
        self._send(streams, self.events_maxlen, (), wake_relay=False)

    def _send(
        self,
        streams: Mapping[str, Sequence[bytes | str]],
        most: int,
        actors: Iterable[tuple[str, str, bytes | str]],
        *,
        wake_relay: bool,
    ) -> None:
        rounds = list(_rounds(streams)) or [[]]
        for number, some in enumerate(rounds, 1):
            with self.client.pipeline(transaction=False) as pipe:
                for stream, envelopes in some:
                    pipe.eval(_ADD_ALL, 1, stream, str(most), *envelopes)
                if number == len(rounds):
                    for queue, actor, envelope in actors:
                        self._to_actor(pipe, queue, actor, envelope)
                    if wake_relay:
                        pipe.publish(self.relay_channel, b"")
                pipe.execute()

    @property
    def relay_channel(self) -> str:
        """Where the relay listens."""
        return f"{self.namespace}:relay"

    def _to_actor(self, pipe: Any, queue: str, actor: str, envelope: bytes | str) -> None:
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
        pipe.eval(_ENQUEUE, 2, key, f"{key}.msgs", ident, encode(message))


def _rounds(
    streams: Mapping[str, Sequence[bytes | str]],
) -> Iterator[list[tuple[str, Sequence[bytes | str]]]]:
    """The first part of each stream, then the second of each, and so on.

    A part is sent once those before it are known to be in: a Redis that is starting refuses one command of a pipeline
    and takes the next, and what was refused would then come after what follows it.
    """
    longest = max(map(len, streams.values()), default=0)
    for start in range(0, longest, _ENTRIES_IN_A_CALL):
        end = start + _ENTRIES_IN_A_CALL
        yield [
            (stream, envelopes[start:end]) for stream, envelopes in streams.items() if start < len(envelopes)
        ]
