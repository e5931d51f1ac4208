"""One worker, relay and clock for all of it: they are to live through everything."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from redis import Redis

from tests.crashes.processes import Fleet, until
from tests.crashes.producer import Envelope, Producer
from tests.fuzz.junk import is_query
from tests.servers import Servers, fresh_database
from workers.settings import Settings

ANSWERS_WITHIN_S = 60.0


@dataclass
class Target:
    """An installation where any failure of a command is the last: it would be told as `internal`."""

    settings: Settings
    fleet: Fleet
    redis: Redis
    producer: Producer

    def put(self, bodies: Sequence[bytes]) -> None:
        """Each as a message on the queue where it belongs."""
        with self.redis.pipeline(transaction=True) as pipe:
            for body in bodies:
                queue = f"{self.settings.namespace}:{'queries' if is_query(body) else 'commands'}"
                ident = uuid4().hex
                pipe.hset(f"{queue}.msgs", ident, body)
                pipe.rpush(queue, ident)
            pipe.execute()

    def good_ones_are_answered(self) -> None:
        """Behind whatever was sent before."""
        command = self.producer.command("flow.upsert", {"name": "good"})
        query = self.producer.command("flow.read", {"name": "good"})
        self.producer.send(command)
        until(
            lambda: self.producer.results_of(command["id"]),
            ANSWERS_WITHIN_S,
            what="the answer to a good command",
        )
        self.producer.send(query, queue="queries")
        until(
            lambda: self.producer.results_of(query["id"]), ANSWERS_WITHIN_S, what="the answer to a good query"
        )
        for each in (command, query):
            assert self.producer.results_of(each["id"])[0]["data"]["status"] == "OK"

    def results(self) -> list[Envelope]:
        """All that came."""
        return self.producer.results()

    def nobody_has_died(self) -> None:
        for each in self.fleet.members:
            assert each.popen.poll() is None, each.text()[-3000:]

    def given_up(self) -> list[str]:
        """Commands whose handling failed."""
        with psycopg.connect(self.settings.database_url) as connection:
            rows = connection.execute("SELECT reason FROM dead_letter WHERE attempts > 0").fetchall()
            return [reason for (reason,) in rows]


@pytest.fixture(scope="module")
def target(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    namespace = f"test-{uuid4().hex[:12]}"
    redis = Redis.from_url(servers.redis_url, decode_responses=True)
    with fresh_database(servers, template_database) as url:
        settings = Settings(
            database_url=url,
            redis_url=servers.redis_url,
            namespace=namespace,
            home=tmp_path_factory.mktemp("fuzz"),
            max_attempts=1,
            clock_interval=timedelta(seconds=0.5),
        )
        with Fleet(settings) as fleet:
            fleet.start("worker", "relay")
            yield Target(settings, fleet, redis, Producer(redis, namespace))
    redis.unlink(*redis.scan_iter(match=f"{namespace}:*", count=1000))
    redis.close()


def told(result: Envelope) -> str:
    """For who wants to know why a test failed."""
    return json.dumps(result)[:2_000]
