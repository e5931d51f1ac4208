"""What is published keeps its order, whatever Redis refuses meanwhile."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis

from workers.streams import Publisher

EVENTS = [("events", f"{number}".encode()) for number in range(450)]


class Starting(redis.client.Pipeline):
    """Redis is starting: the first command is refused, those behind it find that it has started."""

    refused = 0

    def eval(self, script: str, numkeys: int, *rest: Any) -> Any:
        if not Starting.refused:
            Starting.refused += 1
            return super().eval(
                "return redis.error_reply('LOADING Redis is loading the dataset in memory')", 0
            )
        return super().eval(script, numkeys, *rest)


class StartingRedis(redis.Redis):
    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Starting:
        return Starting(self.connection_pool, self.response_callbacks, transaction, shard_hint)


@pytest.fixture
def publisher(redis_url: str) -> Iterator[Publisher]:
    Starting.refused = 0
    with StartingRedis.from_url(redis_url) as client:
        yield Publisher(client, f"publishing-{uuid4().hex[:8]}", 100_000, 100_000)


def entries_of(publisher: Publisher, stream: str) -> list[bytes]:
    entries: Any = publisher.client.xrange(f"{publisher.namespace}:{stream}")
    return [fields[b"event"] for _, fields in entries]


def test_events_behind_one_that_was_refused_are_not_published_before_it(publisher: Publisher) -> None:
    with pytest.raises(redis.RedisError, match="loading"):
        publisher.events(EVENTS)
    assert entries_of(publisher, "events") == []

    publisher.events(EVENTS)

    assert entries_of(publisher, "events") == [text for _, text in EVENTS]


def test_results_behind_one_that_was_refused_are_not_published_before_it(publisher: Publisher) -> None:
    results = [("billing", text) for _, text in EVENTS]
    with pytest.raises(redis.RedisError, match="loading"):
        publisher.replies(results, wake_relay=True)
    assert entries_of(publisher, "replies:billing") == []

    publisher.replies(results, wake_relay=True)

    assert entries_of(publisher, "replies:billing") == [text for _, text in EVENTS]


def test_streams_of_many_lengths_get_all_that_is_theirs(publisher: Publisher) -> None:
    Starting.refused = 1
    mixed = [
        ("events" if number % 3 else "notifications:rare", f"{number}".encode()) for number in range(700)
    ]

    publisher.events(mixed)

    for stream in ("events", "notifications:rare"):
        assert entries_of(publisher, stream) == [text for name, text in mixed if name == stream]
