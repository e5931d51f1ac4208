"""A fleet of processes on this test's own database and namespace, and a producer."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis

from tests.crashes.processes import Fleet
from tests.crashes.producer import Producer
from workers.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A worker is taken for dead after two seconds of silence."""
    return settings.model_copy(update={"heartbeat_timeout": timedelta(seconds=2)})


@pytest.fixture
def fleet(settings: Settings) -> Iterator[Fleet]:
    """Processes that end with the test."""
    with Fleet(settings) as fleet:
        yield fleet


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A client that reads texts."""
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def producer(redis: Redis, namespace: str) -> Producer:
    """A producer with a reply stream of its own."""
    return Producer(redis, namespace)
