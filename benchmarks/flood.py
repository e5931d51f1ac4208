"""Commands through the whole stack: from the first enqueueing until the last result is read."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any
from uuid import uuid4

from benchmarks import reading, sending
from benchmarks.accounting import used
from benchmarks.figures import Figure
from benchmarks.stack import Stack
from benchmarks.workload import STAGES, Workload

_EVENTS_WITHIN_S = 120.0
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Flood:
    """What came of it."""

    commands: int
    seconds: float
    #: CPU seconds by process
    cpu: dict[str, float]
    transactions: float
    errors: int
    #: how long after the last result the last event was published
    events_after_s: float
    replies: str = field(default="")

    @property
    def rate(self) -> float:
        return self.commands / self.seconds

    def figures(self, name: str) -> list[Figure]:
        """As rows of a table."""
        rows = [Figure(name, "commands/s", (self.rate,))]
        rows.append(Figure(f"{name}: commands per transaction", "", (self.commands / self.transactions,)))
        rows.append(Figure(f"{name}: last event after the last result", "s", (self.events_after_s,)))
        for process, seconds in self.cpu.items():
            rows.append(Figure(f"{name}: CPU of {process}", "us/command", (seconds / self.commands * 1e6,)))
        total = sum(self.cpu.values())
        rows.append(Figure(f"{name}: cores in use", "", (total / self.seconds,)))
        # What the same CPU time would bear if nobody else used the machine, and nobody ever waited.
        bearable = (os.cpu_count() or 1) * self.commands / total
        rows.append(Figure(f"{name}: bound set by CPU", "commands/s", (bearable,)))
        return rows


def flood(stack: Stack, workload: Workload, rate: float | None = None) -> Flood:
    """Sends a workload, as fast as it is answered or at a rate.

    Raises:
        RuntimeError: if results are missing, or are errors: then nothing was measured.
    """
    with flowing(stack, workload, rate) as flow:
        pass
    return flow.outcome()


@contextmanager
def flowing(stack: Stack, workload: Workload, rate: float | None = None) -> Iterator["Flow"]:
    """A flood that goes on while the block runs; at the end of the block it is waited for."""
    unique = replace(workload, replyto=f"{workload.replyto}-{uuid4().hex[:8]}")
    flow = Flow(stack, unique, rate)
    try:
        flow.begin()
        yield flow
        flow.wait()
    finally:
        flow.clean_up()


class Flow:
    """The producer and the reader of one flood."""

    def __init__(self, stack: Stack, workload: Workload, rate: float | None) -> None:
        self._stack, self._workload = stack, workload
        self._expected = workload.runs * len(STAGES)
        self.stream = f"{stack.namespace}:replies:{workload.replyto}"
        answered = _SPAWN.Value("q", 0, lock=False)
        here = (stack.redis_url, stack.namespace, workload, rate, answered)
        self._sender, self._from_sender = _process(sending.send, *here)
        there = (stack.redis_url, self.stream, self._expected, answered)
        self._reader, self._from_reader = _process(reading.read, *there)
        self._outcome: Flood | None = None

    def begin(self) -> None:
        """Starts both once everything is encoded."""
        self._sender.start()
        self._reader.start()
        assert self._from_sender.recv() == self._from_reader.recv() == "ready"
        self._before = self._state()
        self._from_reader.send("go")
        self._from_sender.send("go")

    def wait(self) -> None:
        """Until the last result is read, and the last event published. Waiting again does no harm."""
        if self._outcome is not None:
            return
        sent: sending.Sent = self._from_sender.recv()
        read: reading.Read = self._from_reader.recv()
        if read.results != self._expected or read.errors:
            raise RuntimeError(
                f"{read.results} of {self._expected} results, {read.errors} errors: {read.first_error}\n"
                f"{self._stack.said('worker')}"
            )
        events_after_s = self._wait_for_events(read.ended)
        cpu, transactions, _ = self._state()
        before, transactions_before, _ = self._before
        self._outcome = Flood(
            commands=self._expected,
            seconds=read.ended - sent.begun,
            cpu={**used(before, cpu), "producer": sent.cpu_s, "reader": read.cpu_s},
            transactions=max(1.0, transactions - transactions_before),
            errors=read.errors,
            events_after_s=events_after_s,
        )

    def outcome(self) -> Flood:
        assert self._outcome is not None
        return self._outcome

    def clean_up(self) -> None:
        """Ends both processes, and removes the reply stream."""
        for process in (self._sender, self._reader):
            if process.pid is None:
                continue
            if process.is_alive():
                process.join(5)
                process.terminate()
            process.join()
        with self._stack.redis() as client:
            client.delete(self.stream)

    def _state(self) -> tuple[dict[str, float], float, int]:
        # One row of the outbox for each transaction.
        rows = self._stack.one("SELECT coalesce(max(id), 0) FROM outbox")
        return self._stack.accounts().cpu(), rows, self._events()

    def _events(self) -> int:
        with self._stack.redis() as client:
            stream = f"{self._stack.namespace}:events"
            if not client.exists(stream):
                return 0
            information: Any = client.xinfo_stream(stream)
        return int(information["entries-added"])

    def _wait_for_events(self, since: float) -> float:
        """Each command has one event."""
        wanted = self._before[2] + self._expected
        while self._events() < wanted:
            if time.monotonic() - since > _EVENTS_WITHIN_S:
                raise RuntimeError(f"the relay is late:\n{self._stack.said('relay')}")
            time.sleep(0.02)
        return time.monotonic() - since


def _process(work: Any, *arguments: Any) -> tuple[Any, Connection]:
    ours, theirs = _SPAWN.Pipe()
    return _SPAWN.Process(target=work, args=(*arguments, theirs), daemon=True), ours
