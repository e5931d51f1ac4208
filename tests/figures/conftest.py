"""An installation without processes, what happened in it, and somebody who looks at its figures."""

import random
from collections.abc import Iterator
from threading import Event

import pytest
from redis import Redis

from messages.ids import uuid7
from store.engine import open_engine
from tests.clock.scene import Scene
from workers.broker.connections import command_client
from workers.clock.duty import Means
from workers.figures.snapshot import Source
from workers.settings import Settings
from workers.streams import Publisher


@pytest.fixture
def scene(settings: Settings) -> Iterator[Scene]:
    engine, client = open_engine(settings.database_url, pool_size=2), command_client(settings.redis_url)
    publisher = Publisher.over(client, settings)
    yield Scene(Means(engine, publisher, settings, uuid7, random.random, Event()))
    client.close()
    engine.dispose()


@pytest.fixture
def source(settings: Settings) -> Iterator[Source]:
    source = Source(settings)
    yield source
    source.close()


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    with Redis.from_url(settings.redis_url) as client:
        yield client
