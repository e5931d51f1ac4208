"""Workers and relays as processes of their own, that can be killed and started again."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from workers.settings import READY_FD, Settings

PROJECT = Path(__file__).parents[2]
READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 60.0


@dataclass(frozen=True)
class Way:
    """How a process is run: the module, what stands before the command, and what its environment has beside."""

    module: str = "tests.crashes.run_process"
    prefix: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


THE_USUAL_WAY = Way()


class Process:
    """One `worker`, `relay` or `clock`. Its log goes to a file, for who wants to know why a test failed."""

    def __init__(self, role: str, *faults: str, settings: Settings, way: Way = THE_USUAL_WAY) -> None:
        self.role = role
        self._settings, self._way = settings, way
        self._argv = [*way.prefix, sys.executable, "-m", way.module, role, *faults]
        self.log = settings.home / f"{role}-{os.urandom(4).hex()}.log"
        self._ready_pipe: int | None = None
        self.start()

    def start(self) -> None:
        """Starts it; `wait_until_ready` says when it works."""
        self._has_said_so = False
        self._ready_pipe, its_end = os.pipe()
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self._argv,
                cwd=PROJECT,
                env={
                    **os.environ,
                    **environment_of(self._settings),
                    READY_FD: str(its_end),
                    **self._way.environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(its_end,),
                start_new_session=True,
            )
        os.close(its_end)

    @property
    def is_ready(self) -> bool:
        """Whether it has said so, or has ended."""
        if self._ready_pipe is None or self._has_said_so:
            return True
        readable, _, _ = select.select([self._ready_pipe], [], [], 0)
        return bool(readable)

    def wait_until_ready(self) -> Self:
        """Returns when it is at work."""
        if self._has_said_so:
            return self
        assert self._ready_pipe is not None
        readable, _, _ = select.select([self._ready_pipe], [], [], READY_WITHIN_S)
        said = os.read(self._ready_pipe, 64) if readable else b""
        assert said, f"the {self.role} did not become ready:\n{self.text()}"
        self._has_said_so = True
        return self

    def kill(self) -> None:
        """SIGKILL: no last words."""
        self._end(signal.SIGKILL)

    def kill_and_start_again(self) -> None:
        """As a supervisor would, but at once."""
        self.kill()
        self.start()

    def stop(self) -> int:
        """SIGTERM: it finishes what it has in hand; answers the exit status."""
        self._end(signal.SIGTERM)
        return self.popen.returncode

    def wait(self) -> int:
        """The exit status, when it has ended by itself."""
        return self.popen.wait(ENDS_WITHIN_S)

    def text(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(errors="replace")

    def _end(self, number: signal.Signals) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(number)
            self.popen.wait(ENDS_WITHIN_S)
        if self._ready_pipe is not None:
            os.close(self._ready_pipe)
            self._ready_pipe = None


class Fleet:
    """The processes of one test; those still alive at its end are killed."""

    def __init__(self, settings: Settings, way: Way = THE_USUAL_WAY) -> None:
        self.settings, self.way = settings, way
        self.members: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            with contextlib.suppress(ProcessLookupError):
                member.kill()

    def start(self, *roles: str) -> list[Process]:
        """Starts one process for each role (`ROLE` or `ROLE FAULT`), all at once; returns when all are ready."""
        started = [Process(*role.split(" "), settings=self.settings, way=self.way) for role in roles]
        self.members += started
        return [process.wait_until_ready() for process in started]

    def log(self) -> str:
        """The last lines of all logs."""
        return "\n".join(f"--- {each.role}\n{each.text()[-3000:]}" for each in self.members)


def environment_of(settings: Settings) -> Mapping[str, str]:
    """The variables from which a process reads the same settings."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {f"INTERLOCK_{name.upper()}": _as_text(value) for name, value in given.items()}


def _as_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    seconds = getattr(value, "total_seconds", None)
    return str(value) if seconds is None else f"{seconds()}s"


def until(condition: object, within_s: float, *, every_s: float = 0.02, what: str = "") -> None:
    """Returns as soon as the condition holds; AssertionError if it does not in time."""
    assert callable(condition)
    give_up_at = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up_at, f"not within {within_s:g} s: {what or condition}"
        time.sleep(every_s)
