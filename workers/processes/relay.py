"""The relay: publishes what the outbox holds, in its order. Any number may run; one is active.

The active one holds an advisory lock on the connection with which it also reads and marks: if that connection is
lost, so is the lock, and nothing can be marked any more. What was published but not marked is published again,
under the same ids. One that stands still asks nothing, and PostgreSQL ends its session after a while, so that another
can take over: see `docs/decisions/0027-who-stands-still-loses-the-lock.md`.
"""

import logging
from datetime import timedelta
from threading import Event

import redis

from store import outbox
from store.engine import Timeouts, open_engine
from store.errors import StoreError
from store.migrate import require_current
from store.transaction import Connection, Engine, session
from workers.broker.connections import command_client
from workers.health.pulse import Pulse
from workers.health.server import healthy
from workers.now import monotonic, now
from workers.pipeline.envelopes import replayed
from workers.processes.stopping import until_stopped, work_until
from workers.processes.timekeeping import by_the_clock_of
from workers.settings import Settings
from workers.skew import watched
from workers.streams import Publisher
from workers.supervisor import tell_ready

log = logging.getLogger(__name__)

# Transactions whose events are read together: as many as have about so many events.
_AT_FIRST, _AT_ONCE, _EVENTS_AT_ONCE = 16, 500, 5_000
_STANDBY_S = 1.0
_WAIT_S = 1.0
_SWEEP_EVERY_S = 5.0
_RESULTS_LEAVE_WITHIN_S = 5.0
# It asks the database once a second; Redis may make it wait for an answer in between.
_SHORTEST_SILENCE_S = 4.0


def run(settings: Settings) -> int:
    """Relays until SIGTERM or SIGINT; answers the exit code."""
    statement_ms = int(settings.statement_timeout.total_seconds() * 1000)
    silence_ms = int(max(settings.heartbeat_timeout.total_seconds(), _SHORTEST_SILENCE_S) * 1000)
    # The lock belongs to the connection: there is one to relay with, and another to ask what time it is.
    engine, asking = (
        open_engine(settings.database_url, pool_size=1, timeouts=timeouts, application="interlock relay")
        for timeouts in (
            Timeouts(statement_ms=statement_ms, idle_session_ms=silence_ms),
            Timeouts(statement_ms=statement_ms),
        )
    )
    require_current(engine)
    client = command_client(settings.redis_url)
    pulse = Pulse()
    with (
        until_stopped() as stopped,
        watched(settings),
        by_the_clock_of(asking),
        healthy(settings, "relay", pulse),
    ):
        tell_ready()
        relay = Relay(engine, client, Publisher.over(client, settings), stopped, pulse)
        work_until(stopped, relay.run, settings.shutdown_timeout)
    engine.dispose()
    asking.dispose()
    client.close()
    return 0


class Relay:
    """Publishes until it is stopped; waits out the trouble of both servers."""

    def __init__(
        self, engine: Engine, client: redis.Redis, publisher: Publisher, stopped: Event, pulse: Pulse
    ) -> None:
        self._pulse = pulse
        self._engine, self._client, self._publisher, self._stopped = engine, client, publisher, stopped
        self._swept = 0.0
        self._at_once = _AT_FIRST

    def run(self) -> None:
        """Returns when it is stopped."""
        told = False
        while not self._stopped.is_set():
            try:
                with session(self._engine) as connection:
                    told = False
                    self._stand_by(connection)
                    self._relay(connection)
            except (StoreError, redis.RedisError, OSError) as error:
                if not told:
                    log.warning("waiting for the servers", extra={"error": str(error)})
                    told = True
                self._pulse.beat()
                self._stopped.wait(_STANDBY_S)

    def _stand_by(self, connection: Connection) -> None:
        while not self._stopped.is_set() and not outbox.become_the_relay(connection):
            self._pulse.beat()
            self._stopped.wait(_STANDBY_S)

    def _relay(self, connection: Connection) -> None:
        log.info("relaying")
        with self._client.pubsub(ignore_subscribe_messages=True) as bell:  # type: ignore[no-untyped-call]
            bell.subscribe(self._publisher.relay_channel)
            while not self._stopped.is_set():
                self._pulse.beat()
                more = self._publish_waiting(connection)
                self._sweep_results(connection)
                if not more:
                    self._wait_for_the_bell(bell)

    def _publish_waiting(self, connection: Connection) -> bool:
        """Answers whether more may wait."""
        waiting = outbox.waiting(connection, self._at_once)
        if waiting:
            self._publisher.events((stream, text) for row in waiting for stream, text in row.entries)
            outbox.mark_published(connection, [row.id for row in waiting], now())
        is_full = len(waiting) == self._at_once
        # A transaction may have one event or thousands: memory is bounded by what the last ones had.
        events = sum(len(row.entries) for row in waiting)
        self._at_once = (
            min(_AT_ONCE, 2 * self._at_once) if events < _EVENTS_AT_ONCE else max(1, self._at_once // 2)
        )
        return is_full

    def _sweep_results(self, connection: Connection) -> None:
        """Results whose worker died between its commit and their publication."""
        if monotonic() - self._swept < _SWEEP_EVERY_S:
            return
        self._swept = monotonic()
        before = now() - timedelta(seconds=_RESULTS_LEAVE_WITHIN_S)
        notes = outbox.old_results(connection, before, _AT_ONCE)
        if notes:
            results = outbox.results_of(connection, notes)
            self._publisher.replies((replyto, replayed(text)) for replyto, text in results)
            outbox.forget_results(connection, notes)
            log.info("published results that a worker had left", extra={"results": len(results)})

    def _wait_for_the_bell(self, bell: redis.client.PubSub) -> None:
        """Until something new is in the outbox, or a second has passed. All that rang meanwhile rang once."""
        if bell.get_message(timeout=_WAIT_S) is not None:
            while bell.get_message(timeout=0) is not None:
                pass
