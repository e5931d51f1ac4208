"""How commands and queries are put on their queues, in dramatiq's own format (contract, section 2).

`NAMESPACE:QUEUE.msgs` is a hash of messages by their ids in Redis, `NAMESPACE:QUEUE` the list of waiting ids.
"""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from messages.ids import uuid7
from messages.registry import queue_of
from messages.wire import encode

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

Messages = dict[str, bytes]


def dramatiq_message(
    queue: str, envelope: Mapping[str, Any], *, delay_until_ms: int | None = None
) -> tuple[str, bytes]:
    """A message for dramatiq's Redis broker: its id in Redis, and its text.

    `delay_until_ms` (since the epoch) becomes dramatiq's `eta`; its queue is then `QUEUE.DQ`.
    """
    redis_id = str(uuid7())
    options: dict[str, Any] = {"redis_message_id": redis_id}
    if delay_until_ms is not None:
        options["eta"] = delay_until_ms
    message = {
        "queue_name": queue,
        "actor_name": str(envelope.get("type", "")),
        "args": [envelope],
        "kwargs": {},
        "options": options,
        "message_id": redis_id,
        "message_timestamp": time.time_ns() // 1_000_000,
    }
    return redis_id, encode(message)


def by_queue(namespace: str, envelopes: Iterable[Mapping[str, Any]]) -> dict[str, Messages]:
    """The messages for envelopes, by the Redis key of the queue on which they travel, in the order given."""
    queues: dict[str, Messages] = {}
    for envelope in envelopes:
        queue = queue_of(envelope["type"])
        redis_id, text = dramatiq_message(queue, envelope)
        queues.setdefault(f"{namespace}:{queue}", {})[redis_id] = text
    return queues


def enqueue(redis: "Redis", namespace: str, envelopes: Iterable[Mapping[str, Any]]) -> None:
    """Puts envelopes on their queues in one MULTI: all of them, or none.

    Raises:
        redis.RedisError: if Redis cannot be reached or refuses; they may then be there all the same.
    """
    queues = by_queue(namespace, envelopes)
    if not queues:
        return
    with redis.pipeline(transaction=True) as pipeline:
        for key, messages in queues.items():
            pipeline.hset(f"{key}.msgs", items=[part for message in messages.items() for part in message])
            pipeline.rpush(key, *messages)
        pipeline.execute()


async def enqueue_async(redis: "AsyncRedis", namespace: str, envelopes: Iterable[Mapping[str, Any]]) -> None:
    """As `enqueue`, with an asyncio client."""
    queues = by_queue(namespace, envelopes)
    if not queues:
        return
    async with redis.pipeline(transaction=True) as pipeline:
        for key, messages in queues.items():
            pipeline.hset(f"{key}.msgs", items=[part for message in messages.items() for part in message])
            pipeline.rpush(key, *messages)
        await pipeline.execute()
