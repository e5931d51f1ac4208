"""A message of which only the body was written is neither lost nor kept for ever."""

from uuid import uuid4

import redis

from tests.broker.conftest import StartRunner
from tests.broker.queues import Namespace, Received, eventually, numbered
from workers.broker.calls import QueueCalls
from workers.broker.strays import Strays


def half_sent(namespace: Namespace, body: bytes) -> str:
    """Its producer died before it wrote the id into the list."""
    ident = uuid4().hex
    namespace.client.hset(namespace.key("commands.msgs"), ident, body)
    return ident


def test_a_body_without_an_entry_in_the_queue_is_worked_off(
    namespace: Namespace, start_runner: StartRunner
) -> None:
    half_sent(namespace, b"half sent")
    received = Received()

    start_runner(received, heartbeat_timeout_ms=600, strays_interval_s=0.2)
    namespace.put(*numbered(3))

    received.wait_for(4, within_s=60)
    eventually(lambda: not namespace.client.exists(namespace.key("commands.msgs")), within_s=60)
    assert sorted(body for body in received.bodies if body) == sorted([*numbered(3), b"half sent"])


class Looker:
    """Looks for strays whenever a test says so."""

    def __init__(self, url: str, namespace: Namespace) -> None:
        self.calls = QueueCalls(redis.Redis.from_url(url), namespace.name, "commands", uuid4().hex)
        self.now = 0.0
        self._strays = Strays(self.calls, "commands", 60.0, lambda: self.now)

    def look(self) -> int:
        self.now += 61.0
        return self._strays.look()


def test_a_producer_may_take_its_time_between_body_and_entry(redis_url: str, namespace: Namespace) -> None:
    looker = Looker(redis_url, namespace)
    half_sent(namespace, b"slow")
    assert (looker.look(), namespace.waiting()) == (0, [])
    assert looker.look() == 1
    assert len(namespace.waiting()) == 1
    # It is in the list now, and is not put there again.
    assert [looker.look(), looker.look(), len(namespace.waiting())] == [0, 0, 1]


def test_what_waits_or_is_in_somebodys_hands_is_not_astray(redis_url: str, namespace: Namespace) -> None:
    looker, other = Looker(redis_url, namespace), Looker(redis_url, namespace)
    namespace.put(*numbered(4))
    other.calls.fetch(2, 1_000_000)
    astray = half_sent(namespace, b"astray")
    looker.look()

    assert looker.look() == 1
    assert len(namespace.waiting()) == 3
    assert namespace.waiting()[-1] == astray


def test_what_comes_into_somebodys_hands_between_two_looks_stays_there(
    redis_url: str, namespace: Namespace
) -> None:
    looker, other = Looker(redis_url, namespace), Looker(redis_url, namespace)
    ident = half_sent(namespace, b"late")
    looker.look()
    namespace.client.rpush(namespace.key("commands"), ident)
    other.calls.fetch(1, 1_000_000)

    assert (looker.look(), namespace.waiting()) == (0, [])
