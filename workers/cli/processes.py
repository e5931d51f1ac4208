"""The words that run processes: `up`, `worker`, `relay`, `clock`; and `migrate`, which comes before them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.preparing import log, prepare, require_servers

if TYPE_CHECKING:
    from workers.settings import Settings

_START_SECONDS = 30.0


def up(
    home: Annotated[
        Path | None,
        typer.Option(help="The folder of the servers' data; INTERLOCK_HOME, or .interlock, if not given."),
    ] = None,
    servers_only: Annotated[
        bool, typer.Option("--servers-only", help="PostgreSQL and Valkey alone.")
    ] = False,
) -> None:
    """Run everything here: PostgreSQL, Valkey, worker, relay and clock, until Ctrl-C.

    Prints INTERLOCK_DATABASE_URL=... and INTERLOCK_REDIS_URL=... for the other words, then `ready`.
    """
    settings = prepare(**_given(home=home))
    from workers.embedded.up import up as run_up

    raise typer.Exit(run_up(settings, settings.home, servers_only))


def worker(
    processes: Annotated[int, typer.Option(min=1, max=256, help="Worker processes.")] = 1,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Batches in flight in each; INTERLOCK_WORKER_THREADS, or 2, if not given.",
        ),
    ] = None,
) -> None:
    """Consume commands and queries, apply them, publish the results."""
    settings = prepare(**_given(worker_threads=threads))
    require_servers(settings)
    if processes > 1:
        raise typer.Exit(_several(settings, processes, threads))
    from workers.processes.worker import run

    raise typer.Exit(run(settings))


def relay() -> None:
    """Publish events from the database. Any number may run; one is active, the others stand by."""
    settings = prepare()
    require_servers(settings)
    from workers.processes.relay import run

    raise typer.Exit(run(settings))


def clock() -> None:
    """Do what is due: late runs, expired pauses and leases, retries, retention. Any number may run, one is active."""
    settings = prepare()
    require_servers(settings)
    from workers.processes.clock import run

    raise typer.Exit(run(settings))


def migrate(
    contract: Annotated[
        bool,
        typer.Option(
            "--contract", help="Also take away what older versions use: none of their processes may run."
        ),
    ] = False,
) -> None:
    """Bring the database to the current schema. Can be run at any time, by several at once.

    Processes of the version before go on working with what it leaves, unless it is told to --contract.
    """
    settings = prepare()
    from store.schema import migrate as run_migrate

    before, after = run_migrate(settings.database_url, contract=contract)
    if before == after:
        log.info("the database has the current schema", extra={"schema": after})
    else:
        log.info("the database was migrated", extra={"before": before or "nothing", "schema": after})


def _several(settings: "Settings", processes: int, threads: int | None) -> int:
    """Worker processes under one roof: started again if they crash, stopped together."""
    from workers.settings import health_of_child
    from workers.supervisor import Child, Limits, Supervisor, tell_ready

    options = () if threads is None else ("--threads", str(threads))
    argv = (sys.executable, "-m", "workers.cli.main", "worker", *options)
    children = [
        Child(f"worker {number + 1}", argv, health_of_child(settings, number)) for number in range(processes)
    ]
    limits = Limits(ready=_START_SECONDS, shutdown=settings.shutdown_timeout.total_seconds())

    def at_work() -> None:
        log.info("all workers are at work", extra={"processes": processes})
        tell_ready()

    return Supervisor(children, limits).run(at_work)


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}
