"""Connections to Redis: every one with its own timeouts, and none that retries behind our back.

A retried script would run twice; what may be repeated, and when, is for the callers to say.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

LOST_REDIS = (redis.RedisError, OSError)
"""Whatever Redis answers amiss (READONLY, LOADING, OOM) is met like a lost connection: wait, try again."""

_ANSWER_WITHIN_S = 5.0
_CONNECT_WITHIN_S = 3.0


class WaitingConnection(Protocol):
    """The part of redis-py's connection that a blocking command needs."""

    def send_command(self, *arguments: str) -> None: ...
    def can_read(self, timeout: float) -> bool: ...
    def read_response(self) -> Any: ...
    def disconnect(self) -> None: ...


def command_client(url: str) -> redis.Redis:
    return redis.Redis(connection_pool=_pool(url, answer_within_s=_ANSWER_WITHIN_S))


def waiting_connection(url: str, *, answer_within_s: float) -> WaitingConnection:
    """A connection outside any pool, for a command that blocks."""
    return cast(WaitingConnection, _pool(url, answer_within_s=answer_within_s).make_connection())


def forget_connections(client: redis.Redis) -> None:
    """After READONLY and the like: the next command looks for the server afresh."""
    client.connection_pool.disconnect(inuse_connections=False)


def _pool(url: str, *, answer_within_s: float) -> redis.ConnectionPool:
    options: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
    # Over what the URL says: the batches depend on them.
    options.update(
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        retry_on_timeout=False,
        socket_timeout=answer_within_s,
        socket_connect_timeout=_CONNECT_WITHIN_S,
        health_check_interval=0,
        decode_responses=False,
        protocol=2,
    )
    return redis.ConnectionPool(**options)
