"""A folder to install packages into, and commands applied by an `Applier` with the policies found there."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from messages.ids import uuid7
from messages.registry import COMMANDS
from messages.wire import decode
from store.engine import Plans, open_engine
from store.transaction import Engine
from workers.pipeline.admit import admit_envelope
from workers.pipeline.apply import Applier
from workers.policies.known import RunPolicies
from workers.world.world import World

FRIDAY = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder from which Python imports; its modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@dataclass
class Desk:
    """Where commands are applied, one batch at a time, at a time of the test's choosing."""

    engine: Engine
    policies: RunPolicies
    now: datetime = FRIDAY

    def send(self, *commands: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """The `data` of the results, in the order of the commands."""
        envelopes = [
            {
                "specversion": "1.0",
                "id": str(uuid4()),
                "source": "tests",
                "type": kind,
                "replyto": "tests",
                "data": data,
            }
            for kind, data in commands
        ]
        applier = Applier(self.engine, self._world)
        applied = applier.apply([admit_envelope(each, b"", COMMANDS, self.now) for each in envelopes])
        told = {
            envelope["causationid"]: envelope["data"]
            for envelope in (decode(reply.envelope) for reply in applied.replies)
        }
        return [told[str(each["id"])] for each in envelopes]

    def a_flow_run(self, **fields: Any) -> str:
        run_id = str(uuid4())
        data = {"id": run_id, "flow_name": "flow", "state": {"type": "SCHEDULED"}, **fields}
        assert self.send(("flow_run.create", data))[0]["status"] == "OK"
        return run_id

    def a_task_run(self, flow_run_id: str, **fields: Any) -> str:
        task_run_id = str(uuid4())
        keys = {"task_key": "task", "dynamic_key": task_run_id}
        data = {"id": task_run_id, "flow_run_id": flow_run_id, **keys, **fields}
        assert self.send(("task_run.create", data))[0]["status"] == "OK"
        return task_run_id

    def move(self, run_id: str, to: str, policy: str, **more: Any) -> dict[str, Any]:
        return self.send(moving(run_id, to, policy, **more))[0]

    def _world(self) -> World:
        return World(clock=lambda: self.now, new_id=_new_id, dice=lambda: 0.5, run_policies=self.policies)


def _new_id() -> UUID:
    return uuid7()


def moving(run_id: str, to: str, policy: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """A command that proposes a state for a flow run."""
    data = {"flow_run_id": run_id, "state": {"type": to}, "policy": policy, **more}
    return "flow_run.set_state", data


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, pool_size=1, plans=Plans.BY_INDEX)
    yield engine
    engine.dispose()
