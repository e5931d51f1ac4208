"""The worker: consumes commands and queries. Commands and queries have brokers, threads and connections of
their own, so that neither waits for the other."""

import logging
import random
from contextlib import AbstractContextManager
from threading import Event, Thread

from messages.ids import uuid7
from messages.registry import COMMANDS, COMMANDS_QUEUE, QUERIES, QUERIES_QUEUE
from store.engine import Plans, Timeouts, open_engine
from store.migrate import require_current
from store.reads.snapshot import for_reading
from store.transaction import Engine
from workers.broker.batches import Handler, declare_batch_actor
from workers.broker.connections import command_client
from workers.broker.redis_broker import InterlockBroker
from workers.broker.run import QueueRunner
from workers.figures.reports import Reporter
from workers.figures.tally import Tally
from workers.health.pulse import Pulse
from workers.health.server import healthy
from workers.now import monotonic, now
from workers.pipeline.admit import Limits
from workers.pipeline.apply import Applier
from workers.pipeline.attempts import Attempts
from workers.pipeline.handler import CommandHandler
from workers.pipeline.notes import Notes
from workers.pipeline.retrier import Retrier
from workers.pipeline.watchdog import Watchdog
from workers.policies.composing import PolicyError
from workers.policies.loading import load_policies
from workers.processes import memory
from workers.processes.guarding import guard_of
from workers.processes.stopping import seconds_to_finish, until_stopped, wait_for, work_until
from workers.processes.timekeeping import by_the_clock_of
from workers.queries.handler import QueryHandler
from workers.settings import Settings
from workers.skew import watched
from workers.streams import Publisher
from workers.supervisor import tell_ready
from workers.world.world import Waits, World

log = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Works until SIGTERM or SIGINT, then finishes what is in hand; answers the exit code.

    A rule of a user's that cannot be loaded keeps it from starting: see `workers.policies.loading`.
    """
    try:
        worker = CommandAndQueryWorker(settings)
    except PolicyError as fault:
        log.error(str(fault))
        return 1
    memory.settle()
    with (
        until_stopped() as stopped,
        worker.on_time(),
        watched(settings),
        healthy(settings, "worker", worker.pulse, worker.tally),
    ):
        worker.start()
        tell_ready()
        wait_for(stopped)
        work_until(stopped, worker.stop, settings.shutdown_timeout)
    return 0


class CommandAndQueryWorker:
    """One process's share of the work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run_policies = load_policies()
        self._guard = guard_of(settings)
        self._stopping = Event()
        self._engine = _engine(settings, settings.worker_threads + 6, "worker")
        self._read_engine, self._primary = _engines_of_queries(settings)
        require_current(self._engine)
        self._client = command_client(settings.redis_url)
        self._publisher = Publisher.over(self._client, settings)
        self._notes = Notes(self._engine)
        self.tally, self.pulse = Tally(), Pulse()
        self._reporter = Reporter(self.tally, self._client, settings.namespace)
        self._watchdog = Watchdog(settings.statement_timeout.total_seconds())
        commands = self._command_handler()
        # One who is only slow may be taken for dead: then two try the same, and the inbox knows who was first.
        self._retrier = Retrier(
            self._engine,
            commands,
            settings.heartbeat_timeout,
            self._stopping,
            longest_try_s=4 * settings.statement_timeout.total_seconds(),
        )
        self._runners = [
            self._runner(COMMANDS_QUEUE, commands, settings.worker_threads, settings.batch_size),
            # One by one: no query waits behind a slow one while a thread is idle, here or in another process.
            self._runner(QUERIES_QUEUE, self._query_handler(), settings.query_threads, 1),
        ]

    def on_time(self) -> AbstractContextManager[None]:
        """While entered, it lives by the database's clock."""
        return by_the_clock_of(self._engine)

    def start(self) -> None:
        """Begins to fetch."""
        self._notes.start()
        self._reporter.start()
        self._watchdog.start()
        self._retrier.start()
        for runner in self._runners:
            runner.start()

    def stop(self) -> None:
        """Stops fetching, finishes what is in hand, and closes everything."""
        # A batch that is not done by then goes back to its queue, which takes a moment as well.
        give_up_at = monotonic() + seconds_to_finish(self._settings.shutdown_timeout) - 1
        self._stopping.set()
        # All at once: if Redis does not answer, each waits for it.
        ends = [
            Thread(target=runner.stop, args=(max(0.5, give_up_at - monotonic()),), daemon=True)
            for runner in self._runners
        ]
        for end in ends:
            end.start()
        for end in ends:
            end.join()
        self._retrier.join(max(0.1, give_up_at - monotonic()))
        self._watchdog.close()
        self._notes.close()
        self._reporter.close()
        self._client.close()
        self._engine.dispose()
        self._read_engine.dispose()
        if self._primary is not None:
            self._primary.dispose()

    def _runner(self, queue: str, handler: Handler, threads: int, batch_size: int) -> QueueRunner:
        settings = self._settings
        broker = InterlockBroker(
            url=settings.redis_url,
            namespace=settings.namespace,
            batch_size=batch_size,
            heartbeat_timeout_ms=int(settings.heartbeat_timeout.total_seconds() * 1000),
            beat=self.pulse.beat,
        )
        declare_batch_actor(broker, queue, handler)
        return QueueRunner(broker, queue, threads=threads)

    def _limits(self) -> Limits:
        return Limits(
            max_bytes=self._settings.max_message_bytes,
            max_depth=self._settings.max_depth,
            guard=self._guard,
        )

    def _command_handler(self) -> CommandHandler:
        settings = self._settings
        waits = Waits(
            deployment_s=settings.deployment_concurrency_wait.total_seconds(),
            tag_s=round(settings.task_tag_wait.total_seconds()),
        )
        applier = Applier(
            self._engine,
            lambda: World(
                clock=now, new_id=uuid7, dice=random.random, waits=waits, run_policies=self._run_policies
            ),
            watch=self._watchdog,
        )
        return CommandHandler(
            applier=applier,
            attempts=Attempts(self._engine, applier, settings.max_attempts),
            publisher=self._publisher,
            notes=self._notes,
            types=COMMANDS,
            limits=self._limits(),
            stopping=self._stopping,
            tally=self.tally,
        )

    def _query_handler(self) -> QueryHandler:
        return QueryHandler(
            engine=self._read_engine,
            publisher=self._publisher,
            types=QUERIES,
            limits=self._limits(),
            settings=self._settings,
            stopping=self._stopping,
            primary=self._primary,
        )


def _engines_of_queries(settings: Settings) -> tuple[Engine, Engine | None]:
    """The one that is asked first; and the database itself, if that is a replica. Connections are made when used."""
    primary = for_reading(_engine(settings, settings.query_threads, "queries"))
    if settings.read_database_url is None:
        return primary, None
    replica = _engine(settings, settings.query_threads, "queries", settings.read_database_url)
    return for_reading(replica), primary


def _engine(settings: Settings, pool_size: int, role: str, url: str | None = None) -> Engine:
    queries = role == "queries"
    statement = settings.query_timeout if queries else settings.statement_timeout
    timeouts = Timeouts(
        statement_ms=int(statement.total_seconds() * 1000),
        # Whatever a query waits for, it is over when its time is: it need not be tried again to find that out.
        lock_ms=0 if queries else int(settings.lock_timeout.total_seconds() * 1000),
    )
    return open_engine(
        url or settings.database_url,
        pool_size=pool_size,
        timeouts=timeouts,
        application=f"interlock {role}",
        plans=Plans.FOR_QUESTIONS if queries else Plans.BY_INDEX,
    )
