"""What producers ask for while everything is being killed: made from a seed, so that it can be made again."""

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from tests.crashes.producer import Envelope, Producer

_LIFE = ("SCHEDULED", "PENDING", "RUNNING", "COMPLETED")
_ANY_STATE = (*_LIFE, "FAILED", "CRASHED", "CANCELLING", "CANCELLED", "PAUSED")


class Load:
    """Commands on flow runs and task runs. Ordered runs have a key and numbers, the others take what comes."""

    def __init__(self, producer: Producer, seed: int) -> None:
        self._producer, self._random = producer, random.Random(seed)

    def setup(self, limit: int) -> list[Envelope]:
        """A flow, a deployment with a limit, and runs that exist before everything else."""
        deployment = {"id": self._id(), "name": "d", "flow_name": "load", "concurrency_limit": limit}
        self._deployment = deployment["id"]
        self._free_runs = [self._id() for _ in range(20)]
        return [
            self._command("deployment.upsert", deployment),
            *(
                self._command(
                    "flow_run.create", {"id": run, "flow_name": "load", "deployment_id": self._deployment}
                )
                for run in self._free_runs
            ),
        ]

    def commands(self, ordered_runs: int, free_commands: int) -> list[Envelope]:
        """All commands, in an order that no producer intended."""
        commands = [each for _ in range(ordered_runs) for each in self._ordered_run()]
        commands += [self._free() for _ in range(free_commands)]
        self._random.shuffle(commands)
        return commands

    def messages(self, commands: list[Envelope]) -> Iterator[list[Envelope]]:
        """What is sent at a time: single commands, batches, and copies of what was sent before."""
        waiting = list(commands)
        copies = self._random.sample(commands, len(commands) // 5)
        while waiting:
            size = self._random.choice((1, 1, 1, 5, 20))
            yield [waiting.pop() for _ in range(min(size, len(waiting)))]
            if copies and self._random.random() < 0.4:
                yield [copies.pop()]
        yield from ([copy] for copy in copies)

    def _ordered_run(self) -> Iterator[Envelope]:
        run, number = self._id(), iter(range(1, 100))

        def ordered(kind: str, data: dict[str, Any]) -> Envelope:
            return self._command(kind, data, partitionkey=run, sequence=str(next(number)))

        yield ordered("flow_run.create", {"id": run, "flow_name": "load"})
        for state in _LIFE[: self._random.randint(2, 4)]:
            yield ordered("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}})
            if self._random.random() < 0.5:
                yield ordered("flow_run.update", {"flow_run_id": run, "tags": [state]})
            if self._random.random() < 0.3:
                yield ordered("flow_run.set_labels", {"flow_run_id": run, "labels": {state: True}})
        task = self._id()
        keys = {"task_key": "t", "dynamic_key": task}
        yield ordered(
            "task_run.create", {"id": task, "flow_run_id": run, **keys, "state": {"type": "PENDING"}}
        )
        yield ordered("task_run.set_state", {"task_run_id": task, "state": {"type": "RUNNING"}})
        if self._random.random() < 0.1:
            yield ordered("flow_run.update", {"flow_run_id": run, "misspelt": True})
        if self._random.random() < 0.1:
            yield ordered("task_run.delete", {"task_run_id": task})

    def _free(self) -> Envelope:
        run = self._random.choice(self._free_runs)
        chance = self._random.random()
        if chance < 0.7:
            state = {"type": self._random.choice(_ANY_STATE)}
            force = self._random.random() < 0.3
            return self._command("flow_run.set_state", {"flow_run_id": run, "state": state, "force": force})
        if chance < 0.85:
            return self._command("flow_run.set_labels", {"flow_run_id": run, "labels": {"l": chance}})
        return self._command("flow_run.update", {"flow_run_id": run, "parameters": {"p": chance}})

    def _command(self, kind: str, data: dict[str, Any], **attributes: Any) -> Envelope:
        return self._producer.command(kind, data, id=self._id(), **attributes)

    def _id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))
