"""The servers of a test run: embedded, or named by INTERLOCK_TEST_DATABASE_URL and INTERLOCK_TEST_REDIS_URL.

The embedded ones are started by the first test that asks, in a process of their own that ends with the run:
it waits for a lock that the controlling pytest process holds for as long as it lives. The workers of xdist
share them.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from workers.embedded import EmbeddedError, EmbeddedServers
from workers.now import monotonic

DATABASE_VARIABLE = "INTERLOCK_TEST_DATABASE_URL"
REDIS_VARIABLE = "INTERLOCK_TEST_REDIS_URL"
START_SECONDS = 60.0
MEMORY = "/dev/shm"
MEMORY_BYTES = 2_000_000_000
PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Servers:
    """Where the servers of this run are, and the folder that its processes share."""

    database_url: str
    redis_url: str
    folder: Path


class Run:
    """One test run, as the controlling process sees it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="interlock-tests-", dir=quick_place()))
        # PostgreSQL may run under another user than this process.
        self.folder.chmod(0o755)
        self._lock = _locked(self.folder / "run.lock")

    def end(self) -> None:
        """Give up what the run has; the embedded servers stop when they see the lock free."""
        served = (self.folder / "servers.json").exists()
        if not served:
            drop_template(self.folder)
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def servers_of(folder: Path) -> Servers:
    """The servers of the run whose folder this is; the first caller starts them."""
    named = Servers(os.environ.get(DATABASE_VARIABLE, ""), os.environ.get(REDIS_VARIABLE, ""), folder)
    if named.database_url and named.redis_url:
        return named
    with alone(folder, "start"):
        if not (folder / "servers.json").exists():
            _start_serving(folder)
    urls = json.loads((folder / "servers.json").read_text())
    return Servers(named.database_url or urls["database"], named.redis_url or urls["redis"], folder)


@contextmanager
def alone(folder: Path, purpose: str) -> Iterator[None]:
    """One process of the run at a time."""
    with closing(_locked(folder / f"{purpose}.lock")):
        yield


@contextmanager
def fresh_database(servers: Servers, template: str) -> Iterator[str]:
    """The URL of a new copy of the template, dropped afterwards, whoever is still connected."""
    name = f"interlock_test_{uuid4().hex}"
    quoted = sql.Identifier(name)
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}").format(
                quoted, sql.Identifier(template), _strategy()
            )
        )
        try:
            yield database_at(servers.database_url, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def _strategy() -> sql.SQL:
    # Copying files makes PostgreSQL write a checkpoint: quick where nothing waits for a disk, slow elsewhere.
    return sql.SQL("WAL_LOG" if os.environ.get(DATABASE_VARIABLE) else "FILE_COPY")


def migrated_template(servers: Servers) -> str:
    """The name of a database with the current schema and no rows; the first caller makes it."""
    name_file = servers.folder / "template"
    with alone(servers.folder, "template"):
        if not name_file.exists():
            from store.migrate import upgrade

            name = f"interlock_test_template_{uuid4().hex[:12]}"
            with psycopg.connect(servers.database_url, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            (servers.folder / "template_url").write_text(servers.database_url)
            upgrade(database_at(servers.database_url, name))
            name_file.write_text(name)
    return name_file.read_text()


def drop_template(folder: Path) -> None:
    """On a server that outlives the run."""
    try:
        name, url = (folder / "template").read_text(), (folder / "template_url").read_text()
    except FileNotFoundError:
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def database_at(url: str, name: str) -> str:
    """The same server's URL with another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def serve(folder: Path) -> None:
    """Run the embedded servers until the run is over, then remove its folder."""
    try:
        servers = EmbeddedServers.start(folder / "home", log=logging.getLogger(__name__), durable=False)
    except EmbeddedError as fault:
        (folder / "fault").write_text(str(fault))
        raise SystemExit(1) from None
    with servers:
        urls = {"database": servers.database_url, "redis": servers.redis_url}
        unfinished = folder / "servers.json.unfinished"
        unfinished.write_text(json.dumps(urls))
        unfinished.rename(folder / "servers.json")
        _locked(folder / "run.lock").close()
    shutil.rmtree(folder, ignore_errors=True)


def _start_serving(folder: Path) -> None:
    with (folder / "serve.log").open("wb") as log_file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers", str(folder)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            # A Ctrl-C at the terminal is for pytest; the servers must last until its fixtures have ended.
            start_new_session=True,
        )
    give_up_at = monotonic() + START_SECONDS
    while not (folder / "servers.json").exists():
        if process.poll() is not None or monotonic() > give_up_at:
            fault = folder / "fault" if (folder / "fault").exists() else folder / "serve.log"
            raise RuntimeError(f"the test servers did not start: {fault.read_text()}")
        time.sleep(0.01)
    # It outlives this process if this is an xdist worker: nobody here will wait for it.
    process.returncode = 0


def quick_place() -> str | None:
    """Memory where there is plenty: copies a database ten times as fast as a disk. Else the usual place."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
            return MEMORY
    return None


def _locked(path: Path) -> TextIO:
    file = path.open("a")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
