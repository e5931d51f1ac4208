"""A version and the next one side by side: what the next one's migrations leave to the processes that run."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from redis import Redis
from sqlalchemy.exc import DBAPIError

from store import schema
from store.engine import open_engine
from store.errors import SchemaMismatch, StoreError
from store.migrate import History, is_contract, newest, require_current, upgrade
from tests.contract.wire import Wire
from tests.crashes.processes import PROJECT, Fleet, until
from tests.migrations.later import EXPAND, Later
from tests.migrations.test_migrations import version_of
from workers.settings import Settings


@pytest.fixture
def later(tmp_path: Path) -> Later:
    return Later(tmp_path / "later")


def fits(url: str, history: History | None = None) -> None:
    """Raises if the code that knows this history, or today's, does not work with the database."""
    engine = open_engine(url, pool_size=1)
    try:
        require_current(engine, history or History())
    finally:
        engine.dispose()


def test_this_versions_processes_work_on_while_the_next_ones_schema_comes(
    settings: Settings, later: Later
) -> None:
    later.add("7001", *EXPAND)
    later.add("7002", 'create_index_concurrently("ix_colour", "flow_run", ["colour"])')
    with Fleet(settings) as fleet, Redis.from_url(settings.redis_url, decode_responses=True) as redis:
        fleet.start("worker", "relay", "clock")
        wire = Wire(redis, settings.namespace)
        runs = [wire.new_run() for _ in range(3)]
        assert [wire.set_state(run, "PENDING")["status"] for run in runs] == ["ACCEPT"] * 3
        sent = [wire.envelope("flow.upsert", {"name": f"f-{number}"}) for number in range(300)]
        wire.send(*sent[:150])
        upgrade(settings.database_url, history=later.history)
        wire.send(*sent[150:])
        assert version_of(settings.database_url) == "7002"
        assert {wire.answer(each)["data"]["status"] for each in sent} == {"OK"}
        # What was prepared before the tables changed, and what is started after it.
        assert [wire.set_state(run, "RUNNING")["status"] for run in runs] == ["ACCEPT"] * 3
        fleet.start("worker", "relay", "clock")
        assert wire.data("flow_run.count", {})["count"] == 3
        assert [wire.set_state(run, "COMPLETED")["status"] for run in runs] == ["ACCEPT"] * 3
        assert [wire.data("flow_run.read", {"id": run})["found"] for run in runs] == [True] * 3


def test_code_works_with_a_newer_schema_that_says_so_and_with_no_other(
    database_url: str, later: Later
) -> None:
    later.add("7001", *EXPAND)
    upgrade(database_url, history=later.history)
    fits(database_url)
    fits(database_url, later.history)
    later.add("7002", 'op.execute("ALTER TABLE flow DROP COLUMN labels")', oldest="7001")
    upgrade(database_url, history=later.history, contract=True)
    fits(database_url, later.history)
    with pytest.raises(SchemaMismatch, match=r"schema 7002 is newer .*: upgrade Interlock"):
        fits(database_url)
    # And so says an older version's `interlock migrate`, which leaves it as it is.
    with pytest.raises(SchemaMismatch, match=r"7002 is newer"):
        upgrade(database_url)


def test_an_older_schema_is_not_worked_with(database_url: str, later: Later) -> None:
    later.add("7001", *EXPAND)
    with pytest.raises(SchemaMismatch, match=r"this version needs 7001: run `interlock migrate`"):
        fits(database_url, later.history)


def test_what_takes_away_is_left_out_until_it_is_asked_for(database_url: str, later: Later) -> None:
    later.add("7001", *EXPAND)
    later.add("7002", 'op.execute("ALTER TABLE flow DROP COLUMN labels")', oldest="7001")
    upgrade(database_url, history=later.history)
    assert version_of(database_url) == "7001"
    # The code of that version needs no more than this.
    fits(database_url, later.history)
    upgrade(database_url, history=later.history, contract=True)
    assert version_of(database_url) == "7002"
    fits(database_url, later.history)


