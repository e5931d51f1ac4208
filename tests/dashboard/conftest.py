"""An installation in which something happened, and those who look at it through the pages."""

import random
import threading
from collections.abc import Callable, Iterator
from threading import Event

import pytest
import uvicorn
from starlette.testclient import TestClient

from messages.ids import uuid7
from store.engine import open_engine
from tests.clock.scene import Scene
from workers.broker.connections import command_client
from workers.clock.duty import Means
from workers.dashboard.app import application
from workers.dashboard.guard import LOCAL_NAMES, Access
from workers.now import monotonic
from workers.settings import Settings
from workers.streams import Publisher

HERE = "http://127.0.0.1:8711"
TOKEN = "a-token-that-is-long-enough"
PATIENCE_S = 60.0
Opened = Callable[..., TestClient]


@pytest.fixture
def scene(settings: Settings) -> Iterator[Scene]:
    engine, client = open_engine(settings.database_url, pool_size=2), command_client(settings.redis_url)
    publisher = Publisher.over(client, settings)
    yield Scene(Means(engine, publisher, settings, uuid7, random.random, Event()))
    client.close()
    engine.dispose()


@pytest.fixture
def open_pages(settings: Settings) -> Iterator[Opened]:
    """The pages for those who have this access; by default, on this machine, without a token."""
    opened: list[TestClient] = []

    def open_them(access: Access | None = None, changed: Settings | None = None) -> TestClient:
        app = application(changed or settings, access or Access(None, LOCAL_NAMES))
        client = TestClient(app, base_url=HERE, follow_redirects=False)
        client.__enter__()
        opened.append(client)
        return client

    yield open_them
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def pages(open_pages: Opened) -> TestClient:
    return open_pages()


@pytest.fixture
def served(settings: Settings) -> Iterator[str]:
    """The address of a server of this test's own."""
    config = uvicorn.Config(
        application(settings, Access(None, LOCAL_NAMES)), port=0, log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    give_up_at = monotonic() + PATIENCE_S
    while not server.started:
        assert thread.is_alive()
        assert monotonic() < give_up_at
    (listener,) = server.servers[0].sockets
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
