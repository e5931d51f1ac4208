"""What was not done goes back to where it came from."""

import threading
import time

import pytest

from tests.broker.conftest import StartRunner
from tests.broker.queues import Namespace, Received, eventually, numbered
from workers.broker.batches import RawMessage, Requeue


def test_a_batch_that_its_handler_gives_back_goes_to_the_head_in_order(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    ids = namespace.put(*numbered(6))
    received = Received()

    def give_back(messages: list[RawMessage]) -> None:
        received(messages)
        raise Requeue

    start_runner(give_back, batch_size=3, threads=1)
    received.wait_for(3)

    eventually(lambda: namespace.waiting() == ids, within_s=0.4)


def test_a_handler_that_fails_loses_nothing_and_does_not_spin(
    namespace: Namespace, start_runner: StartRunner, caplog: pytest.LogCaptureFixture
) -> None:
    namespace.put(b"secret", b"another")
    received = Received()

    def fail_once(messages: list[RawMessage]) -> None:
        received(messages)
        if len(received.batches) == 1:
            raise ZeroDivisionError

    start_runner(fail_once, threads=1)
    received.wait_for(4)

    assert received.bodies == [b"secret", b"another"] * 2
    assert 0.3 < received.times[1] - received.times[0] < 2
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text
    eventually(lambda: not namespace.client.exists(namespace.key("commands.msgs")))


def test_messages_of_a_stopped_worker_go_back_to_the_head_in_order(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    ids = namespace.put(*numbered(10))
    received, stopping = Received(), threading.Event()

    def until_stopped(messages: list[RawMessage]) -> None:
        received(messages)
        stopping.wait(5)
        raise Requeue

    runner = start_runner(until_stopped, batch_size=3, threads=2)
    received.wait_for(6)
    assert len(namespace.waiting()) == 4
    threading.Timer(0.05, stopping.set).start()
    runner.stop()

    assert namespace.waiting() == ids
    assert namespace.keys() == {namespace.key("commands"), namespace.key("commands.msgs")}


def test_a_stopping_worker_finishes_what_it_has_in_hand_and_fetches_no_more(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    ids = namespace.put(*numbered(6))
    received, go_on = Received(), threading.Event()

    def work(messages: list[RawMessage]) -> None:
        received(messages)
        go_on.wait(5)

    runner = start_runner(work, batch_size=2, threads=2)
    received.wait_for(4)
    threading.Timer(0.1, go_on.set).start()
    runner.stop()

    assert namespace.waiting() == ids[4:]
    assert namespace.client.hlen(namespace.key("commands.msgs")) == 2


def test_a_handler_that_outlasts_the_stop_does_not_keep_its_messages(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    ids = namespace.put(*numbered(2))
    received, go_on = Received(), threading.Event()

    def work(messages: list[RawMessage]) -> None:
        received(messages)
        go_on.wait(5)

    runner = start_runner(work)
    received.wait_for(2)
    runner.stop(timeout=0.1)

    assert namespace.waiting() == ids
    go_on.set()
    time.sleep(0.05)
    assert namespace.client.hlen(namespace.key("commands.msgs")) == 2


def test_an_idle_worker_stops_at_once_and_leaves_no_trace(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    runner = start_runner(Received(), block_s=60.0)
    eventually(lambda: namespace.client.exists(namespace.key("__heartbeats__")))
    began = time.monotonic()
    runner.stop()

    assert time.monotonic() - began < 15
    assert namespace.keys() == set()


def test_a_worker_stopped_as_soon_as_it_started_stops(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    for _ in range(5):
        began = time.monotonic()
        start_runner(Received()).stop()
        assert time.monotonic() - began < 15
    assert namespace.keys() == set()
