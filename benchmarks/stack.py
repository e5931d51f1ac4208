"""The stack that is measured: embedded servers, worker, relay and clock, in a temporary home of their own."""

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from benchmarks import roundtrip_client
from benchmarks.accounting import Accounts, of_programs
from benchmarks.workload import FLOWS, envelope
from workers.embedded import EmbeddedServers

PROJECT = Path(__file__).parents[1]
_READY_WITHIN_S = 180.0
_STOPS_WITHIN_S = 40.0
_NAMES = {"postgres": "PostgreSQL", "valkey-server": "Valkey"}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stack:
    """Where it is, and its processes."""

    database_url: str
    redis_url: str
    namespace: str
    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    #: of a PostgreSQL that this process has not started; its main process
    postgres_pid: int | None = None
    processes: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)

    def redis(self) -> redis.Redis:
        """A client of the caller's own."""
        return redis.Redis.from_url(self.redis_url)

    def database(self) -> psycopg.Connection:
        """A connection of the caller's own."""
        return psycopg.connect(self.database_url, autocommit=True)

    def accounts(self) -> Accounts:
        """All processes, for their CPU time and memory."""
        pids = {
            name: tuple(each.pid for each in group if each.poll() is None)
            for name, group in self.processes.items()
        }
        servers = of_programs(os.getpid(), _NAMES)
        if self.postgres_pid is not None:
            servers["postgres"] = (self.postgres_pid,)
        running = {name: found for name, found in pids.items() if found}
        return Accounts({**running, **{_NAMES[program]: found for program, found in servers.items()}})

    def one(self, sql: str) -> float:
        """The number that a statement answers."""
        with self.database() as connection:
            row = connection.execute(sql.encode()).fetchone()
        return float(row[0]) if row and row[0] is not None else 0.0

    def environment(self) -> dict[str, str]:
        """What a process needs to find its way here."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("INTERLOCK_")}
        return {
            **inherited,
            "PYTHONPATH": str(PROJECT),
            "INTERLOCK_DATABASE_URL": self.database_url,
            "INTERLOCK_REDIS_URL": self.redis_url,
            "INTERLOCK_NAMESPACE": self.namespace,
            "INTERLOCK_HOME": str(self.home),
            "INTERLOCK_LOG_LEVEL": "WARNING",
            **{f"INTERLOCK_{name}": value for name, value in self.settings.items()},
        }

    @contextmanager
    def another_database(self, name: str) -> Iterator[str]:
        """The URL of an empty database on the same server, dropped afterwards."""
        with self.database() as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield urlsplit(self.database_url)._replace(path=f"/{name}").geturl()
        finally:
            with self.database() as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    def start(self, name: str, *argv: str) -> subprocess.Popen[bytes]:
        """Starts one more process; its output goes to a file in the home."""
        with (self.home / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *argv],
                cwd=self.home,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.processes.setdefault(name, []).append(process)
        return process

    def stop(self, name: str) -> None:
        """Asks the processes of this name to stop, and waits."""
        group = self.processes.pop(name, [])
        for process in group:
            process.terminate()
        for process in group:
            try:
                process.wait(_STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def said(self, name: str) -> str:
        """The end of what a process wrote."""
        path = self.home / f"{name}.log"
        return path.read_text(errors="replace")[-2_000:] if path.exists() else ""


@contextmanager
def running_stack(workers: int, settings: Mapping[str, str]) -> Iterator[Stack]:
    """The whole stack, answering; removed afterwards."""
    with running_servers() as (home, servers), ExitStack() as cleanup:
        stack = Stack(servers.database_url, servers.redis_url, "bench", home, settings)
        migrate(stack)
        cleanup.callback(stop_processes, stack)
        start_processes(stack, workers)
        yield stack


@contextmanager
def running_servers() -> Iterator[tuple[Path, EmbeddedServers]]:
    """The servers alone, and the home that is removed with them."""
    with tempfile.TemporaryDirectory(prefix="interlock-benchmark-") as folder:
        home = Path(folder)
        with EmbeddedServers.start(home / "servers", log=log) as servers:
            yield home, servers


def start_processes(stack: Stack, workers: int) -> None:
    """Worker, relay and clock, as an operator would start them; returns when commands are answered."""
    for _ in range(workers):
        stack.start("worker", "-m", "workers.cli.main", "worker")
    stack.start("relay", "-m", "workers.cli.main", "relay")
    clock = stack.start("clock", "-m", "workers.cli.main", "clock")
    _wait_until_it_answers(stack)
    if clock.poll() is not None:
        log.warning("the clock has ended at once: it is left out")
        stack.processes.pop("clock")


def stop_processes(stack: Stack) -> None:
    """All but the servers."""
    for name in list(stack.processes):
        stack.stop(name)


def migrate(stack: Stack) -> None:
    """Brings the database to the current schema."""
    argv = [sys.executable, "-m", "workers.cli.main", "migrate"]
    subprocess.run(argv, cwd=stack.home, env=stack.environment(), check=True, stdout=subprocess.DEVNULL)


def _wait_until_it_answers(stack: Stack) -> None:
    give_up_at = time.monotonic() + _READY_WITHIN_S
    with stack.redis() as client:
        caller = roundtrip_client.Caller(client, stack.namespace, "ready")
        while caller.call(envelope("flow.upsert", {"name": FLOWS[0]}, "ready"), wait_s=1.0) is None:
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"the worker does not answer:\n{stack.said('worker')}")
        # Flows are made once in a long while: not by the commands that are measured.
        for name in FLOWS[1:]:
            caller.call(envelope("flow.upsert", {"name": name}, "ready"))
