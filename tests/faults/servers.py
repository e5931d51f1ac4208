"""PostgreSQL and Valkey of one stage, that can be killed, filled up, restarted and misconfigured.

As durable as in production (COMMIT waits for the log, append-only file), over a folder in memory where there is
one: what a process leaves when it is killed is there; what a machine leaves is not tried here.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import psycopg
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from store.migrate import upgrade
from tests.servers import alone
from workers.embedded.home import Home
from workers.embedded.postgres import postgres
from workers.embedded.server import Launch, tail
from workers.embedded.valkey import valkey
from workers.supervisor.lifeline import Program, spawn, stop_hard

STARTS_WITHIN_S = 60.0
# Left over from one that was killed, its processes take a moment to notice.
_TRY_AGAIN_S = 0.1


class Server:
    """One of the two."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.launch.url

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Returns when it answers."""
        give_up_at = time.monotonic() + STARTS_WITHIN_S
        self.begin()
        while not self.answers():
            assert time.monotonic() < give_up_at, tail(self.launch.log_path)
            if not self.is_up:
                time.sleep(_TRY_AGAIN_S)
                self.begin()
            time.sleep(0.01)

    def begin(self) -> None:
        """Starts it, whatever comes of it."""
        with self.launch.log_path.open("ab") as log:
            program = Program(
                self.launch.argv,
                user=self.launch.user,
                output=log.fileno(),
                pass_fds=(self.launch.lock_fd,),
            )
            self.process = spawn(program, self.launch.stop_signal)

    def answers(self) -> bool:
        """Whether it can be used."""
        return self.is_up and self.launch.answers()

    def end(self, number: signal.Signals) -> None:
        """Returns when it is gone."""
        if self.process is None:
            return
        if self.is_up:
            self.process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        stop_hard(self.process)

    def kill(self) -> None:
        self.end(signal.SIGKILL)


class Postgres(Server):
    """Also SIGQUIT ("immediate": recovery at the next start), SIGINT ("fast"), kill -9."""

    def __init__(self, home: Home, options: Mapping[str, str]) -> None:
        launch = postgres(home, durable=True)
        words = (
            word
            # No flush: a folder in memory has nothing to flush to, a process that dies loses nothing of it.
            for name, value in {"shared_buffers": "32MB", "fsync": "off", **options}.items()
            for word in ("-c", f"{name}={value}")
        )
        super().__init__(replace(launch, argv=(*launch.argv, *words)))

    def begin(self) -> None:
        # What a killed one left would say "ready".
        pid_file = Path(self.launch.argv[2]) / "postmaster.pid"
        if not self.is_up and pid_file.exists() and not _lives(pid_file):
            pid_file.unlink()
        super().begin()

    def answers(self) -> bool:
        if not super().answers():
            return False
        with contextlib.suppress(psycopg.Error), psycopg.connect(self.url, connect_timeout=5):
            return True
        return False

    def stop_immediately(self) -> None:
        self.end(signal.SIGQUIT)

    def stop_fast(self) -> None:
        self.end(signal.SIGINT)

    def session(self) -> psycopg.Connection:
        """A connection of the harness's own, each statement for itself; closed by its `with`."""
        return psycopg.connect(self.url, autocommit=True, connect_timeout=5)


class Valkey(Server):
    """Its options can be set anew before each start."""

    def __init__(self, home: Home, options: Mapping[str, str]) -> None:
        super().__init__(valkey(home, durable=True))
        self._argv = self.launch.argv
        self.configure(options)

    def configure(self, options: Mapping[str, str]) -> None:
        """From the next start on."""
        words = (word for name, value in options.items() for word in (f"--{name}", value))
        self.launch = replace(self.launch, argv=(*self._argv, *words))

    def client(self) -> "Redis":
        """A client that reads texts, and tries nothing twice."""
        return Redis.from_url(self.url, decode_responses=True, socket_timeout=5, retry=Retry(NoBackoff(), 0))


class Servers:
    """Both, over a home of their own."""

    def __init__(
        self,
        folder: Path,
        *,
        postgres: Mapping[str, str] | None = None,
        redis: Mapping[str, str] | None = None,
    ) -> None:
        self.home = Home.occupy(folder)
        self.postgres = Postgres(self.home, postgres or {})
        self.redis = Valkey(self.home, redis or {})

    def __enter__(self) -> Self:
        self.redis.start()
        self.postgres.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.redis.kill()
        self.postgres.stop_immediately()
        self.home.release()


def template(folder: Path) -> Path:
    """A folder with PostgreSQL's data, migrated, stopped cleanly: made by whoever of a run asks first."""
    made = folder / "faults-template"
    with alone(folder, "faults-template"):
        if not (made / "complete").exists():
            with Servers(made) as servers:
                upgrade(servers.postgres.url)
                servers.postgres.stop_fast()
            (made / "complete").touch()
    return made


def home_from(template: Path, folder: Path) -> Path:
    """A new home with a copy of the template's data, of the same owner."""
    folder.mkdir(parents=True)
    subprocess.run(["cp", "-a", str(template / "postgres"), str(folder / "postgres")], check=True)
    return folder


def remove(folder: Path) -> None:
    """A home that is no longer used."""
    shutil.rmtree(folder, ignore_errors=True)


def _lives(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text().split()[0]), 0)
    except (ValueError, IndexError, OSError):
        return False
    return True
