"""Keep a set of child processes running until a signal comes; then end them cleanly."""

import logging
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workers.now import monotonic
from workers.settings import READY_FD, environment_for_child
from workers.supervisor.lifeline import Program, spawn, stop_hard
from workers.supervisor.readiness import READY_LINE
from workers.supervisor.signals import SignalPipe

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 60.0
HURRY_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Child:
    """A process to keep running. It calls `tell_ready()` when it is at work."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """How long to wait for what, in seconds."""

    ready: float = 30.0
    shutdown: float = 30.0


class _Running:
    """A child and what has happened to it so far."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.pipe: int | None = None
        self.ready_once = False
        self.started_at = 0.0
        self.crashes = 0
        self.start_at: float | None = None

    def start(self) -> None:
        self.close_pipe()
        self.pipe, childs_end = os.pipe()
        env = environment_for_child({**self.child.env, READY_FD: str(childs_end)})
        program = Program(self.child.argv, env, pass_fds=(childs_end,))
        try:
            self.process = spawn(program, signal.SIGTERM)
        finally:
            os.close(childs_end)
        self.started_at, self.start_at = monotonic(), None

    def close_pipe(self) -> None:
        if self.pipe is not None:
            os.close(self.pipe)
            self.pipe = None

    def delay_after_crash(self) -> float:
        if monotonic() - self.started_at > HEALTHY_AFTER_SECONDS:
            self.crashes = 0
        self.crashes += 1
        return min(FIRST_DELAY_SECONDS * 2.0 ** (self.crashes - 1), LONGEST_DELAY_SECONDS)


class Supervisor:
    """Runs children; `run()` returns the exit status when the last one has ended.

    A child that ends before it was ever ready (wrong settings, wrong schema) ends the whole with its own
    status; one that was ready is started again, however it ended.
    """

    def __init__(
        self,
        children: Sequence[Child],
        limits: Limits,
        complaint: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`complaint` is asked now and then; a text ends the whole with status 1 (a server is gone)."""
        self._running = [_Running(child) for child in children]
        self._limits = limits
        self._complaint = complaint
        self._selector = selectors.DefaultSelector()
        self._status = 0
        self._told_ready = False
        self._stop_by: float | None = None
        self._ready_by = 0.0

    def run(self, on_ready: Callable[[], None] = lambda: None) -> int:
        """Start all, tell when all are ready, go on until SIGTERM or SIGINT; a second one = hurry."""
        with SignalPipe((signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)) as signals, self._selector:
            self._selector.register(signals, selectors.EVENT_READ)
            self._ready_by = monotonic() + self._limits.ready
            for running in self._running:
                self._start(running)
            try:
                while not self._is_over():
                    self._turn(signals, on_ready)
            finally:
                for running in self._running:
                    self._forget(running)
        return self._status

    def _turn(self, signals: SignalPipe, on_ready: Callable[[], None]) -> None:
        self._start_again()
        self._watch_the_clock()
        if not self._told_ready and self._stop_by is None and all(r.ready_once for r in self._running):
            self._told_ready = True
            on_ready()
        for key, _ in self._selector.select(timeout=0.2 if self._waits() else 1.0):
            if isinstance(key.data, _Running):
                self._hear(key.data)
        for number in signals.received():
            if number != signal.SIGCHLD:
                self._stop(hurry=self._stop_by is not None)
        self._reap()

    def _waits(self) -> bool:
        return self._stop_by is not None or any(running.start_at is not None for running in self._running)

    def _is_over(self) -> bool:
        return self._stop_by is not None and all(running.process is None for running in self._running)

    def _start(self, running: _Running) -> None:
        running.start()
        assert running.pipe is not None
        self._selector.register(running.pipe, selectors.EVENT_READ, running)

    def _hear(self, running: _Running) -> None:
        assert running.pipe is not None
        running.ready_once |= os.read(running.pipe, 64).startswith(READY_LINE)
        self._stop_hearing(running)

    def _stop_hearing(self, running: _Running) -> None:
        if running.pipe is not None:
            self._selector.unregister(running.pipe)
            running.close_pipe()

    def _reap(self) -> None:
        for running in self._running:
            if running.process is None or (status := running.process.poll()) is None:
                continue
            if running.pipe is not None:
                self._hear_last_word(running)
            running.process = None
            if self._stop_by is None:
                self._ended_by_itself(running, status)

    def _hear_last_word(self, running: _Running) -> None:
        # It may have said "ready" and crashed before this process looked.
        assert running.pipe is not None
        os.set_blocking(running.pipe, False)
        try:
            self._hear(running)
        except BlockingIOError:  # a grandchild holds the pipe open
            self._stop_hearing(running)

    def _ended_by_itself(self, running: _Running, status: int) -> None:
        name = running.child.name
        if not running.ready_once:
            self._give_up(
                f"{name} ended with status {status} before it was ready", status if status > 0 else 1
            )
            return
        delay = running.delay_after_crash()
        running.start_at = monotonic() + delay
        log.warning("%s ended with status %d, starting it again in %.1f s", name, status, delay)

    def _start_again(self) -> None:
        for running in self._running:
            due = running.start_at is not None and running.start_at <= monotonic()
            if due and self._stop_by is None:
                self._start(running)

    def _watch_the_clock(self) -> None:
        if self._stop_by is not None:
            if monotonic() > self._stop_by:
                self._kill_the_rest()
            return
        if (complaint := self._complaint()) is not None:
            self._give_up(complaint, 1)
        elif not self._told_ready and monotonic() > self._ready_by:
            late = ", ".join(r.child.name for r in self._running if not r.ready_once)
            if late:
                self._give_up(f"not ready within {self._limits.ready:g} s: {late}", 1)

    def _give_up(self, reason: str, status: int) -> None:
        if self._stop_by is None:
            log.error("stopping: %s", reason)
            self._status = status
            self._stop(hurry=False)

    def _stop(self, *, hurry: bool) -> None:
        """Pass the signal on: SIGTERM first, SIGINT to hurry."""
        allowed = HURRY_SECONDS if hurry else self._limits.shutdown
        self._stop_by = min(self._stop_by or float("inf"), monotonic() + allowed)
        for running in self._running:
            running.start_at = None
            if running.process is not None:
                running.process.send_signal(signal.SIGINT if hurry else signal.SIGTERM)

    def _kill_the_rest(self) -> None:
        for running in self._running:
            if running.process is not None:
                log.error("%s has not ended in time, killing it", running.child.name)
                stop_hard(running.process)
                self._status = self._status or 1

    def _forget(self, running: _Running) -> None:
        if running.process is not None:
            stop_hard(running.process)
        self._stop_hearing(running)
