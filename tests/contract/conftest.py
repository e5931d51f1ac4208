"""An Interlock in processes of its own, for all tests of this folder; and one with settings of a test's own."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from tests.contract.wire import Wire
from tests.crashes.processes import Fleet
from tests.servers import Servers, fresh_database
from workers.settings import Settings

Started = Callable[..., Wire]


@pytest.fixture(scope="session")
def running(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The settings of a worker and a relay that run as long as the tests do."""
    namespace = f"test-{uuid4().hex[:12]}"
    with fresh_database(servers, template_database) as url:
        settings = Settings(
            database_url=url,
            redis_url=servers.redis_url,
            namespace=namespace,
            home=tmp_path_factory.mktemp("contract"),
        )
        with Fleet(settings) as fleet:
            fleet.start("worker", "relay")
            yield settings
    with Redis.from_url(servers.redis_url) as redis:
        keys = list(redis.scan_iter(match=f"{namespace}:*", count=1000))
        if keys:
            redis.unlink(*keys)


@pytest.fixture
def interlock(running: Settings) -> str:
    """The namespace of an Interlock for everybody."""
    return running.namespace


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A client that reads texts."""
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def wire(redis: Redis, interlock: str) -> Wire:
    """A producer with a reply stream of its own."""
    return Wire(redis, interlock)


@pytest.fixture
def own_interlock(redis: Redis, settings: Settings) -> Iterator[Started]:
    """Starts an Interlock with settings of this test's own; answers a producer for it."""
    with Fleet(settings) as fleet:

        def start(*roles: str, **changed: Any) -> Wire:
            fleet.settings = Settings(**{**settings.model_dump(exclude_unset=True), **changed})
            fleet.start(*(roles or ("worker", "relay")))
            return Wire(redis, settings.namespace)

        yield start
