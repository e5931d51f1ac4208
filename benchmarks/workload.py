"""The commands that are measured: flow runs that are created, wait, run and complete. Pure.

Runs are gone through stage by stage, a whole group of them at a time, so that a command never meets its own
predecessor on the way: there is no `sequence` that would hold it back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from messages.enqueue import dramatiq_message
from messages.ids import uuid7

STAGES = ("create", "PENDING", "RUNNING", "COMPLETED")
SOURCE = "benchmark"
FLOWS = tuple(f"benchmark-{number}" for number in range(10))

Envelope = dict[str, Any]
Message = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Workload:
    """How many commands, sent how."""

    commands: int
    replyto: str
    window: int = 2_000
    batch: int = 1

    @property
    def group(self) -> int:
        """So many runs go through their stages together: twice as many as may be on their way."""
        return max(1, min(self.window * 2, self.commands // len(STAGES)))

    @property
    def outstanding(self) -> int:
        """So many commands may be unanswered at a time."""
        return max(self.batch, min(self.window, self.group // 2))

    @property
    def runs(self) -> int:
        return max(self.group, self.commands // len(STAGES) // self.group * self.group)


def envelopes(workload: Workload) -> Iterator[Envelope]:
    """The commands in the order in which they are sent."""
    for first in range(0, workload.runs, workload.group):
        ids = [uuid7() for _ in range(workload.group)]
        for stage in STAGES:
            for number, run_id in enumerate(ids, first):
                if stage == "create":
                    yield create(run_id, number, workload.replyto)
                else:
                    yield set_state(run_id, stage, workload.replyto)


def create(run_id: UUID, number: int, replyto: str) -> Envelope:
    """A run as a scheduler would ask for it."""
    data = {
        "id": str(run_id),
        "flow_name": FLOWS[number % len(FLOWS)],
        "parameters": {"day": "2026-11-23", "number": number, "regions": ["eu-west", "us-east"]},
        "tags": ["nightly", "benchmark"],
        "empirical_policy": {"retries": 2, "retry_delay": 30},
    }
    return envelope("flow_run.create", data, replyto)


def set_state(run_id: UUID, state_type: str, replyto: str) -> Envelope:
    """What an agent says of a run."""
    state = {"type": state_type, "message": f"the run is {state_type.lower()}"}
    return envelope("flow_run.set_state", {"flow_run_id": str(run_id), "state": state}, replyto)


def envelope(kind: str, data: dict[str, Any], replyto: str) -> Envelope:
    """A command or query as a producer sends it."""
    return {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": SOURCE,
        "type": kind,
        "data": data,
        "replyto": replyto,
    }


def encoded(workload: Workload) -> list[Message]:
    """Every message as it stands in Redis: (id, text)."""
    everything = envelopes(workload)
    if workload.batch == 1:
        return [dramatiq_message("commands", each) for each in everything]
    return [dramatiq_message("commands", _together(each)) for each in _in_parts(everything, workload.batch)]


def _together(commands: Sequence[Envelope]) -> Envelope:
    return {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": SOURCE,
        "type": "batch",
        "data": {"commands": list(commands)},
    }


def _in_parts(commands: Iterator[Envelope], size: int) -> Iterator[list[Envelope]]:
    part: list[Envelope] = []
    for command in commands:
        part.append(command)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
