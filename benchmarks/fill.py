"""`python -m benchmarks fill`: puts millions of finished runs into a database, by COPY.

Indexes and foreign keys are taken off before and made again afterwards, as they were: that is several times quicker.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import psycopg
from psycopg import sql

from benchmarks.fill_rows import (
    COLUMNS,
    Lines,
    Surroundings,
    chunks,
    finished,
    noon_of,
    surroundings,
    unfinished,
)
from store.migrate import upgrade
from workers.now import now

PROCESSES = 2
_RUN_TABLES = ["flow_run", "task_run", "flow_run_state", "task_run_state"]
# Primary keys and unique constraints first: foreign keys need them.
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype IN ('p', 'u', 'f') AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[]))
ORDER BY contype = 'f', conname
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY(%(tables)s::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
ORDER BY 1
"""
Tell = Callable[[str], None]


def fill(
    url: str,
    runs: int,
    *,
    seed: int = 1,
    processes: int = PROCESSES,
    until: datetime | None = None,
    tell: Tell = print,
) -> None:
    """Puts so many finished flow runs, and what surrounds them, into a database that has the schema and no runs.

    Raises:
        RuntimeError: if there are runs.
    """
    moment, begun = until or noon_of(now()), time.monotonic()
    around = surroundings(seed, moment)
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT EXISTS (SELECT FROM flow_run)").fetchone() != (False,):
            raise RuntimeError("there are runs in this database: name an empty one")
        with _without_indexes(connection, tell):
            copy(connection, around.lines)
            copy(connection, unfinished(seed, around, moment))
            _copy_finished(url, runs, partial(_portion, url, seed, runs, around, moment), processes, tell)
        connection.execute("VACUUM (ANALYZE)")
    tell(f"{runs:,} flow runs in {time.monotonic() - begun:,.0f} s")


def _copy_finished(url: str, runs: int, portion: Callable[[range], int], processes: int, tell: Tell) -> None:
    portions, done = list(chunks(runs)), 0
    if processes == 1:
        for each in portions:
            portion(each)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        for count in pool.map(portion, portions):
            done += count
            if done % 1_000_000 < count:
                tell(f"{done:,} flow runs written")


def _portion(url: str, seed: int, runs: int, around: Surroundings, until: datetime, numbers: range) -> int:
    lines = finished(seed, numbers, runs, around, until)
    with psycopg.connect(url, autocommit=True) as connection:
        copy(connection, lines)
    return len(numbers)


def copy(connection: psycopg.Connection, lines: Lines) -> None:
    """Writes lines into their tables, each table at once."""
    for table, rows in lines.items():
        if rows:
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, COLUMNS[table].split(", ")))
            )
            with connection.cursor() as cursor, cursor.copy(statement) as target:
                target.write("\n".join(rows) + "\n")


@contextmanager
def _without_indexes(connection: psycopg.Connection, tell: Tell) -> Iterator[None]:
    """What runs are found by is taken off for the block, and made again as it was."""
    tables = {"tables": _RUN_TABLES}
    constraints = connection.execute(_CONSTRAINTS, tables).fetchall()
    indexes = connection.execute(_INDEXES, tables).fetchall()
    for table, name, _ in reversed(constraints):
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    # These rows will not change: they need no room to.
    for table in _RUN_TABLES[:2]:
        connection.execute(f"ALTER TABLE {table} SET (fillfactor = 100)".encode())
    yield
    tell("making the indexes")
    connection.execute("SET maintenance_work_mem = '512MB'")
    for table in _RUN_TABLES[:2]:
        connection.execute(f"ALTER TABLE {table} SET (fillfactor = 80)".encode())
    for table, name, definition in constraints:
        connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}'.encode())
    for _, definition in indexes:
        connection.execute(definition.encode())


def main(arguments: Sequence[str]) -> int:
    """Fills the database that is named; brings it to the current schema first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fill", description=__doc__)
    parser.add_argument("database", help="postgresql://...: a database without runs")
    parser.add_argument("--runs", type=int, default=1_000_000, help="finished flow runs (default 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same rows (default 1)")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="that write (default 2)")
    options = parser.parse_args(arguments)
    upgrade(options.database)
    try:
        fill(options.database, options.runs, seed=options.seed, processes=options.processes)
    except RuntimeError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0
