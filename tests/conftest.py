"""Servers for the tests that ask for them: started once per run, a fresh database and namespace per test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from hypothesis import settings as hypothesis_settings
from redis import Redis

from tests.servers import Run, Servers, fresh_database, migrated_template, servers_of
from workers.settings import Settings

RUN = pytest.StashKey[Run]()
FOLDER = "interlock_run_folder"


class XdistNode(Protocol):
    """What is used of a worker, as xdist's controller sees it."""

    config: pytest.Config
    workerinput: dict[str, str]


# How long an example takes says more of the machine than of the code.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[RUN] = Run()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: XdistNode) -> None:
    node.workerinput[FOLDER] = str(node.config.stash[RUN].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUN in config.stash:
        config.stash[RUN].end()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """The servers of this run, embedded or named in the environment."""
    if RUN in pytestconfig.stash:
        return servers_of(pytestconfig.stash[RUN].folder)
    workerinput: dict[str, str] = pytestconfig.workerinput  # type: ignore[attr-defined]
    return servers_of(Path(workerinput[FOLDER]))


@pytest.fixture(scope="session")
def template_database(servers: Servers) -> str:
    """The name of a database with the current schema, made once per run."""
    return migrated_template(servers)


@pytest.fixture
def database_url(servers: Servers, template_database: str) -> Iterator[str]:
    """A database of this test's own, with the current schema and no rows."""
    with fresh_database(servers, template_database) as url:
        yield url


@pytest.fixture
def empty_database_url(servers: Servers) -> Iterator[str]:
    """A database of this test's own, without any tables."""
    with fresh_database(servers, "template1") as url:
        yield url


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """One Redis for all tests: everything in it belongs under `namespace`."""
    return servers.redis_url


@pytest.fixture
def namespace(redis_url: str) -> Iterator[str]:
    """A namespace of this test's own; its keys are removed afterwards, and no others."""
    name = f"test-{uuid4().hex[:12]}"
    yield name
    with Redis.from_url(redis_url) as redis:
        keys = list(redis.scan_iter(match=f"{name}:*", count=1000))
        if keys:
            redis.unlink(*keys)


@pytest.fixture
def settings(database_url: str, redis_url: str, namespace: str, tmp_path: Path) -> Settings:
    """Settings for this test's own database and namespace; nothing is read from the environment."""
    return Settings(database_url=database_url, redis_url=redis_url, namespace=namespace, home=tmp_path)
