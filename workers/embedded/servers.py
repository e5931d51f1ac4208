"""PostgreSQL and Valkey over one home folder, started and stopped together."""

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from workers.embedded.errors import EmbeddedError
from workers.embedded.home import Home
from workers.embedded.postgres import postgres
from workers.embedded.server import Server
from workers.embedded.valkey import valkey


class EmbeddedServers:
    """Both servers, running. They end with this process, however it ends."""

    def __init__(self, database: Server, redis: Server, cleanup: ExitStack) -> None:
        self._database = database
        self._redis = redis
        self._cleanup = cleanup

    @classmethod
    def start(cls, home: Path, *, log: logging.Logger, durable: bool = True) -> Self:
        """Start both over the data in `home`; EmbeddedError says what to do if they cannot run.

        `durable=False` is for tests. To be called in the main thread.
        """
        try:
            return cls._start(home, log, durable)
        except OSError as fault:
            raise EmbeddedError(
                f"Cannot write to {home} ({fault.strerror}: {fault.filename}). Make it writable, or name "
                "another folder with INTERLOCK_HOME."
            ) from None

    @classmethod
    def _start(cls, home: Path, log: logging.Logger, durable: bool) -> Self:
        with ExitStack() as cleanup:
            place = Home.occupy(home)
            cleanup.callback(place.release)
            redis = Server(valkey(place, durable=durable))
            cleanup.callback(redis.stop)
            database = Server(postgres(place, durable=durable))
            cleanup.callback(database.stop)
            redis.wait_until_it_answers()
            database.wait_until_it_answers()
            log.info("PostgreSQL and Valkey are up, data in %s", place.path)
            return cls(database, redis, cleanup.pop_all())

    @property
    def database_url(self) -> str:
        return self._database.url

    @property
    def redis_url(self) -> str:
        return self._redis.url

    def complaint(self) -> str | None:
        """What is wrong with one of them, if anything."""
        return self._database.complaint() or self._redis.complaint()

    def stop(self) -> None:
        """Stop both cleanly, within seconds. Stopping twice does no harm."""
        self._redis.begin_to_stop()
        self._database.begin_to_stop()
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
