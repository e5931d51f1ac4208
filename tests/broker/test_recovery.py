"""What workers that were killed, stopped or cut off leave behind is done by others, or by themselves."""

import subprocess
import sys
import threading
import time

from tests.broker.conftest import StartRunner
from tests.broker.proxy import Proxy
from tests.broker.queues import Namespace, Received, eventually, message, numbered
from workers.broker.batches import RawMessage


def test_a_killed_workers_messages_come_back_within_the_heartbeat_timeout(
    redis_url: str, namespace: Namespace, start_runner: StartRunner
) -> None:
    namespace.put(*numbered(10))
    command = [sys.executable, "-m", "tests.broker.dying_worker", redis_url, namespace.name, "800"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        taken = [int(worker.stdout.readline()) for _ in range(2)]
        received = Received()
        start_runner(received, heartbeat_timeout_ms=800)
        received.wait_for(4)
        time.sleep(0.5)
        assert len(received.bodies) == 4, "taken from a living worker"
        worker.kill()
    killed_at = time.monotonic()

    received.wait_for(10)
    assert taken == [3, 3]
    assert time.monotonic() - killed_at < 20
    assert sorted(body for body in received.bodies if body) == numbered(10)
    heartbeats = namespace.key("__heartbeats__")
    eventually(lambda: namespace.keys() == {heartbeats} and namespace.client.zcard(heartbeats) == 1)


def test_a_stock_workers_leftovers_are_taken_over(namespace: Namespace, start_runner: StartRunner) -> None:
    namespace.lay_out_a_dead_worker("stock", "commands", [b"1", b"2"])
    namespace.lay_out_a_dead_worker("stock", "commands.DQ", [message("commands.DQ", eta=1)])
    received = Received()

    start_runner(received, heartbeat_timeout_ms=600)

    received.wait_for(3)
    eventually(lambda: namespace.keys() == {namespace.key("__heartbeats__")})


def test_what_a_dead_worker_held_of_other_queues_can_still_be_found(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    namespace.lay_out_a_dead_worker("stock", "commands", [b"1"])
    namespace.lay_out_a_dead_worker("stock", "billing", [b"2"])
    namespace.lay_out_a_dead_worker("ours@queries", "queries", [b"3"])
    commands, queries = Received(), Received()

    start_runner(commands, heartbeat_timeout_ms=600)
    commands.wait_for(1)
    assert {b"stock", b"ours@queries"} < set(namespace.client.zrange(namespace.key("__heartbeats__"), 0, -1))

    start_runner(queries, queue="queries", heartbeat_timeout_ms=600)
    queries.wait_for(1)
    eventually(lambda: namespace.client.zscore(namespace.key("__heartbeats__"), "ours@queries") is None)
    assert namespace.client.scard(namespace.key("__acks__.stock.billing")) == 1


def test_messages_of_a_dead_worker_go_to_the_head(namespace: Namespace, start_runner: StartRunner) -> None:
    received, go_on = Received(), threading.Event()

    def work(messages: list[RawMessage]) -> None:
        received(messages)
        go_on.wait(5)

    namespace.put(b"in hand", b"waiting")
    namespace.lay_out_a_dead_worker("stock", "commands", [b"left behind"])
    start_runner(work, batch_size=1, threads=1, heartbeat_timeout_ms=600)
    received.wait_for(1)

    eventually(lambda: len(namespace.waiting()) == 2)
    go_on.set()
    received.wait_for(3)
    assert received.bodies == [b"in hand", b"left behind", b"waiting"]


def test_a_worker_that_works_long_keeps_its_messages(namespace: Namespace, start_runner: StartRunner) -> None:
    namespace.put(b"long")
    received, go_on, others = Received(), threading.Event(), Received()

    def work(messages: list[RawMessage]) -> None:
        received(messages)
        go_on.wait(5)

    start_runner(work, heartbeat_timeout_ms=450)
    received.wait_for(1)
    start_runner(others, heartbeat_timeout_ms=450)
    time.sleep(1.2)
    go_on.set()

    eventually(lambda: not namespace.client.exists(namespace.key("commands.msgs")))
    assert others.batches == []


def test_after_an_outage_the_living_are_not_taken_for_dead(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    namespace.put(*numbered(2))
    received, go_on = Received(), threading.Event()

    def work(messages: list[RawMessage]) -> None:
        received(messages)
        go_on.wait(5)

    for _ in range(2):
        start_runner(work, batch_size=1, threads=1, heartbeat_timeout_ms=600)
    received.wait_for(2)
    time.sleep(0.4)
    namespace.client.client_pause(1500)
    namespace.client.ping()
    time.sleep(0.5)
    go_on.set()

    eventually(lambda: not namespace.client.exists(namespace.key("commands.msgs")))
    assert len(received.bodies) == 2


def test_a_lost_fetch_reply_strands_nothing(
    namespace: Namespace, start_runner: StartRunner, proxy: Proxy
) -> None:
    received = Received()
    start_runner(received, url=proxy.url, maintenance_interval_s=0.2)
    namespace.put(b"first")
    received.wait_for(1)

    proxy.lose_the_answer_to(b"fetch")
    namespace.put(*numbered(8))
    assert proxy.lost.wait(5)

    received.wait_for(9)
    assert sorted(body for body in received.bodies[1:] if body) == numbered(8)
    eventually(lambda: namespace.keys() == {namespace.key("__heartbeats__")})


def test_a_lost_answer_to_an_acknowledgement_brings_nothing_back(
    namespace: Namespace, start_runner: StartRunner, proxy: Proxy
) -> None:
    received = Received()
    start_runner(received, url=proxy.url, maintenance_interval_s=0.1)
    proxy.lose_the_answer_to(b"ack\r\n")
    namespace.put(*numbered(4))
    assert proxy.lost.wait(5)

    eventually(lambda: namespace.keys() == {namespace.key("__heartbeats__")})
    time.sleep(0.3)
    assert received.bodies == numbered(4)
