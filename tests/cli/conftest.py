from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from tests.cli.command import Shell
from tests.crashes.processes import Fleet
from tests.servers import Servers, fresh_database
from workers.settings import Settings

NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="session")
def running(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """An installation whose worker and relay run as long as the tests do."""
    namespace, home = f"test-{uuid4().hex[:12]}", tmp_path_factory.mktemp("cli")
    with fresh_database(servers, template_database) as url:
        settings = Settings(database_url=url, redis_url=servers.redis_url, namespace=namespace, home=home)
        with Fleet(settings) as fleet:
            fleet.start("worker", "relay")
            yield settings
    with Redis.from_url(servers.redis_url) as redis:
        if keys := list(redis.scan_iter(match=f"{namespace}:*", count=1000)):
            redis.unlink(*keys)


def shell_for(settings: Settings, folder: Path) -> Shell:
    """A shell that knows where these servers are."""
    return Shell(
        folder,
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        namespace=settings.namespace,
    )


@pytest.fixture
def shell(running: Settings, tmp_path: Path) -> Shell:
    """A shell over the installation that runs."""
    return shell_for(running, tmp_path)


@pytest.fixture
def idle(settings: Settings, tmp_path: Path) -> Shell:
    """A shell over servers of this test's own, where no process runs."""
    return shell_for(settings, tmp_path)
