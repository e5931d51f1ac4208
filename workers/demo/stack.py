"""The stack that the demo runs on: both servers, the worker and the relay, in a temporary home.

Without the clock, as whoever replays a recording should: it would mark runs as late and end pauses by the time of
day, where the recording has moved on by minutes in each second. What is waited for in order or with `defer` comes
in order here, so nothing else is left for it to do.

One batch at a time (`WORKER_THREADS` 1): commands are applied in the order in which they are sent, which is the
recorded one. So who gets the last free slot is not left to chance.
"""

import logging
import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from store.migrate import upgrade
from workers.demo.errors import DemoFailed
from workers.embedded import EmbeddedError, EmbeddedServers
from workers.embedded.server import tail
from workers.embedded.up import CLI, READY_SECONDS
from workers.now import monotonic
from workers.settings import PREFIX, READY_FD, Settings, environment_for_child
from workers.supervisor import Program, spawn, stop_hard
from workers.supervisor.readiness import READY_LINE

PROCESSES = ("worker", "relay")
STOP_SECONDS = 15.0
# The signals that end the demo.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Stack:
    """Where the servers are, and the processes that work over them."""

    redis_url: str
    namespace: str
    processes: tuple["Process", ...]
    servers: EmbeddedServers

    def check(self) -> None:
        """Raises DemoFailed if a server or a process has ended."""
        complaint = self.servers.complaint() or next(
            (complaint for each in self.processes if (complaint := each.complaint())), None
        )
        if complaint:
            raise DemoFailed(complaint)


class Process:
    """A worker or a relay, its output in a log file in the home."""

    def __init__(self, name: str, home: Path, env: dict[str, str]) -> None:
        self._name = name
        self._log_path = home / f"{name}.log"
        self._pipe, childs_end = os.pipe()
        try:
            with self._log_path.open("wb") as log_file:
                program = Program(
                    (*CLI, name),
                    environment_for_child({**env, READY_FD: str(childs_end)}),
                    output=log_file.fileno(),
                    pass_fds=(childs_end,),
                )
                self._process = spawn(program, signal.SIGTERM)
        finally:
            os.close(childs_end)

    def wait_until_ready(self) -> None:
        """Raises DemoFailed if it ends before, or takes too long."""
        with os.fdopen(self._pipe, "rb", buffering=0) as pipe:
            give_up_at = monotonic() + READY_SECONDS
            while not _is_readable(pipe.fileno()):
                if monotonic() > give_up_at:
                    raise DemoFailed(f"the {self._name} was not ready within {READY_SECONDS:.0f} s")
            # A process that ends closes its end of the pipe without a word.
            if not pipe.read(64).startswith(READY_LINE):
                self._process.wait()
                raise DemoFailed(self.complaint() or f"the {self._name} has ended")

    def complaint(self) -> str | None:
        """What is wrong with it, if anything."""
        status = self._process.poll()
        if status is None:
            return None
        return f"the {self._name} has ended with status {status}. Its last words:\n{tail(self._log_path)}"

    def begin_to_stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        self.begin_to_stop()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            stop_hard(self._process)


@contextmanager
def running(changes: dict[str, str], home: Path | None, log: logging.Logger) -> Iterator[Stack]:
    """The stack, while entered. `changes` are settings of the processes; all others are the defaults.

    To be entered in the main thread. Without a `home` there is a temporary one, removed at the end unless a server
    or a process failed: then it stays for whoever wants to know why, and the error says where it is.
    """
    place = Path(tempfile.mkdtemp(prefix="interlock-demo-")) if home is None else _empty(home)
    is_kept = home is not None
    try:
        with ExitStack() as cleanup:
            yield _start(place, changes, cleanup, log)
    except (DemoFailed, EmbeddedError) as failure:
        is_kept = True
        raise DemoFailed(f"{failure}\nThe data and the logs are in {place}") from None
    finally:
        if not is_kept:
            shutil.rmtree(place, ignore_errors=True)


def _empty(home: Path) -> Path:
    """The recorded ids can be taken once only, so each demo needs servers without data."""
    if home.exists() and any(home.iterdir()):
        raise DemoFailed(f"{home} is not empty: the demo needs a folder of its own")
    return home


def _start(home: Path, changes: dict[str, str], cleanup: ExitStack, log: logging.Logger) -> Stack:
    # The demo's data may be lost with the machine, so nothing waits for the disk.
    servers = cleanup.enter_context(EmbeddedServers.start(home, log=log, durable=False))
    upgrade(servers.database_url)
    env = _environment(servers, changes)
    processes: list[Process] = []
    for name in PROCESSES:
        processes.append(Process(name, home, env))
        cleanup.callback(processes[-1].stop)
    for process in processes:
        process.wait_until_ready()
    # First of all at the end: both at once, and no second Ctrl-C half way.
    cleanup.callback(_stop_together, processes)
    return Stack(servers.redis_url, env[f"{PREFIX}NAMESPACE"], tuple(processes), servers)


def _stop_together(processes: list[Process]) -> None:
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    for process in processes:
        process.begin_to_stop()


def _environment(servers: EmbeddedServers, changes: dict[str, str]) -> dict[str, str]:
    """Every setting is said, so that none comes from the environment or the .env file of whoever tries this."""
    defaults = {row.name: row.default for row in Settings.table()}
    return {
        **defaults,
        f"{PREFIX}DATABASE_URL": servers.database_url,
        f"{PREFIX}READ_DATABASE_URL": servers.database_url,
        f"{PREFIX}REDIS_URL": servers.redis_url,
        f"{PREFIX}WORKER_THREADS": "1",
        f"{PREFIX}LOG_LEVEL": "WARNING",
        **{f"{PREFIX}{name}": value for name, value in changes.items()},
    }


def _is_readable(pipe: int) -> bool:
    return bool(select.select([pipe], [], [], 0.2)[0])
