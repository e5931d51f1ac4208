"""Part `scaling`: 1, 2, 4 and 8 worker processes, with the database near and at a distance.

Twice: with the settings of the stack, where soon all cores are busy, and with a thread for each process and small
batches, where a process mostly waits for the database, so that it can be seen whether processes hold up each other.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from benchmarks.distance import away
from benchmarks.figures import Figure, across_runs, percentile
from benchmarks.flood import flood
from benchmarks.session import Session
from benchmarks.stack import Stack, migrate, start_processes, stop_processes
from benchmarks.workload import STAGES, Workload

PROCESSES = (1, 2, 4, 8)
DELAYS_MS = (0, 2, 20)
_SMALL = {"BATCH_SIZE": "10", "WORKER_THREADS": "1"}
VARIANTS: Mapping[str, Mapping[str, str]] = {"full batches": {}, "batches of 10": _SMALL}
# Enough for the threads of a process, each with a full batch at work, and for one that waits.
_WINDOW_OF_EACH = 600
# A workload of fewer commands for each that may be on its way would keep fewer on their way.
_LEAST_FOR_EACH = 2 * len(STAGES)
_PINGS = 100
_GUESS = 2_000
# Twenty-four arrangements: a third of the usual time for each.
_SHARE_OF_TIME = 0.3


def scaling(session: Session) -> list[Figure]:
    """Commands a second for each distance, batch size and number of processes; and by how much more than one does."""
    figures: list[Figure] = []
    for delay_ms in DELAYS_MS:
        with away(session.stack.database_url, delay_ms / 1000) as url:
            figures.append(Figure(f"{delay_ms} ms away: round trip of SELECT", "ms", (_ping_ms(url),)))
            for label, settings in VARIANTS.items():
                name = f"{delay_ms} ms away, {label}"
                rates = [_rates(session, url, settings, count, f"{name}, ") for count in PROCESSES]
                figures += [rate for rates_of_one in rates for rate in rates_of_one]
                figures += _growth(name, figures)
    return figures


def _growth(name: str, figures: list[Figure]) -> list[Figure]:
    """How many times the commands of one process."""
    known = {figure.name: figure.median for figure in figures}
    one = known[_title(f"{name}, ", 1)]
    return [
        Figure(f"{name}: 1 to {count} processes", "times", (known[_title(f"{name}, ", count)] / one,))
        for count in PROCESSES[1:]
    ]


def _rates(session: Session, url: str, settings: Mapping[str, str], count: int, prefix: str) -> list[Figure]:
    with _stack(session.stack, url, settings, count) as stack:
        window = max(session.window, _WINDOW_OF_EACH * count)
        first = flood(stack, Workload(_GUESS, "scaling", window))
        least = 0 if settings else _LEAST_FOR_EACH * window
        workload = Workload(max(least, session.enough(first.rate, _SHARE_OF_TIME)), "scaling", window)
        title = _title(prefix, count)
        return across_runs(
            [
                each
                for each in flood(stack, workload).figures(title)
                if each.name == title or each.name.endswith(("transaction", "in use"))
            ]
            for _ in range(session.runs)
        )


def _title(prefix: str, count: int) -> str:
    return f"{prefix}{count} process{'es' if count > 1 else ''}"


@contextmanager
def _stack(beside: Stack, url: str, settings: Mapping[str, str], count: int) -> Iterator[Stack]:
    """Processes of their own on an empty database of the same server; those of the session are idle meanwhile."""
    namespace = f"scaling-{uuid4().hex[:8]}"
    with beside.another_database(namespace) as near:
        there = urlsplit(url)._replace(path=f"/{namespace}").geturl()
        stack = replace(
            beside,
            database_url=there,
            namespace=namespace,
            home=beside.home / namespace,
            settings={**beside.settings, **settings},
            processes={},
        )
        os.mkdir(stack.home)
        migrate(replace(stack, database_url=near))
        try:
            start_processes(stack, count)
            yield stack
        finally:
            stop_processes(stack)


def _ping_ms(url: str) -> float:
    samples = []
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(_PINGS):
            begun = time.perf_counter()
            connection.execute("SELECT 1")
            samples.append(time.perf_counter() - begun)
    return percentile(samples, 0.5) * 1000
