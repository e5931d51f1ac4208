"""Part `floor`: the rows of the commands written by batched SQL alone. No queue, no rules, nothing read.

The same number of rows in the same tables by the same kind of statement, in a database of its own; everything is
encoded beforehand. This is what PostgreSQL costs, whatever stands in front of it.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.figures import Figure, across_runs
from benchmarks.floor_rows import Statement, transactions
from benchmarks.session import Session
from messages.catalog import Flow
from messages.ids import uuid7
from store import catalog
from store.engine import open_engine
from store.migrate import upgrade
from store.transaction import Engine, transaction
from workers.now import now

BATCH = 200
_RATE_GUESS = 8_000
_LARGEST = 100_000


def floor(session: Session) -> list[Figure]:
    """Commands' worth of rows a second, over one connection and over two."""
    commands = min(_LARGEST, session.enough(_RATE_GUESS))
    with session.stack.another_database("floor") as url:
        upgrade(url)
        engine = open_engine(url, pool_size=2, application="benchmark floor")
        try:
            flow = _flow(engine)
            _measure(engine, flow, BATCH * 8, 1)
            return across_runs(
                [
                    Figure("floor", "commands/s", (_measure(engine, flow, commands, 1),)),
                    Figure("floor, two connections", "commands/s", (_measure(engine, flow, commands, 2),)),
                ]
                for _ in range(session.runs)
            )
        finally:
            engine.dispose()


def _flow(engine: Engine) -> Flow:
    flow = Flow(id=uuid7(), created=now(), updated=now(), name="benchmark")
    with transaction(engine) as connection:
        catalog.FLOWS.insert(connection, [flow])
    return flow


def _measure(engine: Engine, flow: Flow, commands: int, connections: int) -> float:
    """Each connection has a thread and a share of the work; encoding is done before the clock starts."""
    work = [list(transactions(flow, commands // connections, BATCH)) for _ in range(connections)]
    written = sum(each.commands for share in work for each in share)
    writers = [_writer(engine, share) for share in work]
    begun = time.perf_counter()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return written / (time.perf_counter() - begun)


def _writer(engine: Engine, share: Sequence[Any]) -> threading.Thread:
    def write() -> None:
        with _driver_connection(engine) as execute:
            for each in share:
                for statement in each.statements:
                    execute(statement)
                execute(None)

    return threading.Thread(target=write)


@contextmanager
def _driver_connection(engine: Engine) -> Iterator[Callable[[Statement | None], None]]:
    """Runs statements on the driver's own connection; None commits."""
    pooled = engine.raw_connection()
    driver: Any = pooled.driver_connection

    def execute(statement: Statement | None) -> None:
        if statement is None:
            driver.commit()
        else:
            driver.execute(statement.sql, statement.parameters)

    try:
        yield execute
    finally:
        pooled.close()
