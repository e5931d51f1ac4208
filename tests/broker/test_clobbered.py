"""Somebody puts something else where the queue was: no command does half of its work."""

from collections.abc import Callable

import pytest
import redis

from tests.broker.queues import Namespace, message, numbered
from workers.broker.calls import QueueCalls

Call = Callable[[QueueCalls, list[bytes]], object]
WORKER = "one"
CALLS: dict[str, Call] = {
    "fetch": lambda calls, _: calls.fetch(10, 1_000_000),
    "ack": lambda calls, ids: calls.ack(ids),
    "put_back": lambda calls, ids: calls.put_back(ids),
    "postpone": lambda calls, ids: calls.postpone((each, 1.0) for each in ids),
    "leave": lambda calls, ids: calls.leave(ids),
    "reclaim": lambda calls, _: calls.reclaim(f"{WORKER}@commands", timeout_ms=0),
    "promote": lambda calls, _: calls.promote(),
}
KEYS = ("commands", "commands.msgs", "__acks__.one@commands.commands", "__heartbeats__", "commands.deaths")


@pytest.fixture
def in_hand(redis_url: str, namespace: Namespace) -> tuple[QueueCalls, list[bytes]]:
    """Four messages, two of them in the hands of a worker one of whose like has died with them before."""
    namespace.put(*numbered(4))
    calls = QueueCalls(redis.Redis.from_url(redis_url), namespace.name, "commands", WORKER)
    ids = calls.fetch(2, 1_000_000).ids
    namespace.client.hset(namespace.key("commands.deaths"), ids[0].decode(), "1")
    namespace.put(message("commands.DQ", eta=1), queue="commands.DQ")
    return calls, ids


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_meets_something_else_changes_nothing(
    in_hand: tuple[QueueCalls, list[bytes]], namespace: Namespace, name: str, key: str
) -> None:
    calls, ids = in_hand
    namespace.client.rename(namespace.key(key), namespace.key("away"))
    namespace.client.set(namespace.key(key), "something else")
    before = _dump(namespace)

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        CALLS[name](calls, ids)

    assert _dump(namespace) == before


@pytest.mark.parametrize("key", KEYS)
def test_what_was_in_hand_is_acknowledged_once_it_is_back(
    in_hand: tuple[QueueCalls, list[bytes]], namespace: Namespace, key: str
) -> None:
    calls, ids = in_hand
    namespace.client.rename(namespace.key(key), namespace.key("away"))
    namespace.client.set(namespace.key(key), "something else")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        calls.ack(ids)
    namespace.client.rename(namespace.key("away"), namespace.key(key))

    assert calls.ack(ids) == len(ids)
    assert namespace.client.hlen(namespace.key("commands.msgs")) == 2


def _dump(namespace: Namespace) -> dict[str, bytes | None]:
    return {key: namespace.client.dump(key) for key in sorted(namespace.keys())}
