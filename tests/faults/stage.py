"""A whole system on servers of its own, under load, while faults are put into it; and what came of it."""

import contextlib
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psycopg
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.broker.proxy import Proxy
from tests.crashes.history import History, at_rest, from_database, messages_left
from tests.crashes.processes import Fleet, Process, Way
from tests.crashes.producer import Envelope, Producer
from tests.faults import failpoints
from tests.faults.bounds import Bounds
from tests.faults.child import FOLDER
from tests.faults.doctor import alarms
from tests.faults.probe import Probe
from tests.faults.servers import Servers, home_from
from tests.faults.supervisor import Supervisor
from tests.faults.traffic import Author, Pace, Traffic
from tests.faults.witness import Witness
from workers.settings import Settings

WAY = Way("tests.faults.child")
NAMESPACE = "faults"
#: quick, so that many faults can be tried in an hour; one row uses the defaults
QUICK: Mapping[str, Any] = {
    "heartbeat_timeout": timedelta(seconds=2),
    "statement_timeout": timedelta(seconds=5),
    "lock_timeout": timedelta(seconds=2),
    "clock_interval": timedelta(seconds=0.5),
    "shutdown_timeout": timedelta(seconds=10),
    "max_attempts": 3,
    "late_after": timedelta(hours=6),
    "sequence_gap_timeout": timedelta(hours=6),
}


@dataclass(frozen=True)
class Plan:
    """How a stage is set up."""

    fleet: tuple[str, ...] = ("worker", "worker", "relay", "clock")
    pace: Pace = field(default_factory=Pace)
    settings: Mapping[str, Any] = field(default_factory=lambda: QUICK)
    #: the processes reach both servers through proxies
    proxied: bool = False
    #: the producer and the witness reach Redis through its proxy, too
    through_proxy: bool = False
    postgres: Mapping[str, str] = field(default_factory=dict)
    redis: Mapping[str, str] = field(default_factory=dict)
    #: from the end of a fault until all that was sent before is answered, seconds
    recovers_within_s: float = 30.0
    #: Redis may lose what it had: events are then taken from the outbox, since the stream may be gone
    redis_forgets: bool = False
    #: connections to Redis break, so that nobody knows whether it has taken what was published
    answers_get_lost: bool = False


@dataclass(frozen=True)
class Injection:
    """One fault."""

    kind: str
    lasted_s: float
    recovery_s: float


class NotRecovered(AssertionError):
    """What was sent is not answered in time."""


