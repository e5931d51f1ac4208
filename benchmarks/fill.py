"""`python -m benchmarks fill`: puts millions of finished runs into a database, by statements that make them there.

Indexes and foreign keys are taken off before and made again afterwards, as they were: that is several times quicker.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import psycopg

from benchmarks.fill_rows import Sizes, chunks, flow_runs, noon_of, surroundings, task_runs
from store.migrate import upgrade
from workers.now import now

CONNECTIONS = 2
_RUN_TABLES = ["flow_run", "task_run", "flow_run_state", "task_run_state"]
# Primary keys and unique constraints first: foreign keys need them.
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype::text FROM pg_constraint
WHERE contype IN ('p', 'u', 'f') AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[]))
ORDER BY contype = 'f', conname
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY(%(tables)s::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
ORDER BY 1
"""
_MEMORY = "SET maintenance_work_mem = '512MB'"
Tell = Callable[[str], None]
AtOnce = Callable[[Sequence[str]], None]


def fill(
    url: str,
    runs: int,
    *,
    seed: int = 1,
    connections: int = CONNECTIONS,
    until: datetime | None = None,
    tell: Tell = print,
) -> None:
    """Puts so many finished flow runs, and what surrounds them, into a database that has the schema and no runs.

    Raises:
        RuntimeError: if there are runs.
    """
    sizes, begun = Sizes(runs, seed, until or noon_of(now())), time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT EXISTS (SELECT FROM flow_run)").fetchone() != (False,):
            raise RuntimeError("there are runs in this database: name an empty one")
        with _without_indexes(connection, partial(_at_once, url, connections), tell):
            for statement in surroundings(sizes):
                connection.execute(statement.encode())
            _write_runs(url, sizes, connections, tell)
        tell("VACUUM (ANALYZE)")
        connection.execute("VACUUM (ANALYZE)")
    tell(f"{runs:,} flow runs in {time.monotonic() - begun:,.0f} s")


def _write_runs(url: str, sizes: Sizes, connections: int, tell: Tell) -> None:
    portions = [[flow_runs(sizes, each), task_runs(sizes, each)] for each in chunks(sizes)]
    # Planned runs, the first portion, have no task runs.
    portions[0].pop()
    each_tells = max(1, len(portions) // 10)
    for number, _ in enumerate(_in_threads(url, connections, portions), 1):
        if number % each_tells == 0:
            tell(f"{number} of {len(portions)} portions written")


def _at_once(url: str, connections: int, statements: Sequence[str]) -> None:
    for _ in _in_threads(url, connections, [[_MEMORY, each] for each in statements]):
        pass


def _in_threads(url: str, connections: int, jobs: Sequence[Sequence[str]]) -> Iterator[None]:
    """Each job is a few statements over a connection of its own."""
    with ThreadPoolExecutor(connections) as pool:
        yield from pool.map(partial(_run, url), jobs)


def _run(url: str, statements: Sequence[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def _without_indexes(connection: psycopg.Connection, at_once: AtOnce, tell: Tell) -> Iterator[None]:
    """What runs are found by is taken off for the block, and made again as it was."""
    tables = {"tables": _RUN_TABLES}
    constraints = connection.execute(_CONSTRAINTS, tables).fetchall()
    indexes = connection.execute(_INDEXES, tables).fetchall()
    for table, name, *_ in reversed(constraints):
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    # These rows will not change: they need no room to.
    for table in _RUN_TABLES[:2]:
        connection.execute(f"ALTER TABLE {table} SET (fillfactor = 100)".encode())
    yield
    tell("making the indexes")
    connection.execute(_MEMORY.encode())
    for table in _RUN_TABLES[:2]:
        connection.execute(f"ALTER TABLE {table} SET (fillfactor = 80)".encode())
    added = [
        (kind, f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {rule}')
        for table, name, rule, kind in constraints
    ]
    for statement in (text for kind, text in added if kind != "f"):
        connection.execute(statement.encode())
    at_once([definition for _, definition in indexes])
    tell("checking the foreign keys")
    for statement in (text for kind, text in added if kind == "f"):
        connection.execute(statement.encode())


def main(arguments: Sequence[str]) -> int:
    """Fills the database that is named; brings it to the current schema first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fill", description=__doc__)
    parser.add_argument("database", help="postgresql://...: a database without runs")
    parser.add_argument("--runs", type=int, default=1_000_000, help="finished flow runs (default 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same rows (default 1)")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="that write (default 2)")
    options = parser.parse_args(arguments)
    upgrade(options.database)
    try:
        fill(options.database, options.runs, seed=options.seed, connections=options.connections)
    except RuntimeError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0
