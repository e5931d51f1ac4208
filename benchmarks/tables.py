"""`python -m benchmarks tables`: lists, counts, graphs and commands on a database with millions of finished runs.

It is the one that is named, which `fill` has filled, or one that is filled for this and removed. To a named one the
measured commands add runs; an empty database beside it, on the same server, is made for comparison and dropped.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import psycopg

from benchmarks import questions, report
from benchmarks.accounting import used
from benchmarks.figures import Figure, across_runs, latencies
from benchmarks.fill import fill
from benchmarks.flood import flood
from benchmarks.latency import calling
from benchmarks.questions import Question
from benchmarks.roundtrip_client import Caller
from benchmarks.stack import Stack, migrate, running_servers, start_processes, stop_processes
from benchmarks.tables_graph import with_task_runs
from benchmarks.workload import Workload, envelope
from messages.registry import QUERIES
from store.engine import Plans, Timeouts, open_engine
from store.migrate import upgrade
from store.transaction import Connection
from workers.now import now
from workers.processes import memory
from workers.queries.answer import answer
from workers.queries.asked import Limits

GRAPHS = (100, 1_000, 10_000)
THROUGH_THE_QUEUE = (
    "the newest runs",
    "runs that failed within a day",
    "runs of a flow that failed",
    "how many failed within a week",
)
_SLOWEST = "slowest list or count"
#: `first`: the slowest page of the first round, whose rows may still be on the disk
_SHARES = ("first", "p50", "p99")
_ENOUGH_S = 1.0
_PATIENCE_MS = 600_000
_GRAPH_WAIT_S = 60.0


def main(arguments: Sequence[str]) -> int:
    """Measures and prints; answers the exit code."""
    options, out = _options(arguments), report.console()
    measured: dict[str, Figure] = {}
    with _stacks(options) as (full, empty):
        parts: dict[str, Callable[[], list[Figure]]] = {
            "lists and counts": lambda: lists(full.database_url, options.calls),
            "through the queue": lambda: through_the_queue(full, options.calls),
            "graphs": lambda: graphs(full, options.calls),
            "commands": lambda: commands(full, empty, options.commands, options.rounds),
            "without an index": lambda: without_index(full.database_url),
        }
        for name, part in parts.items():
            figures = part()
            measured.update({figure.name: figure for figure in figures})
            report.show_part(out, name, figures)
    report.show_summary(out, measured)
    settings = {name: value for name, value in vars(options).items() if name not in ("json", "database")}
    out.print(f"written to {report.write(options.json, measured, settings)}")
    return 0


def lists(url: str, calls: int) -> list[Figure]:
    """Each question by itself: what the worker does for it, without the queue."""
    figures: list[Figure] = []
    with _asking(url) as connection:
        usual = questions.usual(questions.known(connection))
        # As a worker does: else looking for garbage takes longer than most answers.
        memory.settle()
        for name, question in usual.items():
            first, samples = _asked(connection, question, calls)
            figures.append(Figure(f"{name}: first", "ms", (first * 1000,)))
            figures += _p50_p99(name, samples)
    slowest = [
        max((each for each in figures if each.name.endswith(f": {share}")), key=lambda each: each.median)
        for share in _SHARES
    ]
    shares = zip(_SHARES, slowest, strict=True)
    return [*figures, *(Figure(f"{_SLOWEST}: {share}", "ms", each.values) for share, each in shares)]


def without_index(url: str) -> list[Figure]:
    """What looks at all runs, asked once each, however long it takes: a worker gives up after ten seconds."""
    with _asking(url) as connection:
        return [
            Figure(f"no index: {name}", "s", tuple(_pages(connection, question)))
            for name, question in questions.may_scan().items()
        ]


@contextmanager
def _asking(url: str) -> Iterator[Connection]:
    """A session as those of the worker that answer queries, but patient."""
    engine = open_engine(
        url, pool_size=1, timeouts=Timeouts(statement_ms=_PATIENCE_MS), plans=Plans.FOR_QUESTIONS
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


def _asked(connection: Connection, question: Question, calls: int) -> tuple[float, list[float]]:
    """Seconds of the slowest page of the first round, then of each page, or of each count, of the rounds after it."""
    first = max(_pages(connection, question))
    samples: list[float] = []
    while len(samples) < calls and sum(samples) < _ENOUGH_S:
        samples += _pages(connection, question)
    return first, samples


def _pages(connection: Connection, question: Question) -> Iterator[float]:
    after = None
    for _ in range(question.pages):
        data = QUERIES[question.type].model_validate(question.data(after))
        begun = perf_counter()
        body = answer(connection, question.type, data, Limits(), now=now()).body
        yield perf_counter() - begun
        after = body.get("next")
        if after is None:
            return


def _p50_p99(name: str, seconds: Sequence[float]) -> list[Figure]:
    return [each for each in latencies(f"{name}:", seconds) if each.name.endswith((" p50", " p99"))]


def through_the_queue(stack: Stack, calls: int) -> list[Figure]:
    """Some of them from the enqueueing until the answer is read."""
    with _asking(stack.database_url) as connection:
        usual = questions.usual(questions.known(connection))
    figures: list[Figure] = []
    with calling(stack) as (caller, name):
        for each in THROUGH_THE_QUEUE:
            question = usual[each]
            samples = _timed(caller, name, question.type, question.data(), calls)
            figures += _p50_p99(f"through the queue: {each}", samples)
    return figures


def graphs(stack: Stack, calls: int) -> list[Figure]:
    """Round trips of graphs, and what the worker needs for one."""
    figures: list[Figure] = []
    with calling(stack) as (caller, name):
        for size in GRAPHS:
            data = {"flow_run_id": str(with_task_runs(stack.database_url, size))}
            before = stack.accounts().cpu()
            samples = _timed(caller, name, "flow_run.graph", data, max(3, calls * GRAPHS[0] // size))
            cpu = used(before, stack.accounts().cpu())
            title = f"graph of {size:,} task runs"
            figures += _p50_p99(title, samples)
            # The first call is not among the samples.
            figures += [
                Figure(f"{title}: CPU of {process}", "ms", (cpu[process] / (len(samples) + 1) * 1000,))
                for process in ("worker", "PostgreSQL")
            ]
    return figures


def _timed(caller: Caller, name: str, kind: str, data: Mapping[str, Any], calls: int) -> list[float]:
    samples = []
    for _ in range(calls + 1):
        result, seconds = caller.timed(envelope(kind, dict(data), name), wait_s=_GRAPH_WAIT_S)
        if result is None or b'"status":"OK"' not in result:
            raise RuntimeError(f"no good answer to {kind}: {result[:500] if result else None!r}")
        samples.append(seconds)
    return samples[1:]


def commands(full: Stack, empty: Stack, number: int, rounds: int) -> list[Figure]:
    """The same commands with both databases, in turn; each is first in every other round."""
    sides = {"full": full, "empty": empty}
    for stack in sides.values():
        flood(stack, Workload(number, "warm-up"))
    return across_runs(
        [
            figure
            for label in in_turn(tuple(sides), each)
            for figure in flood(sides[label], Workload(number, label)).figures(f"commands, {label}")
        ]
        for each in range(rounds)
    )


def in_turn(labels: Sequence[str], number: int) -> Sequence[str]:
    """The order of a round: backward in every other, so that nobody always goes first."""
    return labels[::-1] if number % 2 else labels


@contextmanager
def _stacks(options: argparse.Namespace) -> Iterator[tuple[Stack, Stack]]:
    """One with the filled database, one with an empty one on the same server."""
    with running_servers() as (home, servers), ExitStack() as cleanup:
        url = options.database or cleanup.enter_context(_another(servers.database_url, "filled"))
        if options.database is None:
            upgrade(url)
            fill(url, options.runs)
        beside = cleanup.enter_context(_another(url, f"interlock_empty_{uuid4().hex[:8]}"))
        stacks = []
        for label, database in (("full", url), ("empty", beside)):
            folder = home / label
            folder.mkdir()
            stack = Stack(database, servers.redis_url, label, folder, postgres_pid=_main_process(database))
            migrate(stack)
            cleanup.callback(stop_processes, stack)
            start_processes(stack, workers=1)
            stacks.append(stack)
        yield stacks[0], stacks[1]


@contextmanager
def _another(url: str, name: str) -> Iterator[str]:
    """The URL of an empty database on the same server, dropped afterwards."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _main_process(url: str) -> int:
    """PostgreSQL's, which must run on this machine for its CPU time to be read."""
    with psycopg.connect(url) as connection:
        return psutil.Process(connection.info.backend_pid).ppid()


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks tables", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--database", help="postgresql://...: filled by `fill`, on a server of this machine")
    which.add_argument("--runs", type=int, default=1_000_000, help="fill one with so many (default 1000000)")
    parser.add_argument("--calls", type=int, default=100, help="of each question (default 100)")
    parser.add_argument("--commands", type=int, default=8_000, help="for each round (default 8000)")
    parser.add_argument("--rounds", type=int, default=4, help="full and empty in turn (default 4)")
    parser.add_argument("--json", type=Path, help="where to write the figures (default benchmarks/results/)")
    return parser.parse_args(arguments)
