"""Parts `idle` and `memory`: what the stack costs when nothing happens, and what it keeps."""

import time
from dataclasses import replace
from typing import Any

from benchmarks.accounting import used
from benchmarks.commands import BULK
from benchmarks.figures import Figure, across_runs
from benchmarks.flood import flood
from benchmarks.session import Session
from benchmarks.stack import Stack
from benchmarks.workload import STAGES, Workload

_LONGEST_S = 10.0
_QUARTERS = 4
# So many messages of many commands wait or are in hand.
_BACKLOG = 24


def idle(session: Session) -> list[Figure]:
    """Redis commands a second and CPU of one process of each kind while nobody sends anything."""
    seconds = min(_LONGEST_S, session.seconds)
    time.sleep(min(2.0, seconds))
    return across_runs(_at_rest(session.stack, seconds) for _ in range(session.runs))


def _at_rest(stack: Stack, seconds: float) -> list[Figure]:
    accounts = stack.accounts()
    before, calls_before, begun = accounts.cpu(), _redis_calls(stack), time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - begun
    cpu = used(before, accounts.cpu())
    calls = _redis_calls(stack) - calls_before
    rows = [Figure("idle: Redis commands", "commands/s", (calls / elapsed,))]
    return rows + [
        Figure(f"idle: CPU of {name}", "% of a core", (spent / elapsed / len(accounts.pids[name]) * 100,))
        for name, spent in cpu.items()
    ]


def _redis_calls(stack: Stack) -> int:
    """All commands so far, those inside scripts included, but for our own looking."""
    with stack.redis() as client:
        statistics: Any = client.info("commandstats")
    return sum(
        each["calls"] for name, each in statistics.items() if name not in ("cmdstat_info", "cmdstat_hello")
    )


def memory(session: Session) -> list[Figure]:
    """Resident memory of the worker before, and after each quarter of the commands: one in a message, then many, with
    a queue that is never empty."""
    return [
        *_growth(session, "memory", Workload(4_000, "memory", session.window)),
        *_growth(session, "memory of bulk", Workload(24_000, "memory", _BACKLOG * BULK, BULK)),
    ]


def _growth(session: Session, name: str, least: Workload) -> list[Figure]:
    accounts = session.stack.accounts()
    flood(session.stack, least)
    readings = [accounts.resident_mib("worker")]
    commands = session.enough(session.maximum())
    part = replace(least, commands=max(2 * least.window, commands // _QUARTERS))
    for _ in range(_QUARTERS):
        flood(session.stack, part)
        readings.append(accounts.resident_mib("worker"))
    return [
        Figure(f"{name}: commands", "", (float(_QUARTERS * len(STAGES) * part.runs),)),
        Figure(f"{name}: worker before", "MiB", (readings[0],)),
        *(
            Figure(f"{name}: worker after {quarter} of {_QUARTERS} parts", "MiB", (value,))
            for quarter, value in enumerate(readings[1:], 1)
        ),
        Figure(f"{name}: growth in the second half", "MiB", (readings[4] - readings[2],)),
    ]
