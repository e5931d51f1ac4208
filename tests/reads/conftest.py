"""One database for all tests of this folder; what a test writes is rolled back after it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from store.engine import Plans, open_engine
from store.transaction import Connection
from tests.reads.builders import World
from tests.servers import Servers, fresh_database


@pytest.fixture(scope="session")
def engine(servers: Servers, template_database: str) -> Iterator[Engine]:
    with fresh_database(servers, template_database) as url:
        engine = open_engine(url, pool_size=2, plans=Plans.FOR_QUESTIONS)
        yield engine
        engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def world(connection: Connection) -> World:
    """An empty database to put runs into, and to ask."""
    return World(connection)
