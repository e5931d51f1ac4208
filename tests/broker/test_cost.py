"""Waiting is cheap, waking is quick."""

import statistics
import time

from tests.broker.conftest import StartRunner
from tests.broker.queues import Namespace, Received, eventually


def commands_processed(namespace: Namespace) -> int:
    return int(namespace.client.info("stats")["total_commands_processed"])


def test_an_idle_consumer_costs_few_commands(namespace: Namespace, start_runner: StartRunner) -> None:
    for queue in ("commands", "queries"):
        start_runner(Received(), queue=queue)
    time.sleep(0.5)

    before, cpu_before = commands_processed(namespace), time.process_time()
    time.sleep(2.5)
    used, cpu_s = commands_processed(namespace) - before, time.process_time() - cpu_before

    # One round of upkeep may fall into the time, and the commands inside scripts count too.
    assert used < 30
    assert cpu_s < 1


def test_consumers_that_wake_for_nothing_do_not_spin(namespace: Namespace, start_runner: StartRunner) -> None:
    received = Received()
    for _ in range(3):
        start_runner(received)
    eventually(lambda: namespace.client.zcard(namespace.key("__heartbeats__")) == 3)
    time.sleep(0.3)

    before = commands_processed(namespace)
    for _ in range(10):
        namespace.put(b"for one of three")
        time.sleep(0.02)
    received.wait_for(10)
    time.sleep(0.3)

    assert len(received.bodies) == 10
    assert commands_processed(namespace) - before < 10 * 40


def test_an_idle_worker_wakes_within_milliseconds(namespace: Namespace, start_runner: StartRunner) -> None:
    received = Received()
    start_runner(received)
    namespace.put(b"the first loads the script")
    received.wait_for(1)

    took_ms = []
    for count in range(2, 102):
        time.sleep(0.003)
        sent_at = time.time()
        namespace.put(b"wake up")
        received.wait_for(count)
        took_ms.append((received.times[-1] - sent_at) * 1000)

    # The figure is about 0.7; waiting for a timer would be hundreds.
    assert statistics.median(took_ms) < 100
