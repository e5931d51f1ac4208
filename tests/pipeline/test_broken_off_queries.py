"""A replica breaks queries off when the primary has removed rows that they look at: how often that is borne."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from pydantic_core import from_json
from redis import Redis
from sqlalchemy import Engine, event

from messages.enqueue import dramatiq_message
from messages.fields import JsonObject
from messages.ids import uuid7
from messages.registry import QUERIES
from messages.streams import entries_of
from store.engine import open_engine
from store.reads.snapshot import for_reading
from workers.broker.batches import RawMessage, Requeue
from workers.pipeline.admit import Limits
from workers.queries.handler import QueryHandler
from workers.settings import Settings
from workers.streams import Publisher

_CONFLICT = """
DO $$ BEGIN RAISE EXCEPTION 'canceling statement due to conflict with recovery' USING ERRCODE = '{code}'; END $$
"""


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def replica(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, pool_size=1)
    yield for_reading(engine)
    engine.dispose()


@pytest.fixture
def primary(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, pool_size=1)
    yield for_reading(engine)
    engine.dispose()


def break_off(engine: Engine, times: int, code: str = "40001") -> list[str]:
    """Makes PostgreSQL break off so many of the next statements; answers those that were sent, as they come."""
    sent: list[str] = []

    def conflict(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)
        if len(sent) <= times:
            cursor.execute(_CONFLICT.format(code=code))

    event.listen(engine, "before_cursor_execute", conflict)
    return sent


def asked(
    settings: Settings, redis: Redis, engine: Engine, primary: Engine | None, stopping: Event | None = None
) -> JsonObject:
    """The data of the one answer to a count."""
    handler = QueryHandler(
        engine=engine,
        primary=primary,
        publisher=Publisher.over(redis, settings),
        types=QUERIES,
        limits=Limits(max_bytes=1_000_000, max_depth=64),
        settings=settings,
        stopping=stopping or Event(),
    )
    query = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": "test",
        "type": "flow_run.count",
        "replyto": "test",
        "data": {},
    }
    _, body = dramatiq_message("queries", query)
    handler([RawMessage("1", body)])
    reply = redis.xread({f"{settings.namespace}:replies:test": "0-0"})
    ((_, text),) = entries_of(reply)
    data: JsonObject = from_json(text or b"")["data"]
    return data


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_a_query_that_is_broken_off_twice_is_answered(
    settings: Settings, redis: Redis, replica: Engine, code: str
) -> None:
    sent = break_off(replica, 2, code)
    assert asked(settings, redis, replica, None)["count"] == 0
    assert len(sent) == 3


def test_what_a_replica_breaks_off_three_times_the_primary_answers(
    settings: Settings, redis: Redis, replica: Engine, primary: Engine
) -> None:
    by_replica, by_primary = break_off(replica, 1_000), break_off(primary, 1)
    assert asked(settings, redis, replica, primary)["count"] == 0
    assert (len(by_replica), len(by_primary)) == (3, 2)


def test_what_every_database_breaks_off_ends_as_an_error(
    settings: Settings, redis: Redis, replica: Engine, primary: Engine
) -> None:
    by_replica, by_primary = break_off(replica, 1_000), break_off(primary, 1_000)
    data = asked(settings, redis, replica, primary)
    assert (data["status"], data["error"]["code"]) == ("ERROR", "internal")
    assert "conflict with recovery" in data["error"]["message"]
    assert (len(by_replica), len(by_primary)) == (3, 3)


def test_a_worker_that_stops_gives_a_query_back_that_was_broken_off(
    settings: Settings, redis: Redis, replica: Engine, primary: Engine
) -> None:
    stopping = Event()
    stopping.set()
    break_off(replica, 1)
    with pytest.raises(Requeue):
        asked(settings, redis, replica, primary, stopping)
    assert not redis.exists(f"{settings.namespace}:replies:test")