def test_a_version_is_not_left_out_by_accident(database_url: str, later: Later) -> None:
    later.add("7001", 'op.execute("ALTER TABLE flow DROP COLUMN labels")', oldest="7001")
    later.add("7002", *EXPAND, oldest="7001")
    with pytest.raises(
        SchemaMismatch, match=r"7001 takes away .* stop those, then run `interlock migrate --contract`"
    ):
        upgrade(database_url, history=later.history)
    assert version_of(database_url) == newest()


def test_no_migration_of_ours_but_a_contract_step_stops_older_code() -> None:
    steps = History().steps()
    assert [step.revision for step in steps if is_contract(step, steps)] == []


def test_a_migration_that_meets_a_locked_table_gives_up_soon_and_changes_nothing(
    database_url: str, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    later.add("7001", *EXPAND[1:], EXPAND[0])

    def impatient(url: str, *, contract: bool = False) -> None:
        upgrade(url, contract=contract, history=later.history, lock_wait_ms=200)

    monkeypatch.setattr(schema, "upgrade", impatient)
    with psycopg.connect(database_url) as busy:
        busy.execute("LOCK TABLE flow_run IN ACCESS SHARE MODE")
        with pytest.raises(
            StoreError, match=r"gave up .* what it had begun is undone, and the schema is 0001"
        ):
            schema.migrate(database_url)
    assert version_of(database_url) == newest()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT to_regclass('colour')").fetchone() == (None,)
    assert schema.migrate(database_url) == (newest(), "7001")


MIGRATE = """
import sys
from pathlib import Path
from store.migrate import History, upgrade
upgrade(sys.argv[1], history=History((Path(sys.argv[2]),)))
"""


@pytest.fixture
def begun(database_url: str, later: Later, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in the middle of a migration that takes as long as there is a flow named `slow`."""
    slow = "SELECT pg_sleep(600) FROM flow WHERE name = 'slow'"
    later.add("7001", EXPAND[0])
    later.add("7002", EXPAND[2], f'op.execute("{slow}")', EXPAND[1])
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO flow VALUES (%s, now(), now(), 'slow')", (uuid4(),))
    process = subprocess.Popen(
        [sys.executable, "-c", MIGRATE, database_url, str(tmp_path / "later")],
        cwd=PROJECT,
        env=dict(os.environ),
    )
    yield process
    process.kill()
    process.wait()


def test_a_migration_killed_half_way_is_finished_by_the_next_run(
    database_url: str, later: Later, begun: "subprocess.Popen[bytes]"
) -> None:
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%%pg_sleep(6%%'"
    with psycopg.connect(database_url, autocommit=True) as connection:
        until(lambda: connection.execute(asleep + " AND pid <> pg_backend_pid()").fetchone() == (1,), 30)
        begun.send_signal(signal.SIGKILL)
        begun.wait(10)
        connection.execute("DELETE FROM flow WHERE name = 'slow'")
    # The first of two is done; what the second had begun is undone, and its lock is free.
    assert version_of(database_url) == "7001"
    upgrade(database_url, history=later.history)
    assert version_of(database_url) == "7002"
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT weight FROM command")
        connection.execute("SELECT name FROM colour")


def test_an_index_that_a_killed_attempt_has_left_broken_is_made_anew(database_url: str, later: Later) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name in ("same", "same "):
            connection.execute("INSERT INTO flow VALUES (%s, now(), now(), %s)", (uuid4(), name))
        # As a CREATE INDEX CONCURRENTLY leaves it that was broken off.
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_trimmed ON flow (rtrim(name))")
        connection.execute("ALTER INDEX ix_trimmed RENAME TO ix_flow_updated")
    later.add("7001", 'create_index_concurrently("ix_flow_updated", "flow", ["updated"])')
    upgrade(database_url, history=later.history)
    with psycopg.connect(database_url) as connection:
        valid = "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = %s::regclass"
        row = connection.execute(valid, ("ix_flow_updated",)).fetchone()
    assert row is not None
    assert row[0] is True
    assert "(updated)" in row[1]


def test_a_fault_of_a_migration_is_no_lock(database_url: str, later: Later) -> None:
    later.add("7001", 'op.execute("SELECT 1 / 0")')
    with pytest.raises(DBAPIError, match="division by zero"):
        upgrade(database_url, history=later.history)
    assert version_of(database_url) == newest()
