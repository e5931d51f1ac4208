"""Redis as the client and the consumer use it: connections without hidden retries, and entries of streams.

redis-py's own retries are off: one that runs a MULTI twice does harm that nobody sees, and one that
blocks for long cannot be stopped. Whoever uses these connections tries again in the open.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

# What to wait out: also what Redis says while it loads, runs out of memory or is a replica for a while.
TROUBLE = (RedisError, OSError)
BLOCK_MS = 1_000
READ_AT_ONCE = 1_000
FIELD = b"event"
_TIMEOUTS: Mapping[str, Any] = {"socket_connect_timeout": 5, "socket_timeout": 10}

Entry = tuple[str, bytes | None]


def connect(url: str) -> "Redis":
    """A client for `redis://`, `rediss://` or `unix://`; connects when first used."""
    return Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0), **_TIMEOUTS)


def connect_async(url: str) -> "AsyncRedis":
    """As `connect`, for asyncio."""
    return AsyncRedis.from_url(url, protocol=2, retry=AsyncRetry(NoBackoff(), 0), **_TIMEOUTS)


def stream_key(namespace: str, stream: str) -> str:
    """The key of `events`, `notifications:NAME` or `replies:NAME`."""
    return f"{namespace}:{stream}"


def entries_of(reply: Any) -> list[Entry]:
    """The entries in the answer to XREAD or XREADGROUP on one stream: ids and texts; None: trimmed by now."""
    if not reply:
        return []
    streams = reply.values() if isinstance(reply, Mapping) else [content for _, content in reply]
    return [entry for content in streams for entry in read_entries(content)]


def read_entries(content: Iterable[Any]) -> list[Entry]:
    """Entries with their ids and the text of their one field."""
    return [(text_of(entry[0]), (entry[1] or {}).get(FIELD)) for entry in content if entry and entry[0]]


def ids_of(entries: Iterable[Entry]) -> list[Any]:
    """The ids of entries, as redis-py wants them."""
    return [entry_id for entry_id, _ in entries]


def text_of(value: Any) -> str:
    """The id of an entry as a text."""
    return value.decode("ascii") if isinstance(value, bytes) else str(value)
