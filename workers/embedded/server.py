"""One server process: started with its output in a log file, waited for, and stopped."""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.errors import EmbeddedError
from workers.now import monotonic
from workers.supervisor.lifeline import Program, spawn, stop_hard

# Long, because a server that was killed first reads its journal; the process is watched meanwhile.
START_SECONDS = 120.0
STOP_SECONDS = 20.0
LARGEST_LOG_BYTES = 10_000_000
_TAIL_LINES = 12


@dataclass(frozen=True)
class Launch:
    """How to run one server."""

    title: str
    url: str
    argv: tuple[str, ...]
    log_path: Path
    # Ends the server quickly and cleanly, without waiting for its clients.
    stop_signal: signal.Signals
    # What the server inherits to keep the home taken while it lives.
    lock_fd: int
    answers: Callable[[], bool]
    user: str | None = None


class Server:
    """A server that runs."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._log_start, self._process = _start(launch)

    @property
    def url(self) -> str:
        return self._launch.url

    def wait_until_it_answers(self) -> None:
        give_up_at = monotonic() + START_SECONDS
        while not self._launch.answers():
            if self._process.poll() is not None:
                raise EmbeddedError(self._complaint("did not start"))
            if monotonic() > give_up_at:
                raise EmbeddedError(self._complaint(f"did not answer within {START_SECONDS:.0f} s"))
            time.sleep(0.01)

    def complaint(self) -> str | None:
        """What is wrong with it, if anything."""
        return self._complaint("has ended by itself") if self._process.poll() is not None else None

    def begin_to_stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(self._launch.stop_signal)

    def stop(self) -> None:
        self.begin_to_stop()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            stop_hard(self._process)

    def _complaint(self, what: str) -> str:
        title, log_path = self._launch.title, self._launch.log_path
        return (
            f"{title} {what}. Its last words, from {log_path}:\n{tail(log_path, self._log_start)}\n"
            "Correct what it complains about and start again. If its data are damaged, restore a backup, or "
            f"move {log_path.with_suffix('')} away to begin with none."
        )


def tail(log_path: Path, start: int = 0) -> str:
    """The last lines of a log file, from the byte `start` on, each indented."""
    try:
        lines = log_path.read_bytes()[start:].decode(errors="replace").splitlines()
    except OSError:
        lines = []
    return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:]) or "  (nothing)"


def _start(launch: Launch) -> tuple[int, subprocess.Popen[bytes]]:
    try:
        _rotate(launch.log_path)
        with launch.log_path.open("ab") as log_file:
            program = Program(
                launch.argv, user=launch.user, output=log_file.fileno(), pass_fds=(launch.lock_fd,)
            )
            return log_file.tell(), spawn(program, launch.stop_signal)
    except OSError as fault:
        raise EmbeddedError(
            f"{launch.title} cannot be started: {fault}. Is {launch.argv[0]} executable?"
        ) from None


def _rotate(log_path: Path) -> None:
    if log_path.exists() and log_path.stat().st_size > LARGEST_LOG_BYTES:
        log_path.replace(log_path.with_suffix(".log.old"))
