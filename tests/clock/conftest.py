from collections.abc import Iterator
from threading import Event

import pytest

from messages.ids import uuid7
from store.engine import open_engine
from store.transaction import Engine
from tests.clock.scene import Scene
from workers.broker.connections import command_client
from workers.clock.duty import Means
from workers.settings import Settings
from workers.streams import Publisher


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Connections to this test's own database."""
    engine = open_engine(database_url, pool_size=4)
    yield engine
    engine.dispose()


@pytest.fixture
def means(engine: Engine, settings: Settings) -> Iterator[Means]:
    """What the duties work with."""
    client = command_client(settings.redis_url)
    yield Means(engine, Publisher.over(client, settings), settings, uuid7, lambda: 0.5, Event())
    client.close()


@pytest.fixture
def scene(means: Means) -> Scene:
    """Commands that were applied at times of the test's choosing."""
    return Scene(means)