class Stage:
    """To be entered once."""

    def __init__(self, folder: Path, template: Path, plan: Plan, seed: int) -> None:
        self.plan, self.seed, self.folder = plan, seed, folder
        self.servers = Servers(home_from(template, folder), postgres=plan.postgres, redis=plan.redis)
        self.probe = Probe()
        self.injections: list[Injection] = []
        self.violations: list[str] = []
        self.notes: list[str] = []
        self.doomed: set[str] = set()
        self.altered: set[str] = set()
        #: commands that are to be given up, and those whose results nobody reads
        self.poisoned: dict[str, Envelope] = {}
        self.unread: dict[str, Envelope] = {}
        self._history: History | None = None
        self._other_ways: list[Redis] = []
        self.database_proxy: Proxy | None = None
        self.redis_proxy: Proxy | None = None

    def __enter__(self) -> Self:
        self.servers.__enter__()
        self.settings = self._settings()
        self.redis = self.servers.redis.client()
        self.producer = Producer(self._client(), NAMESPACE)
        self.author = Author(self.producer, self.seed)
        self.witness = Witness(self._client(), NAMESPACE, self.producer.replyto)
        self.traffic = Traffic(self.author, self.producer, self.plan.pace, self.witness.has)
        self.fleet = Fleet(self.settings, WAY)
        self.supervisor = Supervisor(self.fleet)
        self.bounds = Bounds(self.servers.postgres.url, self.fleet)
        self.witness.start()
        self._start_fleet()
        self.traffic.send(self.author.setting())
        self._expect(self.traffic.due_at(time.monotonic()))
        self.usual_alarms = {each.name for each in alarms(self.settings)}
        for thread in (self.traffic, self.supervisor, self.bounds):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        self.traffic.end()
        self.bounds.stop()
        self.fleet.__exit__()
        self.witness.stop()
        for proxy in (self.database_proxy, self.redis_proxy):
            if proxy is not None:
                proxy.close()
        self.servers.__exit__()

    @contextmanager
    def fault(self, kind: str, *, wait: bool = True) -> Iterator[None]:
        """A fault that begins and ends with the block; what was sent before its end must be answered in time."""
        began = time.monotonic()
        yield
        healed = time.monotonic()
        recovery = self.recovered(healed) if wait else 0.0
        self.injections.append(Injection(kind, healed - began, recovery))

    def recovered(self, healed: float) -> float:
        """Seconds from that moment until everything sent before was answered."""
        due = self.traffic.due_at(healed)
        self._expect(due)
        return max((self.witness.answered_at[ident] - healed for ident in due), default=0.0)

    def arm(self, point: str, action: str = "kill") -> None:
        """Have the next process that comes by this point struck; returns when it has been."""
        file = failpoints.arm(self.folder / FOLDER, point, action)
        give_up_at = time.monotonic() + 60
        while file.exists():
            assert time.monotonic() < give_up_at, f"nobody comes by {point}:\n{self.fleet.log()[-4000:]}"
            time.sleep(0.002)

    def process(self, role: str, number: int = 0) -> Process:
        """One of the fleet, by its role."""
        return [each for each in self.fleet.members if each.role == role][number]

    def _start_fleet(self) -> None:
        """All at once; the first can be asked how it is."""
        way = replace(WAY, environment={"INTERLOCK_HEALTH_ADDRESS": self.probe.address})
        first = Process(self.plan.fleet[0], settings=self.settings, way=way)
        self.fleet.members.append(first)
        self.fleet.start(*self.plan.fleet[1:])
        first.wait_until_ready()

    def an_outage(self, about: str) -> None:
        """Violations if the doctor says nothing, if a worker calls itself ready, or wants to be started again."""
        self.an_alarm(about)
        if not self.probe.becomes(ready=False):
            self.violations.append(f"a worker says that it is ready, in trouble with {about}")
        if not self.probe.lives():
            self.violations.append(f"a worker wants to be started again for trouble with {about}")
        self.notes.append("meanwhile /ready said no, and /live yes")

    def an_alarm(self, about: str) -> None:
        """A violation if the doctor has nothing to say about it now."""
        found = [f"{each.name} {each.found}" for each in alarms(self.settings)]
        if any(about.lower() in each.lower() for each in found):
            self.notes.append(f"the doctor told of {about}")
        else:
            self.violations.append(f"the doctor says nothing about {about}, only {found}")

    def no_alarm(self) -> None:
        """A violation if it finds anything that it did not find before the first fault."""
        if not self.probe.becomes(ready=True):
            self.violations.append("a worker says that it is not ready, after all is well again")
        found = [each for each in alarms(self.settings) if each.name not in self.usual_alarms]
        self.violations += [f"the doctor still finds: {each.name}: {each.found}" for each in found]

    def send_as_it_is(self, *envelopes: Envelope) -> None:
        """Without taking notice of it: it is a copy, or nothing that can be answered."""
        self.producer.send(*envelopes)

    def put(self, body: bytes) -> None:
        """Any bytes, as a message."""
        ident = uuid4().hex
        with self.servers.redis.client() as redis, redis.pipeline(transaction=True) as pipe:
            pipe.hset(f"{NAMESPACE}:commands.msgs", ident, body)
            pipe.rpush(f"{NAMESPACE}:commands", ident)
            pipe.execute()

    def send_for_nobody(self, name: str, number: int) -> None:
        """So many commands whose results nobody reads; they end in the inbox all the same."""
        run = self.author.id()
        data = {"flow_run_id": run, "labels": {"nobody": True}}
        commands = [
            self.author.command(
                "flow_run.create", {"id": run, "flow_name": "load"}, partitionkey=run, sequence="1"
            ),
            *(
                self.author.command("flow_run.set_labels", data, partitionkey=run, sequence=str(each))
                for each in range(2, number + 1)
            ),
        ]
        del commands[0]["replyto"]
        for each in commands[1:]:
            each["replyto"] = name
        self.unread.update((each["id"], each) for each in commands)
        self.producer.send_batch(commands)

    def poison(self, kind: str) -> None:
        """A command that breaks its handler, or the database's patience; it is answered when it is given up."""
        mark = f"poison-{uuid4().hex}"
        run = self.author.id()
        self.doomed.add(mark)
        create = self.author.command("flow_run.create", {"id": run, "flow_name": "load"})
        labels = {"poison": kind, "mark": mark}
        command = self.author.command("flow_run.set_labels", {"flow_run_id": run, "labels": labels})
        self.poisoned[command["id"]] = command
        self.traffic.send([create])
        self.recovered(time.monotonic())
        self.producer.send(command)

    def result_of(self, ident: str) -> Envelope:
        """The first result of a command that was answered."""
        return next(each for each in self.witness.results if each["causationid"] == ident)

    def is_buried(self, mark: str) -> bool:
        """Whether a dead letter holds this text."""
        with self.servers.postgres.session() as connection:
            found = connection.execute(
                "SELECT 1 FROM dead_letter WHERE position(convert_to(%s, 'UTF8') IN body) > 0", (mark,)
            )
            return found.fetchone() is not None

    @contextmanager
    def producer_through(self, url: str) -> Iterator[None]:
        """The producer sends along another way."""
        usual = self.producer.redis
        other = Redis.from_url(url, decode_responses=True, retry=Retry(NoBackoff(), 0))
        self.producer.redis = other
        yield
        self.producer.redis = usual
        # It may be in use at this moment, and closes itself with its last reference.
        self._other_ways.append(other)

    def _client(self) -> Redis:
        if not self.plan.through_proxy:
            return self.servers.redis.client()
        options: dict[str, Any] = {
            "decode_responses": True,
            "socket_timeout": 5,
            "retry": Retry(NoBackoff(), 0),
        }
        return Redis.from_url(self.settings.redis_url, **options)

    def finish_early(self) -> None:
        """For those who have to put away what the servers stand on."""
        self._history = self._finish()
        self.no_alarm()

    def finish(self) -> History:
        """Sends what is left, waits for rest, and compares everything with everything."""
        if self._history is None:
            self.finish_early()
        assert self._history is not None
        return self._history

    def as_it_is(self) -> History:
        """What is known in the midst of things."""
        self.traffic.end()
        sent = {**self.traffic.sent, **self.unread, **self.poisoned}
        history = self._history or History(sent, self.witness.results, self.witness.events)
        with contextlib.suppress(psycopg.Error):
            from_database(self.servers.postgres.url, history)
        return history

    def _finish(self) -> History:
        self.traffic.stop()
        self._expect({*self.traffic.sent, *self.poisoned})
        self._until_rest()
        self.bounds.stop()
        for each in self.unread.values():
            each.pop("replyto", None)
        sent = {**self.traffic.sent, **self.unread, **self.poisoned}
        history = History(sent, self.witness.results, self.witness.events)
        history.said_again = self.plan.answers_get_lost
        history.given_up = frozenset(self.poisoned)
        history.notices = self.witness.notices
        history.doomed, history.altered = self.doomed, self.altered
        from_database(self.servers.postgres.url, history)
        history.waiting = messages_left(self.redis, NAMESPACE)
        if self.plan.redis_forgets:
            history.events = history.outbox
            history.notices = [each for each in history.outbox if each["type"] == "notification"]
        self.violations += history.violations()
        self.violations += self.bounds.violations()
        return history

    def report(self, history: History) -> dict[str, Any]:
        """What the page of results shows of it."""
        recoveries = sorted(each.recovery_s for each in self.injections)
        return {
            "injections": dict(Counter(each.kind for each in self.injections)),
            "commands": len(history.sent),
            "messages": self.traffic.messages,
            "resent": self.traffic.resent,
            "lost": len(history.lost()),
            "applied_twice": len(history.applied_twice()),
            "repeats": len(history.results) - len(history.sent),
            "deaths": self.supervisor.deaths,
            "recovery_s": {
                "p50": _percentile(recoveries, 50),
                "p99": _percentile(recoveries, 99),
                "max": _percentile(recoveries, 100),
            },
            "bounds": self.bounds.most,
            "seed": self.seed,
            "violations": self.violations,
            "notes": self.notes,
        }

    def _expect(self, due: set[str]) -> None:
        left = self.witness.wait_for(due, self.plan.recovers_within_s)
        if left:
            raise NotRecovered(
                f"{len(left)} of {len(due)} commands are not answered within {self.plan.recovers_within_s:g} s, "
                f"such as {self.traffic.sent.get(min(left)) or self.poisoned.get(min(left))}\n"
                f"{self.fleet.log()[-6000:]}"
            )

    def _until_rest(self) -> None:
        give_up_at = time.monotonic() + self.plan.recovers_within_s
        while not at_rest(self.settings.database_url, self.redis, NAMESPACE):
            if time.monotonic() > give_up_at:
                self.violations.append(f"no rest within {self.plan.recovers_within_s:g} s")
                return
            time.sleep(0.05)
        self.witness.settle(self.redis)

    def _settings(self) -> Settings:
        database_url, redis_url = self.servers.postgres.url, self.servers.redis.url
        if self.plan.proxied:
            self.database_proxy = Proxy(address_of(database_url))
            self.redis_proxy = Proxy(address_of(redis_url))
            database_url = at(database_url, self.database_proxy)
            redis_url = at(redis_url, self.redis_proxy)
        return Settings(
            database_url=database_url,
            redis_url=redis_url,
            namespace=NAMESPACE,
            home=self.folder,
            **self.plan.settings,
        )


def _percentile(ordered: list[float], percent: int) -> float | None:
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)], 2)


def address_of(url: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


def at(url: str, proxy: Proxy) -> str:
    return url.replace("{}:{}".format(*address_of(url)), "{}:{}".format(*proxy.address))
