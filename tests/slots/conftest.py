"""Limits and holders in a database of the test's own, and `interlock slots` run on it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from messages.catalog import ConcurrencyLimit
from messages.fields import Id
from messages.ids import uuid7
from messages.runs import FlowRun, TaskRun
from messages.states import StateType
from store.engine import open_engine
from store.limits import LIMITS, Slot, insert_slots
from store.rows import plain
from store.transaction import transaction
from tests.reads.builders import World
from workers.cli.main import app
from workers.now import now


class Limits:
    """What is in the database. Everything is committed at once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def limit(self, name: str, **values: Any) -> ConcurrencyLimit:
        """A limit of three slots, made a minute ago."""
        moment = now() - timedelta(minutes=1)
        given = {"limit": 3, **values}
        limit = ConcurrencyLimit(id=uuid7(), created=moment, updated=moment, name=name, **given)
        with transaction(self.engine) as connection:
            LIMITS.insert(connection, [limit])
        return limit

    def flow_run(self, name: str, state: StateType = StateType.RUNNING) -> FlowRun:
        """A flow run of a flow of its own."""
        with transaction(self.engine) as connection:
            world = World(connection)
            return world.flow_run(state, flow_id=world.flow(name=f"flow of {name}").id, name=name)

    def task_run(self, name: str, state: StateType = StateType.RUNNING) -> TaskRun:
        """A task run without a flow run."""
        with transaction(self.engine) as connection:
            return World(connection).task_run(None, state, name=name)

    def held(self, limit: ConcurrencyLimit, holder: FlowRun | TaskRun | None = None, **values: Any) -> Slot:
        """A run's slot; or, without a run, a lease's."""
        is_flow_run, is_task_run = isinstance(holder, FlowRun), isinstance(holder, TaskRun)
        given = {"slots": 1, "acquired_at": now() - timedelta(minutes=3), **values}
        slot = Slot(
            id=uuid7(),
            limit_id=limit.id,
            holder_kind="flow_run" if is_flow_run else "task_run" if is_task_run else "lease",
            flow_run_id=holder.id if isinstance(holder, FlowRun) else None,
            task_run_id=holder.id if isinstance(holder, TaskRun) else None,
            lease_id=uuid7() if holder is None else None,
            **given,
        )
        with transaction(self.engine) as connection:
            insert_slots(connection, [plain(slot)])
        return slot

    def left(self) -> dict[Id, int]:
        """Who holds how many slots."""
        with transaction(self.engine) as connection:
            rows = connection.exec_driver_sql(
                "SELECT coalesce(flow_run_id, task_run_id, lease_id), slots FROM concurrency_slot"
            )
            return {row[0]: row[1] for row in rows}


def soon(seconds: float = 90) -> datetime:
    """A time to come."""
    return now() + timedelta(seconds=seconds)


@pytest.fixture
def limits(database_url: str) -> Iterator[Limits]:
    engine = open_engine(database_url, pool_size=3)
    yield Limits(engine)
    engine.dispose()


Slots = Callable[..., Result]


@pytest.fixture
def slots(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Slots:
    """Runs `interlock slots` with these arguments."""
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", database_url)

    def run(*args: object, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, ["slots", *map(str, args)], input=answer)

    return run
