"""The same seven faults, put into Interlock with its default settings: one worker, one relay, one clock."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.broker.proxy import Proxy
from tests.crashes.processes import Fleet, Process, until
from tests.crashes.producer import Envelope, Producer
from tests.faults import failpoints
from tests.faults.child import FOLDER
from tests.faults.rows.processes import no_faketime, skewed
from tests.faults.servers import Servers, home_from, template
from tests.faults.stage import NAMESPACE, WAY, address_of, at
from tests.faults.stock.measures import Outcome, percentile
from workers.settings import Settings

QUEUE = f"{NAMESPACE}:commands"


class Bench:
    """A small installation whose worker reaches Redis through a proxy."""

    def __init__(self, folder: Path) -> None:
        self.servers = Servers(home_from(template(folder), folder / "home"))

    def __enter__(self) -> Self:
        self.servers.__enter__()
        self.redis = self.servers.redis.client()
        self.proxy = Proxy(address_of(self.servers.redis.url))
        self.settings = Settings(
            database_url=self.servers.postgres.url,
            redis_url=at(self.servers.redis.url, self.proxy),
            namespace=NAMESPACE,
            home=self.servers.home.path,
        )
        self.producer = Producer(self.redis, NAMESPACE)
        self.fleet = Fleet(self.settings, WAY)
        return self

    def __exit__(self, *_: object) -> None:
        self.fleet.__exit__()
        self.proxy.close()
        self.servers.__exit__()

    def begin(self) -> None:
        self.fleet.start("worker", "relay", "clock")

    def create(self, number: int) -> list[Envelope]:
        """Commands that make runs."""
        return [self.producer.command("flow_run.create", {"flow_name": "f"}) for _ in range(number)]

    def outcome(self, sent: list[Envelope], within_s: float) -> Outcome:
        """When all are answered, or the time is over. Ran twice: two runs of one command."""
        wanted = {each["id"] for each in sent}
        with suppress(AssertionError):
            until(lambda: wanted <= self.producer.answered(), within_s, every_s=0.05)
        answered = len(wanted & self.producer.answered())
        with self.servers.postgres.session() as connection:
            row = connection.execute("SELECT count(*) FROM flow_run").fetchone()
        runs = int(row[0]) if row else 0
        held = int(self.redis.hlen(f"{QUEUE}.msgs")) + int(self.redis.hlen(f"{QUEUE}.DQ.msgs"))
        lost = max(0, len(sent) - answered - held)
        return Outcome(
            sent=len(sent),
            ran=answered,
            lost=lost,
            stranded=min(held, len(sent) - answered),
            twice=max(0, runs - len(sent)),
        )


def loss(bench: Bench, seconds: float) -> Outcome:
    """A command fails once while Redis is away: it is to be tried again."""
    [create] = bench.create(1)
    bench.begin()
    bench.producer.send(create)
    until(lambda: create["id"] in bench.producer.answered(), 20)
    run = bench.producer.results()[0]["data"]["flow_run"]["id"]
    command = bench.producer.command(
        "flow_run.set_labels", {"flow_run_id": run, "labels": {"poison": "once"}}
    )
    file = failpoints.arm(bench.settings.home / FOLDER, "after-lock", "sleep:1")
    bench.producer.send(command)
    until(lambda: not file.exists(), 20)
    bench.proxy.cut()
    time.sleep(seconds)
    bench.proxy.restore()
    answered = bench.outcome([create, command], 45)
    return Outcome(sent=1, ran=answered.ran - 1, lost=answered.lost, stranded=answered.stranded)


def stranded(bench: Bench) -> Outcome:
    """The answer to one fetch is lost; a minute later."""
    sent = bench.create(8)
    bench.producer.send(*sent)
    bench.proxy.lose_the_answer_to(b"fetch")
    bench.begin()
    return bench.outcome(sent, 60)


def double(bench: Bench) -> Outcome:
    """The answer to one enqueue is lost, and the producer sends the command again."""
    bench.begin()
    [command] = bench.create(1)
    bench.producer.send(command)
    bench.producer.send(command)
    until(lambda: len(bench.producer.results()) == 2, 20)
    return bench.outcome([command], 10)


def poison(bench: Bench) -> Outcome:
    """One message among sixteen cannot be read."""
    sent = bench.create(16)
    bench.producer.send(*sent[:4])
    bench.redis.hset(f"{QUEUE}.msgs", "bad", "{not json")
    bench.redis.rpush(QUEUE, "bad")
    bench.producer.send(*sent[4:])
    bench.begin()
    return bench.outcome(sent, 20)


def idle(bench: Bench) -> Outcome:
    """Now and then a command, on a system that has nothing else to do; until its result is there."""
    bench.begin()
    time.sleep(3)
    waits, sent = [], bench.create(25)
    for command in sent:
        sent_at = time.monotonic()
        bench.producer.send(command)
        stream: Any = bench.redis.xread({f"{NAMESPACE}:replies:{bench.producer.replyto}": "$"}, block=5_000)
        waits.append((time.monotonic() - sent_at) * 1000)
        assert stream
        time.sleep(2.1)
    before = _scripts(bench)
    time.sleep(20)
    each_second = (_scripts(bench) - before) / 20
    return bench.outcome(sent, 5).with_waits(percentile(waits, 50), percentile(waits, 99), each_second)


def _scripts(bench: Bench) -> int:
    stats: Any = bench.redis.info("commandstats")
    return int(
        sum(each["calls"] for name, each in stats.items() if name in ("cmdstat_evalsha", "cmdstat_eval"))
    )


def skew(bench: Bench) -> Outcome:
    """Another worker, whose clock is 62 s ahead, starts and works while a command is being worked on."""
    bench.begin()
    sent = bench.create(20)
    file = failpoints.arm(bench.settings.home / FOLDER, "after-lock", "sleep:6")
    bench.producer.send(sent[0])
    until(lambda: not file.exists(), 20)
    assert no_faketime() is None
    way = skewed(bench.settings.home / "faketime", "+62s")
    bench.fleet.members.append(Process("worker", settings=bench.settings, way=way).wait_until_ready())
    bench.producer.send(*sent[1:])
    return bench.outcome(sent, 30)


def delayed(bench: Bench) -> Outcome:
    """Delayed messages wait while Redis is away for two seconds; a minute later."""
    from tests.crashes.producer import dramatiq_message

    bench.begin()
    sent = bench.create(5)
    for each in sent:
        eta = int((time.time() + 6) * 1000)
        ident, text = dramatiq_message("commands.DQ", each, each["type"], eta=eta)
        bench.redis.hset(f"{QUEUE}.DQ.msgs", ident, text)
        bench.redis.rpush(f"{QUEUE}.DQ", ident)
    time.sleep(2)
    bench.proxy.cut()
    time.sleep(2)
    bench.proxy.restore()
    return bench.outcome(sent, 60)


RECIPES: dict[str, Callable[[Bench], Outcome]] = {
    "G1 8 s": lambda bench: loss(bench, 8),
    "G1 25 s": lambda bench: loss(bench, 25),
    "G1 120 s": lambda bench: loss(bench, 120),
    "G2": stranded,
    "G3": double,
    "G4": poison,
    "G5": idle,
    "G6": skew,
    "G7": delayed,
}
