"""Commands that the database has kept are tried again when their time has come, in every worker.

Deferred ones go in batches, and each worker takes its share. Those that failed, or that may have ended the workers
that had them, go alone, each counted before it is tried: of such commands one worker at a time takes care, so that
the others live on.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from store import attempts
from store.attempts import DIED, ToTry
from store.errors import StoreError
from store.transaction import Connection, Engine, session
from workers.broker.batches import Requeue
from workers.now import monotonic, now
from workers.pipeline.again import NotAsAdmitted, tried_again
from workers.pipeline.attempts import FIRST_S, LONGEST_S
from workers.pipeline.command import Command
from workers.pipeline.handler import CommandHandler
from workers.pipeline.order import Company

log = logging.getLogger(__name__)

_EVERY_S = 0.5
_AFTER_TROUBLE_S = 2.0
AT_ONCE = 200


@dataclass(slots=True)
class Retrier:
    """Two threads of a worker: what is tried alone may take long, and deferred commands do not wait for it.

    `lease`: how long deferred commands are this worker's, until others take it for dead.
    """

    engine: Engine
    handler: CommandHandler
    lease: timedelta
    stopping: threading.Event
    #: one try takes less than that, or its process has ended: see `workers.pipeline.watchdog`
    longest_try_s: float = 120.0
    _threads: list[threading.Thread] = field(init=False)

    def __post_init__(self) -> None:
        tasks = {"retrier": self._deferred, "lone retrier": self._alone}
        self._threads = [
            threading.Thread(target=self._run, args=(task,), name=name, daemon=True)
            for name, task in tasks.items()
        ]

    def start(self) -> None:
        """Begins to look what is due."""
        for each in self._threads:
            each.start()

    def join(self, timeout_s: float) -> None:
        """Waits for what is in hand, after `stopping` was set."""
        give_up_at = monotonic() + timeout_s
        for each in self._threads:
            each.join(max(0.0, give_up_at - monotonic()))

    def round(self) -> int:
        """Tries what is due; answers how many commands that were.

        Raises:
            StoreError: the database is away, or something else that another round may mend.
            Requeue: the worker is to stop.
        """
        with session(self.engine) as connection:
            return self._deferred(connection) + self._alone(connection)

    def _run(self, task: Callable[[Connection], int]) -> None:
        told = False
        while not self.stopping.is_set():
            wait_s = _EVERY_S
            try:
                with session(self.engine) as connection:
                    task(connection)
                told = False
            except Requeue:
                return
            except StoreError as error:
                if not told:
                    log.warning("waiting for the database to try again", extra={"error": str(error)})
                told, wait_s = True, _AFTER_TROUBLE_S
            # Whatever it is about one of them: the others must not wait for ever.
            except Exception:
                log.exception("trying commands again failed; it goes on")
                wait_s = _AFTER_TROUBLE_S
            self.stopping.wait(wait_s)

    def _deferred(self, connection: Connection) -> int:
        done = 0
        while not self.stopping.is_set():
            rows = attempts.claim_deferred(connection, now(), now() + self.lease, AT_ONCE)
            commands = [command for row in rows if (command := _command(row)) is not None]
            if commands:
                self.handler.again(commands, Company.TOGETHER)
            done += len(rows)
            if len(rows) < AT_ONCE:
                break
        return done

    def _alone(self, connection: Connection) -> int:
        if not attempts.any_to_try_alone(connection, now()) or not attempts.become_the_lone_one(
            connection, self.longest_try_s
        ):
            return 0
        done = 0
        try:
            while not self.stopping.is_set():
                row = attempts.claim_one(connection, now(), FIRST_S, LONGEST_S)
                if row is None:
                    break
                self._try(row)
                done += 1
        finally:
            attempts.step_back(connection)
        return done

    def _try(self, row: ToTry) -> None:
        command = _command(row)
        if command is None:
            return
        if row.attempts > self.handler.attempts.most:
            self.handler.give_up(command, row.attempts - 1, DIED)
        else:
            self.handler.again([command], Company.ALONE)


def _command(row: ToTry) -> Command | None:
    """None: another version of this project kept it, which will find it again."""
    try:
        return tried_again(row, now())
    except NotAsAdmitted as unknown:
        log.error("cannot read what was kept", extra={"command": str(row.id), "kept": str(unknown)})
        return None
