"""`interlock up`: the embedded servers, and over them the worker, the relay and the clock."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.embedded.errors import EmbeddedError
from workers.embedded.servers import EmbeddedServers
from workers.settings import Settings, environment_for_child, health_of_child
from workers.supervisor import Child, Limits, Program, Supervisor, spawn, stop_hard, tell_ready

CLI = (sys.executable, "-m", "workers.cli.main")
CHILDREN = ("worker", "relay", "clock")
READY_SECONDS = 30.0

log = logging.getLogger(__name__)


def up(settings: Settings, home: Path, servers_only: bool, command: tuple[str, ...] = CLI) -> int:
    """Run until SIGINT or SIGTERM; returns the exit status. Standard output says where the servers are."""
    with _signals_interrupt():
        try:
            servers = EmbeddedServers.start(home, log=log)
        except EmbeddedError as fault:
            log.error("%s", fault)
            return 1
        except KeyboardInterrupt:
            return 0
        try:
            return _run_over(servers, settings, () if servers_only else CHILDREN, command)
        except KeyboardInterrupt:
            return 0
        finally:
            _ignore_signals()
            servers.stop()


def _run_over(
    servers: EmbeddedServers, settings: Settings, names: tuple[str, ...], command: tuple[str, ...]
) -> int:
    addresses = {"INTERLOCK_DATABASE_URL": servers.database_url, "INTERLOCK_REDIS_URL": servers.redis_url}
    # A replica named in the environment is one of another database.
    env = {**addresses, "INTERLOCK_READ_DATABASE_URL": servers.database_url}
    if status := _migrate(command, env):
        log.error("the database could not be migrated (status %d): nothing is started over it", status)
        return status
    for name, url in addresses.items():
        _say(f"{name}={url}")
    children = [
        Child(name, (*command, name), {**env, **health_of_child(settings, number)})
        for number, name in enumerate(names)
    ]
    limits = Limits(ready=READY_SECONDS, shutdown=settings.shutdown_timeout.total_seconds())
    return Supervisor(children, limits, servers.complaint).run(_all_ready)


def _migrate(command: tuple[str, ...], env: dict[str, str]) -> int:
    process = spawn(Program((*command, "migrate"), environment_for_child(env)), signal.SIGTERM)
    try:
        return process.wait()
    finally:
        stop_hard(process)


def _all_ready() -> None:
    _say("ready")
    tell_ready()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM while the servers start is a KeyboardInterrupt, as SIGINT is: both end this cleanly."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """The servers stop within seconds; a second Ctrl-C must not leave them half way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
