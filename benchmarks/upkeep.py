"""Parts `idle` and `memory`: what the stack costs when nothing happens, and what it keeps."""

import time
from typing import Any

from benchmarks.accounting import used
from benchmarks.figures import Figure, across_runs
from benchmarks.flood import flood
from benchmarks.session import Session
from benchmarks.stack import Stack
from benchmarks.workload import Workload

_LONGEST_S = 10.0
_QUARTERS = 4


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
    """Resident memory of the worker before, and after each quarter of the commands."""
    accounts = session.stack.accounts()
    flood(session.stack, Workload(4_000, "memory", session.window))
    readings = [accounts.resident_mib("worker")]
    commands = session.enough(session.maximum())
    for _ in range(_QUARTERS):
        flood(session.stack, Workload(max(400, commands // _QUARTERS), "memory", session.window))
        readings.append(accounts.resident_mib("worker"))
    return [
        Figure("memory: commands", "", (float(commands),)),
        Figure("memory: worker before", "MiB", (readings[0],)),
        *(
            Figure(f"memory: worker after {quarter} of {_QUARTERS} parts", "MiB", (value,))
            for quarter, value in enumerate(readings[1:], 1)
        ),
        Figure("memory: growth in the second half", "MiB", (readings[4] - readings[2],)),
    ]
