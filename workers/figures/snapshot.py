"""One snapshot of an installation: asked of both servers, put together, nothing decided.

A server that is away leaves its part empty and says why; the other's part is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import redis

from messages.states import TERMINAL
from messages.streams import connect
from store import diagnosis
from store.engine import Timeouts, open_engine
from store.errors import StoreError
from store.reads import figures as stored
from store.reads.figures import Runs, Use, Waiting
from store.reads.snapshot import for_reading
from store.transaction import Connection, Engine, transaction
from workers.figures import queues, reports
from workers.figures.queues import Consumers, QueueFigures
from workers.figures.reports import Recent
from workers.now import now
from workers.settings import Settings

#: over how many seconds commands and round trips are counted
WINDOW_S = 60
_STATEMENT_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFigures:
    """What Redis tells. `skew_s`: how far its clock is ahead of this machine's."""

    queues: Sequence[QueueFigures]
    consumers: Consumers
    recent: Recent
    skew_s: float

    def queue(self, name: str) -> QueueFigures:
        """The queue of this name."""
        return next(each for each in self.queues if each.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFigures:
    """What PostgreSQL tells. `relay_is_active` and `clock_is_active`: None where a replica was asked."""

    runs: Runs
    waiting: dict[str, Waiting]
    limits: Sequence[Use]
    limits_in_all: int
    relay_is_active: bool | None
    clock_is_active: bool | None
    skew_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A moment of an installation. Where a part is None, its `trouble` says why."""

    at: datetime
    redis: RedisFigures | None
    database: DatabaseFigures | None
    redis_trouble: str | None = None
    database_trouble: str | None = None

    @property
    def unfinished_runs(self) -> int:
        """Flow runs that have begun or are to begin, and have not ended."""
        if self.database is None:
            return 0
        return sum(count for state, count in self.database.runs.by_state.items() if state not in TERMINAL)

    def age_of(self, moment: datetime | None) -> float | None:
        """Seconds since then, by the database's clock."""
        if moment is None or self.database is None:
            return None
        return max(0.0, (self.at - moment).total_seconds() + self.database.skew_s)


class Source:
    """Takes snapshots, on connections of its own: one to PostgreSQL (the replica, if there is one), few to Redis."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        timeouts = Timeouts(statement_ms=_STATEMENT_MS, lock_ms=1_000, connect_s=3)
        url = settings.read_database_url or settings.database_url
        self._engine: Engine = for_reading(
            open_engine(url, pool_size=1, timeouts=timeouts, application="interlock figures")
        )
        self._client = connect(settings.redis_url)

    def look(self) -> Figures:
        """The figures as they are now; one call at a time."""
        redis_part, redis_trouble = self._of_redis()
        database_part, database_trouble = self._of_database()
        return Figures(
            at=now(),
            redis=redis_part,
            database=database_part,
            redis_trouble=redis_trouble,
            database_trouble=database_trouble,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()
        self._client.close()

    def _of_redis(self) -> tuple[RedisFigures | None, str | None]:
        namespace = self._settings.namespace
        try:
            return RedisFigures(
                queues=queues.queues(self._client, namespace),
                consumers=queues.consumers(
                    self._client, namespace, self._settings.heartbeat_timeout.total_seconds()
                ),
                recent=reports.recent(self._client, namespace, WINDOW_S),
                skew_s=self._redis_skew(),
            ), None
        except (redis.RedisError, OSError) as error:
            return None, _sentence(error)

    def _redis_skew(self) -> float:
        before = now().timestamp()
        there = queues.server_time(self._client)
        return there - (before + now().timestamp()) / 2

    def _of_database(self) -> tuple[DatabaseFigures | None, str | None]:
        try:
            with transaction(self._engine) as connection:
                return _database_figures(connection), None
        except StoreError as error:
            return None, _sentence(error)


def _database_figures(connection: Connection) -> DatabaseFigures:
    before = now()
    there = diagnosis.time(connection)
    skew = there - (before + (now() - before) / 2)
    uses, limits_in_all = stored.limits(connection)
    processes = None if diagnosis.server(connection).is_a_replica else diagnosis.processes(connection)
    return DatabaseFigures(
        runs=stored.runs(connection),
        waiting=stored.waiting(connection),
        limits=uses,
        limits_in_all=limits_in_all,
        relay_is_active=None if processes is None else processes.relay_is_active,
        clock_is_active=None if processes is None else processes.clock_is_active,
        skew_s=skew.total_seconds(),
    )


def _sentence(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
