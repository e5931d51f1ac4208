"""`interlock notify` as a process of its own, that can be stopped and killed."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from workers.settings import PREFIX, READY_FD, Settings

PROJECT = Path(__file__).parents[2]
PATIENCE_S = 60.0


class Process:
    """One process. What it says goes to a file: nothing waits for somebody to read it."""

    def __init__(self, settings: Settings, log: Path, *args: str, **environment: str) -> None:
        self.log = log
        self._ready, its_end = os.pipe()
        own = {
            f"{PREFIX}REDIS_URL": settings.redis_url,
            f"{PREFIX}NAMESPACE": settings.namespace,
            READY_FD: str(its_end),
        }
        with log.open("ab") as file:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "workers.cli.main", "notify", *args],
                cwd=PROJECT,
                env={**os.environ, **own, **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                pass_fds=(its_end,),
            )
        os.close(its_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait(PATIENCE_S)
        os.close(self._ready)

    @property
    def text(self) -> str:
        """What it has said."""
        return self.log.read_text()

    def wait_until_ready(self) -> Self:
        """Returns when it forwards."""
        readable, _, _ = select.select([self._ready], [], [], PATIENCE_S)
        assert readable
        assert os.read(self._ready, 64), self.text
        return self

    def kill(self) -> None:
        """SIGKILL: no last words."""
        self.popen.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self.popen.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """The exit status, when it has ended."""
        return self.popen.wait(PATIENCE_S)
