"""Points in the life of a batch at which a process can be made to die, stand still or dawdle.

They are put in from outside, into the processes of these tests alone: `install` wraps functions of the program, by
name. A point strikes when a file of its name lies in the folder; whoever passes first takes the file away.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: in the order in which a batch comes by
OF_WORKERS = (
    "after-fetch",
    "after-begin",
    "after-lock",
    "after-state-insert",
    "before-commit",
    "after-commit",
    "after-publish",
    "before-ack",
    "after-ack",
)
BEFORE_COMMIT = OF_WORKERS[:5]
AFTER_COMMIT = OF_WORKERS[5:8]
OF_RELAYS = ("relay-after-read", "relay-before-mark", "relay-after-mark")
OF_CLOCKS = ("clock-before-duty", "clock-after-duty")
#: in the order in which commands come by that the database has kept, and that are tried again
OF_RETRIES = ("retry-claimed", "retry-before-commit", "retry-after-commit")
ALL = (*OF_WORKERS, *OF_RELAYS, *OF_CLOCKS, *OF_RETRIES)


def arm(folder: Path, point: str, action: str = "kill") -> Path:
    """Have the next that comes by `kill`, `stop` (SIGSTOP) or `sleep:SECONDS`; answers the file that says so."""
    assert point in ALL, point
    folder.mkdir(exist_ok=True)
    unfinished, file = folder / f".{point}", folder / point
    unfinished.write_text(action)
    unfinished.rename(file)
    return file


class Points:
    """The points of one process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._batch = threading.local()

    def install(self) -> None:
        """Wraps what the program does; AttributeError if it has no such function any more."""
        from store import attempts, outbox
        from store.pipeline import Pipeline
        from workers.broker.calls import QueueCalls
        from workers.broker.consumer import BatchConsumer
        from workers.pipeline import apply
        from workers.pipeline.handler import CommandHandler
        from workers.processes.clock import Clock
        from workers.streams import Publisher

        self._after(BatchConsumer, "_fetch", "after-fetch")
        self._after(apply, "_claim", "after-begin", always=True)
        self._after(apply, "gather", "after-lock", always=True)
        self._after(apply, "save", "after-state-insert", always=True)
        self._before_commit(Pipeline)
        self._after(attempts, "claim_deferred", "retry-claimed")
        self._during_retries(CommandHandler)
        self._before(CommandHandler, "_publish", "after-commit")
        self._after(Publisher, "replies", "after-publish", always=True)
        self._before(QueueCalls, "ack", "before-ack")
        self._after(QueueCalls, "ack", "after-ack")
        self._after(outbox, "waiting", "relay-after-read")
        self._before(outbox, "mark_published", "relay-before-mark")
        self._after(outbox, "mark_published", "relay-after-mark", always=True)
        self._before(Clock, "_see_to", "clock-before-duty")
        self._after(Clock, "_see_to", "clock-after-duty", always=True)

    def pass_by(self, point: str) -> None:
        """Strikes if the point is armed."""
        taken = self._folder / f"{point}.{os.getpid()}"
        try:
            (self._folder / point).rename(taken)
        except FileNotFoundError:
            return
        action, _, seconds = taken.read_text().partition(":")
        match action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "sleep":
                time.sleep(float(seconds))
            case _:
                raise ValueError(action)

    def _before(self, owner: Any, name: str, point: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def wrapped(*args: Any, **more: Any) -> Any:
            self.pass_by(point)
            return inner(*args, **more)

        setattr(owner, name, wrapped)

    def _after(self, owner: Any, name: str, point: str, *, always: bool = False) -> None:
        """`always`: even if there was nothing to do."""
        inner: Callable[..., Any] = getattr(owner, name)

        def wrapped(*args: Any, **more: Any) -> Any:
            result = inner(*args, **more)
            if always or result:
                self.pass_by(point)
            return result

        setattr(owner, name, wrapped)

    def _during_retries(self, handler: Any) -> None:
        """What is tried again passes the points of other batches, and some that are for it alone."""
        again: Callable[..., Any] = handler.again
        publish: Callable[..., Any] = handler._publish

        def wrapped(*args: Any, **more: Any) -> Any:
            self._batch.is_tried_again = True
            try:
                return again(*args, **more)
            finally:
                self._batch.is_tried_again = False

        def published(*args: Any, **more: Any) -> Any:
            if getattr(self._batch, "is_tried_again", False):
                self.pass_by("retry-after-commit")
            return publish(*args, **more)

        handler.again, handler._publish = wrapped, published

    def _before_commit(self, pipeline: Any) -> None:
        """Between the last statement of a batch and its COMMIT: no other transactions have pipelines."""
        commit: Callable[..., Any] = pipeline.commit

        def wrapped(*args: Any, **more: Any) -> Any:
            self.pass_by("before-commit")
            if getattr(self._batch, "is_tried_again", False):
                self.pass_by("retry-before-commit")
            return commit(*args, **more)

        pipeline.commit = wrapped
