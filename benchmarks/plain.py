"""Part `plain`: the reference written with dramatiq and SQLAlchemy's ORM as they come, on the same servers."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import dramatiq

from benchmarks.figures import Figure, across_runs, latencies
from benchmarks.session import Session
from benchmarks.stack import Stack
from benchmarks.workload import set_state
from messages.ids import uuid7

_RATE_GUESS = 300
_PICK_UPS = 30
_PROCESSES, _THREADS = "2", "8"
_GIVE_UP_AFTER_S = 60.0


def plain(session: Session) -> list[Figure]:
    """Commands a second of the stock worker, and how long one alone takes."""
    with session.stack.another_database("plain") as url, _worker(session.stack, url) as bench:
        bench.flood(100)
        commands = session.enough(_RATE_GUESS)
        return across_runs(
            [
                Figure("plain", "commands/s", (bench.flood(commands),)),
                *latencies("plain: round trip, idle:", bench.calls(_PICK_UPS)),
            ]
            for _ in range(session.runs)
        )


class _Bench:
    """Sends to the stock worker, and reads its answers."""

    def __init__(self, actor: Any, orm: Any, client: Any) -> None:
        self._actor, self._orm, self._client = actor, orm, client

    def flood(self, commands: int) -> float:
        runs = self._new_runs(max(1, commands // 3))
        name = f"flood-{uuid7()}"
        begun, sent = time.monotonic(), 0
        for stage in ("PENDING", "RUNNING", "COMPLETED"):
            for run_id in runs:
                self._send(run_id, stage, name)
                sent += 1
        self._wait_for(name, sent)
        return sent / (time.monotonic() - begun)

    def calls(self, number: int) -> list[float]:
        (run_id,) = self._new_runs(1)
        return [self._call(run_id, count) for count in range(number)]

    def _call(self, run_id: UUID, count: int) -> float:
        # Not in step with the worker's own polling.
        time.sleep(0.05 + 0.037 * (count % 7))
        name, begun = f"call-{uuid7()}", time.perf_counter()
        self._send(run_id, "RUNNING", name)
        self._wait_for(name, 1)
        return time.perf_counter() - begun

    def _send(self, run_id: UUID, stage: str, name: str) -> None:
        self._actor.send(set_state(run_id, stage, name))

    def _wait_for(self, name: str, expected: int) -> None:
        stream, last, count = f"plain:replies:{name}", b"0-0", 0
        give_up_at = time.monotonic() + _GIVE_UP_AFTER_S
        while count < expected:
            found: Any = self._client.execute_command(
                "XREAD", "COUNT", 1_000, "BLOCK", 500, "STREAMS", stream, last
            )
            for entries in _streams(found):
                count, last = count + len(entries), entries[-1][0]
                give_up_at = time.monotonic() + _GIVE_UP_AFTER_S
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"{count} of {expected} answers")

    def _new_runs(self, number: int) -> list[UUID]:
        ids = [uuid7() for _ in range(number)]
        with self._orm.Session(self._orm.engine) as session, session.begin():
            session.add_all(self._orm.Run(id=each) for each in ids)
        return ids


def _streams(found: Any) -> Iterator[Any]:
    """Lists of entries, whichever form this version of the client gives them in."""
    pairs = found.items() if isinstance(found, dict) else found or ()
    for _, entries in pairs:
        yield (
            entries[0]
            if entries
            and isinstance(entries[0], list)
            and entries[0]
            and isinstance(entries[0][0], list | tuple)
            else entries
        )


@contextmanager
def _worker(stack: Stack, database_url: str) -> Iterator[_Bench]:
    """The stock worker with its defaults, but for the number of processes."""
    variables = {"BENCHMARK_DATABASE_URL": database_url, "BENCHMARK_REDIS_URL": stack.redis_url}
    os.environ.update(variables)
    from benchmarks import plain_actor

    plain_actor.Base.metadata.create_all(plain_actor.engine)
    argv = ("-m", "dramatiq", "benchmarks.plain_actor", "--processes", _PROCESSES, "--threads", _THREADS)
    stack.start("plain worker", *argv)
    try:
        yield _Bench(plain_actor.set_state, plain_actor, plain_actor.client)
    finally:
        stack.stop("plain worker")
        plain_actor.engine.dispose()
        dramatiq.get_broker().close()
        for name in variables:
            os.environ.pop(name)
