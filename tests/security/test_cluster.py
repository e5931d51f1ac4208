"""A Redis Cluster is no place for keys that it would scatter."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis, RedisError

from tests.cli.command import Shell
from tests.crashes.processes import until
from workers.cluster import NoPlaceForKeys, require_place
from workers.embedded.binaries import valkey_program
from workers.settings import Settings


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The URL of a cluster of one node."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, bus = one.getsockname()[1], other.getsockname()[1]
    options = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", "")
    more = ("--cluster-enabled", "yes", "--cluster-port", str(bus))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen((str(valkey_program()), *options, *more), stdout=log, stderr=log)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with Redis.from_url(url) as redis:
            until(lambda: answers(redis), 30, what=(tmp_path / "log").read_text())
            redis.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            until(lambda: b"cluster_state:ok" in redis.execute_command("CLUSTER", "INFO"), 30)
        yield url
    finally:
        process.kill()
        process.wait()


def answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except RedisError:
        return False


def test_a_process_refuses_a_cluster_without_a_hash_tag(cluster: str, settings: Settings) -> None:
    shell = Shell(settings.home, database_url=settings.database_url, redis_url=cluster, namespace="interlock")
    for word in ("worker", "relay", "clock"):
        ended = shell.run(word)
        assert ended.status == 1
        assert "Redis is a cluster, and the namespace 'interlock' has no hash tag" in ended.err
        assert "set INTERLOCK_NAMESPACE to {interlock}" in ended.err
    assert "has no hash tag" in shell.run("doctor").out


def test_a_hash_tag_makes_it_a_place(cluster: str, redis_url: str) -> None:
    with Redis.from_url(cluster) as redis:
        require_place(redis, "{interlock}")
        with pytest.raises(NoPlaceForKeys):
            require_place(redis, "interlock")
    with Redis.from_url(redis_url) as single:
        require_place(single, "interlock")
