"""Delayed messages come at their time: not before it, and not long after."""

import time

import pytest
from dramatiq.message import Message

from tests.broker.conftest import StartRunner
from tests.broker.queues import Namespace, Received, eventually, message, stock_broker

ON_TIME_S = 0.15


def test_a_delayed_message_is_delivered_on_time(
    redis_url: str, namespace: Namespace, start_runner: StartRunner
) -> None:
    received = Received()
    start_runner(received)
    eventually(lambda: namespace.client.exists(namespace.key("__heartbeats__")))

    with stock_broker(redis_url, namespace) as stock:
        for delay_ms in (60_000, 600, 300):
            stock.enqueue(Message.decode(message()), delay=delay_ms)
            sent_at = time.time()

    received.wait_for(2)
    late = [came_at - sent_at - delay_s for came_at, delay_s in zip(received.times, (0.3, 0.6), strict=True)]
    assert all(-0.02 < each < ON_TIME_S for each in late), late
    assert namespace.client.hlen(namespace.key("commands.DQ.msgs")) == 1


def test_an_eta_on_the_queue_itself_is_honoured(namespace: Namespace, start_runner: StartRunner) -> None:
    received = Received()
    start_runner(received)
    due_at = time.time() + 0.5

    namespace.put(message(eta=due_at * 1000), message(eta=None), message(eta=1))

    received.wait_for(2)
    received.wait_for(3)
    assert received.times[0] < due_at - 0.2
    assert -0.01 < received.times[-1] - due_at < ON_TIME_S
    eventually(lambda: namespace.keys() == {namespace.key("__heartbeats__")})


@pytest.mark.parametrize("eta", ["soon", None, [], {}, True, -1, 0, 1e400, float("nan"), 10**30])
def test_a_malformed_eta_means_at_once(namespace: Namespace, start_runner: StartRunner, eta: object) -> None:
    received = Received()
    start_runner(received)

    namespace.put(message("commands.DQ", eta=eta), queue="commands.DQ")

    received.wait_for(1, within_s=1)


def test_undecodable_delayed_messages_reach_the_handler_and_stop_nobody(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    namespace.client.rpush(namespace.key("commands.DQ"), "lost")
    bodies = [b"{not json", b"", b"[" * 5000, b"1", b'"text"', b'{"options": 1}']
    namespace.put(*bodies, message("commands.DQ", eta=1), queue="commands.DQ")
    received = Received()

    start_runner(received)

    received.wait_for(7)
    assert set(bodies) < set(received.bodies)
    eventually(lambda: namespace.keys() == {namespace.key("__heartbeats__")})


def test_delayed_messages_outlive_the_workers_that_saw_them(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    first, second = Received(), Received()
    runner = start_runner(first)
    namespace.put(message("commands.DQ", eta=(time.time() + 0.6) * 1000), queue="commands.DQ")
    eventually(lambda: namespace.client.exists(namespace.key("commands.DQ.due")))
    runner.stop()
    assert first.batches == []

    start_runner(second)

    second.wait_for(1, within_s=2)


def test_many_delayed_messages_move_together(namespace: Namespace, start_runner: StartRunner) -> None:
    due_at = (time.time() + 0.3) * 1000
    namespace.put(*[message("commands.DQ", eta=due_at) for _ in range(1200)], queue="commands.DQ")
    received = Received()

    start_runner(received)

    received.wait_for(1200)
    assert min(received.times) * 1000 > due_at - 20
