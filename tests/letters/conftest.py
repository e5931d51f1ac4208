"""Commands that come to be dead letters, and a clock and a worker to bring them back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from redis import Redis

from messages.ids import uuid7
from messages.results import Outcome
from store import dead_letters
from store.dead_letters import Criteria, Letter
from store.engine import open_engine
from store.transaction import Engine, transaction
from tests.pipeline.workshop import Envelope, Workshop, command
from workers.broker.connections import command_client
from workers.clock.duty import Means
from workers.clock.replays import send_replayed_letters
from workers.handlers import table
from workers.handlers.catalog import upsert_flow
from workers.letters.replay import Treated, replay
from workers.now import now
from workers.settings import Settings
from workers.streams import Publisher
from workers.world.world import World


class Fault(Exception):
    """Raised by a handler that has a bug."""


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of flows whose upsert fails, after it has changed the world."""
    names = {"poison"}

    def upsert(world: World, data: Any) -> Outcome:
        outcome = upsert_flow(world, data)
        if data.name in names:
            raise Fault(data.name)
        return outcome

    monkeypatch.setitem(table.HANDLERS, "flow.upsert", upsert)
    return names


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, pool_size=12)
    yield engine
    engine.dispose()


@dataclass
class Post:
    """One installation, whose clock and worker do what they are told."""

    workshop: Workshop
    means: Means
    redis: "Redis"

    @property
    def engine(self) -> Engine:
        return self.means.engine

    def bury(self, name: str = "poison", **attributes: Any) -> Envelope:
        """A command that was given up."""
        bad = command("flow.upsert", {"name": name}, **attributes)
        self.workshop.handle(bad)
        for _ in range(self.workshop.max_attempts - 1):
            self.workshop.try_again()
        return bad

    def letters(self) -> list[Letter]:
        """All that wait for a decision."""
        with transaction(self.engine) as connection:
            return dead_letters.read(connection, dead_letters.ids(connection, Criteria()))

    def replay(self, *ids: UUID, out_of_turn: bool = False) -> list[Treated]:
        """All letters, unless some are named."""
        wanted = list(ids) or [letter.id for letter in self.letters()]
        return list(replay(self.engine, wanted, now(), out_of_turn=out_of_turn))

    def tick(self) -> None:
        """A round of the clock, as far as it sends."""
        send_replayed_letters(self.means, now())

    def queued(self) -> list[bytes]:
        """What is on the queue."""
        key = f"{self.means.publisher.namespace}:commands"
        found: Any = self.redis.hmget(f"{key}.msgs", self.redis.lrange(key, 0, -1) or [b""])
        return [body for body in found if body is not None]

    def work(self) -> list[Envelope]:
        """A worker takes all that is on the queue, and tries again what is to be tried again; the results."""
        bodies = self.queued()
        key = f"{self.means.publisher.namespace}:commands"
        self.redis.delete(key, f"{key}.msgs")
        return (self.workshop.handle_bodies(*bodies) if bodies else []) + self.workshop.try_again()


@pytest.fixture
def post(engine: Engine, database_url: str, settings: Settings) -> Iterator[Post]:
    client = command_client(settings.redis_url)
    means = Means(engine, Publisher.over(client, settings), settings, uuid7, lambda: 0.5, Event())
    with Redis.from_url(settings.redis_url) as redis:
        yield Post(Workshop(engine, database_url), means, redis)
    client.close()


Run = Callable[..., Any]
