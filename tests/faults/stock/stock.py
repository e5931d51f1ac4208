"""Seven faults, put into dramatiq with its own Redis broker, as it comes. Each answers what became of the messages."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionError as ConnectionErrored
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.broker.proxy import Proxy
from tests.faults.stock.measures import Outcome, percentile

QUEUE = "default"


class Stock:
    """A broker behind a proxy, a worker, and an actor that notes what it ran."""

    def __init__(self, redis_url: str, *, retries: bool = True) -> None:
        host, port = redis_url.removeprefix("redis://").removesuffix("/0").split(":")
        self.proxy = Proxy((host, int(port)))
        options: dict[str, Any] = {} if retries else {"retry": Retry(NoBackoff(), 0)}
        self.broker = RedisBroker(url=self.proxy.url, **options)  # type: ignore[no-untyped-call]
        self.redis = Redis.from_url(redis_url, decode_responses=True)
        self.ran: list[tuple[int, float]] = []
        self.before_it_raises: Callable[[], None] | None = None
        self.takes_s = 0.0
        slow: dict[str, Any] = {"max_backoff": 1_000}
        self.actor: Any = dramatiq.actor(broker=self.broker, actor_name="note", **slow)(self._run)

    @contextmanager
    def working(self, threads: int) -> Iterator[None]:
        worker = dramatiq.Worker(self.broker, worker_threads=threads)
        worker.start()
        try:
            yield
        finally:
            worker.stop(timeout=1_000)
            self.proxy.close()

    def _run(self, number: int) -> None:
        self.ran.append((number, time.monotonic()))
        if self.before_it_raises is not None:
            act, self.before_it_raises = self.before_it_raises, None
            act()
            raise RuntimeError("once")
        time.sleep(self.takes_s)

    def outcome(self, sent: int) -> Outcome:
        """Lost is what neither ran to its end nor is anywhere in Redis; stranded is what is in nobody's hands."""
        ran = {number for number, _ in self.ran}
        stranded = sum(int(self.redis.scard(key)) for key in self.redis.scan_iter("dramatiq:__acks__*"))
        return Outcome(sent=sent, ran=len(ran), stranded=stranded, twice=len(self.ran) - len(ran))


def loss(redis_url: str, seconds: float, *, retries: bool) -> Outcome:
    """A command fails once while Redis is away: it is to be tried again."""
    stock = Stock(redis_url, retries=retries)
    stock.before_it_raises = stock.proxy.cut
    with stock.working(2):
        stock.actor.send(1)
        time.sleep(seconds)
        stock.proxy.restore()
        time.sleep(45)
        done = len(stock.ran) > 1
        waits = int(stock.redis.hlen("dramatiq:default.msgs")) + int(
            stock.redis.hlen("dramatiq:default.DQ.msgs")
        )
        return Outcome(
            sent=1, ran=int(done), lost=int(not done and not waits), stranded=int(not done and waits > 0)
        )


def stranded(redis_url: str) -> Outcome:
    """The answer to one fetch is lost; a minute later."""
    stock = Stock(redis_url)
    for number in range(8):
        stock.actor.send(number)
    stock.proxy.lose_the_answer_to(b"fetch")
    with stock.working(2):
        time.sleep(60)
        return stock.outcome(8)


def double(redis_url: str) -> Outcome:
    """The answer to one enqueue is lost."""
    stock = Stock(redis_url)
    stock.broker.do_qsize(QUEUE)
    stock.proxy.lose_the_answer_to(b"enqueue")
    # Whether the client tries again by itself depends on its version; if it does not, its user will.
    try:
        stock.actor.send(1)
    except (RedisError, ConnectionErrored):
        stock.actor.send(1)
    with stock.working(2):
        time.sleep(10)
        return stock.outcome(1)


def poison(redis_url: str) -> Outcome:
    """One message among sixteen cannot be read."""
    stock = Stock(redis_url)
    for number in range(4):
        stock.actor.send(number)
    stock.redis.hset("dramatiq:default.msgs", "bad", "{not json")
    stock.redis.rpush("dramatiq:default", "bad")
    for number in range(4, 16):
        stock.actor.send(number)
    with stock.working(8):
        time.sleep(20)
        return stock.outcome(16)


def idle(redis_url: str) -> Outcome:
    """Now and then a message, on a system that has nothing else to do."""
    stock = Stock(redis_url)
    with stock.working(4):
        time.sleep(3)
        waits = []
        for number in range(25):
            sent_at = time.monotonic()
            stock.actor.send(number)
            time.sleep(2.1)
            waits += [(at - sent_at) * 1000 for ran, at in stock.ran if ran == number]
        before = _scripts(stock.redis)
        time.sleep(20)
        each_second = (_scripts(stock.redis) - before) / 20
        outcome = stock.outcome(25)
    return outcome.with_waits(percentile(waits, 50), percentile(waits, 99), each_second)


def _scripts(redis: "Redis") -> int:
    stats: Any = redis.info("commandstats")
    return int(
        sum(each["calls"] for name, each in stats.items() if name in ("cmdstat_evalsha", "cmdstat_eval"))
    )


def skew(redis_url: str) -> Outcome:
    """Another process, whose clock is 62 s ahead, tidies up while a message is being worked on."""
    stock = Stock(redis_url)
    stock.takes_s = 6
    with stock.working(2):
        stock.actor.send(1)
        time.sleep(1)
        ahead = RedisBroker(url=redis_url)  # type: ignore[no-untyped-call]
        now = int((time.time() + 62) * 1000)
        ahead.scripts["dispatch"](
            keys=[ahead.namespace],
            args=["qsize", now, QUEUE, "another", ahead.heartbeat_timeout, ahead.dead_message_ttl, 1, 1000],
        )
        time.sleep(12)
        return stock.outcome(1)


def delayed(redis_url: str, *, retries: bool) -> Outcome:
    """Delayed messages wait while Redis is away for two seconds; a minute later."""
    stock = Stock(redis_url, retries=retries)
    with stock.working(2):
        for number in range(5):
            stock.actor.send_with_options(args=(number,), delay=6_000)
        time.sleep(2)
        stock.proxy.cut()
        time.sleep(2)
        stock.proxy.restore()
        time.sleep(60)
        outcome = stock.outcome(5)
        kept = int(stock.redis.hlen("dramatiq:default.DQ.msgs"))
    return Outcome(sent=5, ran=outcome.ran, stranded=kept, lost=5 - outcome.ran - kept, twice=outcome.twice)


RECIPES: dict[str, Callable[[str], Outcome]] = {
    "G1 8 s": lambda url: loss(url, 8, retries=False),
    "G1 25 s": lambda url: loss(url, 25, retries=True),
    "G1 120 s": lambda url: loss(url, 120, retries=True),
    "G2": stranded,
    "G3": double,
    "G4": poison,
    "G5": idle,
    "G6": skew,
    "G7": lambda url: delayed(url, retries=False),
    "G7 retries": lambda url: delayed(url, retries=True),
}
