"""The command line as it is used: real processes, with and without a terminal."""

import logging
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import format_exception
from typing import Self

from typer.testing import CliRunner

from workers.cli.main import app

PROJECT = Path(__file__).parents[2]
PATIENCE_S = 60.0
INTERLOCK = (sys.executable, "-m", "workers.cli.main")


@dataclass(frozen=True)
class Ended:
    """What a word has left behind."""

    status: int
    out: str
    err: str


class Shell:
    """Runs words with the settings of one installation; no other variable and no .env is seen."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self._folder = folder
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(PROJECT),
            "COLUMNS": "120",
            "TERM": "xterm-256color",
            **{f"INTERLOCK_{name.upper()}": value for name, value in variables.items()},
        }

    def but(self, **variables: str) -> "Shell":
        """The same with some settings changed."""
        changed = Shell(self._folder, **variables)
        changed._env = {**self._env, **changed._env}
        return changed

    def run(self, *words: str, given: str | None = None) -> Ended:
        """One word, to its end. In this process, which spares the time that Python takes to start."""
        with chdir(self._folder), _logging_as_before():
            ended = CliRunner().invoke(app, list(words), input=given or "", env=self._env)
        fault = ended.exception
        crash = "" if fault is None or isinstance(fault, SystemExit) else "".join(format_exception(fault))
        return Ended(ended.exit_code, ended.stdout, ended.stderr + crash)

    def really(self, *words: str) -> Ended:
        """One word, to its end, as a process of its own."""
        return self.pipe(" ".join(("interlock", *words)))

    def pipe(self, line: str) -> Ended:
        """A line of the shell, in which `interlock` is the command."""
        done = subprocess.run(
            ["bash", "-c", f'set -o pipefail; interlock() {{ {" ".join(INTERLOCK)} "$@"; }}; {line}'],
            cwd=self._folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def at_a_terminal(self, *words: str) -> "Terminal":
        """A word in front of somebody."""
        return Terminal(words, self._folder, self._env)


@contextmanager
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A word on a terminal of its own."""

    def __init__(self, words: tuple[str, ...], folder: Path, env: Mapping[str, str]) -> None:
        self._screen, its_side = pty.openpty()
        self.process = subprocess.Popen(
            [*INTERLOCK, *words],
            cwd=folder,
            env={**env, "LINES": "40"},
            stdin=its_side,
            stdout=its_side,
            stderr=its_side,
            start_new_session=True,
            # Tests that were started in the background may have to ignore Ctrl-C; on a terminal nobody does.
            preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - it takes no lock
        )
        os.close(its_side)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._screen)

    def until(self, words: str) -> str:
        """All that was shown until these words."""
        give_up_at = time.monotonic() + PATIENCE_S
        while words not in self.seen:
            assert time.monotonic() < give_up_at, f"{words!r} was not shown, but:\n{self.seen}"
            assert self._read(0.2) or self.process.poll() is None, f"ended without {words!r}:\n{self.seen}"
        return self.seen

    def look(self, seconds: float = 0.1) -> None:
        """Whether there is something new."""
        assert self._read(seconds) or self.process.poll() is None, f"ended:\n{self.seen}"

    def type(self, text: str) -> None:
        """As a person does."""
        os.write(self._screen, text.encode())

    def ctrl_c(self) -> int:
        """Answers the exit status."""
        # The terminal has no session leader here, so the signal that it would send is sent by hand.
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Reads on until the end; answers the exit status."""
        give_up_at = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < give_up_at, f"goes on:\n{self.seen}"
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def _read(self, wait_s: float) -> bool:
        readable, _, _ = select.select([self._screen], [], [], wait_s)
        if not readable:
            return False
        try:
            text = os.read(self._screen, 65_536)
        except OSError:  # nobody holds the other side any more
            return False
        self.seen += text.decode(errors="replace")
        return bool(text)
