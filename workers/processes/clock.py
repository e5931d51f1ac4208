"""The clock: sees to what time alone makes due. Any number may run; one is active.

The active one holds an advisory lock on a connection of its own, and PostgreSQL ends that session if nothing is heard
from it for a while. Two may be active for a moment then, which does no harm: every duty looks again, under locks, at
what it has found.
"""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import redis

from messages.ids import uuid7
from store.duties import assure, become_the_clock
from store.engine import Timeouts, open_engine
from store.errors import Raced, StoreError, StoreUnavailable
from store.migrate import require_current
from store.transaction import Connection, Engine, session
from workers.broker.connections import command_client
from workers.clock.duties import DUTIES, Entry
from workers.clock.duty import Means
from workers.health.pulse import Pulse
from workers.health.server import healthy
from workers.now import monotonic, now
from workers.processes.stopping import until_stopped, work_until
from workers.processes.timekeeping import by_the_clock_of
from workers.settings import Settings
from workers.skew import watched
from workers.streams import Publisher
from workers.supervisor import tell_ready

log = logging.getLogger(__name__)

_STANDBY_S = 1.0


def run(settings: Settings) -> int:
    """Sees to its duties until SIGTERM or SIGINT; answers the exit code."""
    timeouts = Timeouts(
        statement_ms=int(settings.statement_timeout.total_seconds() * 1000),
        lock_ms=int(settings.lock_timeout.total_seconds() * 1000),
    )
    silence = settings.heartbeat_timeout + settings.clock_interval
    # One connection for the lock alone, one for the duties, which come one after the other.
    lock, engine = (
        open_engine(settings.database_url, pool_size=1, timeouts=each, application="interlock clock")
        for each in (replace(timeouts, idle_session_ms=int(silence.total_seconds() * 1000)), timeouts)
    )
    require_current(engine)
    client = command_client(settings.redis_url)
    pulse = Pulse()
    with (
        until_stopped() as stopped,
        watched(settings),
        by_the_clock_of(engine),
        healthy(settings, "clock", pulse),
    ):
        tell_ready()
        publisher = Publisher.over(client, settings)
        clock = Clock(lock, Means(engine, publisher, settings, uuid7, random.random, stopped), pulse=pulse)
        work_until(stopped, clock.run, settings.shutdown_timeout)
    lock.dispose()
    engine.dispose()
    client.close()
    return 0


class Clock:
    """Goes round until it is stopped; waits out the trouble of both servers."""

    def __init__(
        self,
        lock: Engine,
        means: Means,
        duties: Sequence[Entry] = DUTIES,
        time: Callable[[], datetime] = now,
        pulse: Pulse | None = None,
    ) -> None:
        self._lock, self._means, self._duties, self._time = lock, means, duties, time
        self._stopped = means.stopped
        self._rounds = 0
        self._pulse = pulse or Pulse()
        self._told = False

    def run(self) -> None:
        """Returns when it is stopped."""
        while not self._stopped.is_set():
            try:
                with session(self._lock) as connection:
                    self._stand_by(connection)
                    self._go_round(connection)
            except StoreError as error:
                self._in_trouble(error)
                self._pulse.beat()
                self._stopped.wait(_STANDBY_S)

    def _stand_by(self, connection: Connection) -> None:
        while not self._stopped.is_set() and not become_the_clock(connection):
            self._pulse.beat()
            self._stopped.wait(_STANDBY_S)

    def _go_round(self, connection: Connection) -> None:
        log.info("the clock runs")
        interval = self._means.settings.clock_interval.total_seconds()
        while not self._stopped.is_set():
            began = monotonic()
            self.round(connection)
            self._pulse.beat()
            self._stopped.wait(max(0.0, began + interval - monotonic()))

    def round(self, connection: Connection) -> None:
        """Sees to each duty whose turn it is; one that fails does not keep the others from theirs.

        Raises:
            StoreError: the connection that holds the lock is lost.
        """
        well = True
        for entry in self._duties:
            if self._rounds % entry.every == 0 and not self._stopped.is_set():
                self._pulse.beat()
                assure(connection)
                well &= self._see_to(entry, connection)
        self._rounds += 1
        if well and self._told:
            log.warning("the servers are back")
            self._told = False

    def _see_to(self, entry: Entry, connection: Connection) -> bool:
        try:
            number = entry.duty(self._means, self._time())
            if number:
                log.info(entry.name, extra={"done": number})
            if number and entry.tells:
                self._means.publisher.replies((), wake_relay=True)
        except (StoreUnavailable, redis.RedisError, OSError) as error:
            # Where it is the database that is away, and not just a row that was locked for long, the round ends.
            assure(connection)
            self._in_trouble(error, entry.name)
            return False
        except Raced as error:
            log.info(
                "commands were first, the next round sees to it",
                extra={"duty": entry.name, "error": str(error)},
            )
        # One duty that fails must not keep the others from theirs.
        except Exception:
            log.exception("a duty failed, the others go on", extra={"duty": entry.name})
        return True

    def _in_trouble(self, error: Exception, duty: str = "all") -> None:
        if not self._told:
            log.warning("waiting for the servers", extra={"duty": duty, "error": str(error)})
            self._told = True
