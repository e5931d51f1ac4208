"""All rows, and how one is run."""

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.faults.row import Row
from tests.faults.rows import database, deferred, disk, messages, network, processes, redis, standing
from tests.faults.servers import remove, template
from tests.faults.stage import Plan, Stage
from tests.servers import quick_place

ROWS: tuple[Row, ...] = (
    *processes.ROWS,
    *deferred.ROWS,
    *standing.ROWS,
    *database.ROWS,
    *redis.ROWS,
    *network.ROWS,
    *disk.ROWS,
    *messages.ROWS,
)


def row_named(name: str) -> Row:
    """A row by its name; KeyError if there is none."""
    return {each.name: each for each in ROWS}[name]


def number_of(row: Row) -> tuple[int, str]:
    """Rows in the order of their numbers."""
    number, _, rest = row.name.partition(" ")
    return int(number.rstrip(",")), rest


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for a run, which PostgreSQL's user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="interlock-faults-", dir=quick_place()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        remove(folder)


def play(
    rows: Sequence[tuple[Row, int]], folder: Path, seed: int, rate: float | None = None
) -> dict[str, Any]:
    """Strikes so many times for each row, on one stage; answers what came of it. `rate`: another load, commands/s."""
    began = time.monotonic()
    # Rows that share a stage leave it to one of them how it is set up.
    plan = next((row.plan for row, _ in rows if row.plan != Plan()), Plan())
    if rate is not None:
        plan = replace(plan, pace=replace(plan.pace, rate=rate))
    with Stage(folder / f"stage-{random.randrange(2**32):x}", template(folder), plan, seed) as stage:
        try:
            for row, number in rows:
                row.strike(stage, number)
            history = stage.finish()
        except AssertionError as fault:
            # What is known by then is worth a report, too.
            stage.violations.append(f"{type(fault).__name__}: {fault}")
            history = stage.as_it_is()
        report = stage.report(history)
    return {**report, "seconds": round(time.monotonic() - began, 1)}
