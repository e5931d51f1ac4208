"""Real processes under test: their lines as they come, and an end to each of them."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from workers.now import monotonic

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0


class Running:
    """A python process that runs a module of the tests."""

    def __init__(self, module: str, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.embedded.{module}", *args],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if module != "run_up" else subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._coming: queue.Queue[str] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(stream,))
            for stream in (self.process.stdout, self.process.stderr)
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: object) -> None:
        for line in stream:  # type: ignore[attr-defined]
            self._coming.put(line.rstrip("\n"))

    def line_with(self, words: str) -> str:
        """The next line that holds these words; AssertionError if it does not come."""
        give_up_at = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                line = self._coming.get(timeout=max(give_up_at - monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"no line with {words!r} came after {self.lines}") from None
            self.lines.append(line)
            if words in line:
                return line

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def status(self) -> int:
        """The exit status, when it has ended by itself."""
        status = self.process.wait(timeout=PATIENCE_SECONDS)
        for reader in self._readers:
            reader.join(timeout=PATIENCE_SECONDS)
        while not self._coming.empty():
            self.lines.append(self._coming.get())
        return status

    def family(self) -> list[psutil.Process]:
        """Itself and all that it started, down to the last."""
        itself = psutil.Process(self.process.pid)
        return [itself, *itself.children(recursive=True)]

    def kill_all(self) -> None:
        if self.process.poll() is None:
            for member in self.family():
                with suppress(psutil.NoSuchProcess):  # it may end by itself meanwhile
                    member.kill()
        self.status()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def are_gone(processes: list[psutil.Process], within_seconds: float = 30.0) -> bool:
    give_up_at = monotonic() + within_seconds
    while any(is_alive(process) for process in processes):
        if monotonic() > give_up_at:
            return False
        time.sleep(0.01)
    return True


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
