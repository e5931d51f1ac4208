"""Runs made by commands, and `interlock runs` over them; no process runs."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from store.engine import open_engine
from tests.cli.command import Ended, Shell
from tests.pipeline.workshop import Workshop, command
from workers.settings import Settings


@dataclass
class Runs:
    """Applies commands, as a worker would."""

    workshop: Workshop

    def do(self, kind: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
        """The data of the result; empty if the command was parked or set aside."""
        results = self.workshop.handle(command(kind, data, **attributes))
        return dict(results[-1]["data"]) if results else {}

    def create(self, flow: str = "orders", *states: str | dict[str, Any], **data: Any) -> str:
        """A flow run that goes through these states."""
        made = self.do("flow_run.create", {"flow_name": flow, **data})
        ident = str(made["flow_run"]["id"])
        for state in states:
            self.set_state(ident, state)
        return ident

    def set_state(self, ident: str, state: str | dict[str, Any], kind: str = "flow_run") -> None:
        """Proposes a state, by its type or as a whole."""
        whole = {"type": state} if isinstance(state, str) else state
        told = self.do(f"{kind}.set_state", {f"{kind}_id": ident, "state": whole})
        assert told["status"] in ("ACCEPT", "REJECT", "WAIT"), told

    def task(self, flow_run: str, *states: str | dict[str, Any], **data: Any) -> str:
        """A task run that goes through these states."""
        given = {"flow_run_id": flow_run, "task_key": "load", "dynamic_key": "0", **data}
        ident = str(self.do("task_run.create", given)["task_run"]["id"])
        for state in states:
            self.set_state(ident, state, "task_run")
        return ident


@pytest.fixture
def runs(database_url: str) -> Iterator[Runs]:
    engine = open_engine(database_url, pool_size=5)
    yield Runs(Workshop(engine, database_url))
    engine.dispose()


@pytest.fixture
def shell(settings: Settings, tmp_path: Path) -> Shell:
    """Redis is away: these words do not need it."""
    return Shell(tmp_path, database_url=settings.database_url, redis_url="redis://127.0.0.1:1/0")


Word = Callable[..., Ended]


@pytest.fixture
def word(shell: Shell) -> Word:
    """Runs `interlock runs` with these arguments."""
    return lambda *args: shell.run("runs", *map(str, args))


def told(ended: Ended) -> Any:
    """What a word has printed for programs, on one line."""
    assert (ended.status, ended.err) == (0, "")
    return json.loads(ended.out)
