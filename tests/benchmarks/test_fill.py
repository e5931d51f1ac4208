"""A filled database is as one that was in use, and the same for the same seed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from benchmarks.fill import fill
from benchmarks.fill_rows import CHUNK, DEPLOYMENTS, FLOWS, RUNNING, SCHEDULED, Sizes, chunks
from tests.servers import Servers, fresh_database

RUNS = 5_000
UNTIL = datetime(2026, 5, 4, 12, tzinfo=UTC)
TABLES = (
    "flow",
    "work_pool",
    "work_queue",
    "deployment",
    "flow_run",
    "flow_run_state",
    "task_run",
    "task_run_state",
)
Ask = Callable[[str], tuple[object, ...]]
_SHAPE = """
SELECT array_agg(each ORDER BY each) FROM (
  SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = ANY(%(tables)s::text[]::regclass[])
  UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = ANY(%(tables)s::text[]::regclass[])
  UNION ALL SELECT relname || reloptions::text FROM pg_class WHERE oid = ANY(%(tables)s::text[]::regclass[])
) known (each)
"""


@contextmanager
def filled(servers: Servers, template: str, *, seed: int = 1) -> Iterator[psycopg.Connection]:
    with fresh_database(servers, template) as url:
        fill(url, RUNS, seed=seed, until=UNTIL, tell=lambda _: None)
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection


@pytest.fixture(scope="module")
def database(servers: Servers, template_database: str) -> Iterator[psycopg.Connection]:
    with filled(servers, template_database) as connection:
        yield connection


@pytest.fixture
def ask(database: psycopg.Connection) -> Ask:
    def answer(statement: str) -> tuple[object, ...]:
        row = database.execute(statement.encode()).fetchone()
        assert row is not None
        return row

    return answer


def content(connection: psycopg.Connection) -> dict[str, object]:
    """What each table holds, in one number."""
    found = {}
    for table in TABLES:
        row = connection.execute(
            f"SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM {table} t".encode()
        ).fetchone()
        found[table] = row and row[0]
    return found


def shape(connection: psycopg.Connection) -> object:
    return connection.execute(_SHAPE, {"tables": [*TABLES]}).fetchone()


def test_there_are_as_many_as_were_asked_for(ask: Ask) -> None:
    assert ask("SELECT count(*) FROM flow") == (FLOWS,)
    assert ask("SELECT count(*) FROM deployment") == (DEPLOYMENTS,)
    assert ask("SELECT count(*) FROM flow_run WHERE end_time IS NOT NULL OR state_type = 'CANCELLED'") == (
        RUNS,
    )
    assert ask("SELECT count(*) FROM flow_run WHERE state_type = 'RUNNING'") == (RUNNING,)
    assert ask("SELECT count(*) FROM flow_run WHERE state_type = 'SCHEDULED'") == (SCHEDULED,)


def test_a_twentieth_has_one_to_nine_task_runs(ask: Ask) -> None:
    assert ask(
        "SELECT count(*), min(tasks), max(tasks) FROM (SELECT count(*) AS tasks FROM task_run GROUP BY flow_run_id) t"
    ) == (RUNS // 20, 1, 9)


def test_the_last_task_run_of_each_starts_a_subflow_run(ask: Ask) -> None:
    assert ask("SELECT count(*) FROM flow_run WHERE parent_task_run_id IS NOT NULL") == (RUNS // 20,)
    assert ask(
        "SELECT count(*) FROM flow_run f JOIN task_run t ON t.id = f.parent_task_run_id "
        "WHERE EXISTS (SELECT FROM task_run o WHERE o.flow_run_id = t.flow_run_id "
        "AND o.dynamic_key::int > t.dynamic_key::int)"
    ) == (0,)


@pytest.mark.parametrize("run", ["flow_run", "task_run"])
def test_each_run_points_to_its_only_state(ask: Ask, run: str) -> None:
    (runs,) = ask(f"SELECT count(*) FROM {run}")
    assert ask(f"SELECT count(*) FROM {run}_state") == (runs,)
    assert ask(
        f"SELECT count(*) FROM {run} r JOIN {run}_state s ON s.id = r.state_id AND s.{run}_id = r.id "
        "AND s.type = r.state_type AND s.name = r.state_name AND s.timestamp = r.state_timestamp"
    ) == (runs,)


def test_times_are_in_order_and_tell_the_run_time(ask: Ask) -> None:
    assert ask(
        "SELECT count(*) FROM flow_run WHERE start_time < created OR end_time < start_time OR updated < created "
        "OR abs(total_run_time - extract(epoch FROM coalesce(end_time - start_time, '0'))) > 0.001 "
        "OR (run_count = 0) <> (start_time IS NULL)"
    ) == (0,)


def test_runs_are_made_in_the_order_of_their_ids(ask: Ask) -> None:
    assert ask(
        "SELECT count(*) FROM (SELECT created - lag(created) OVER (ORDER BY id) AS later FROM flow_run) f "
        "WHERE later < '0'"
    ) == (0,)


def test_most_runs_complete_and_few_are_rare(ask: Ask) -> None:
    shares = ask(
        "SELECT avg((state_type = 'COMPLETED')::int)::float8, avg((state_type = 'FAILED')::int)::float8, "
        "avg((tags ? 'rare')::int)::float8 FROM flow_run WHERE state_type NOT IN ('RUNNING', 'SCHEDULED')"
    )
    assert shares == (
        pytest.approx(0.9, abs=0.02),
        pytest.approx(0.06, abs=0.02),
        pytest.approx(0.001, abs=0.002),
    )


def test_a_seed_tells_every_row(
    servers: Servers, template_database: str, database: psycopg.Connection
) -> None:
    with filled(servers, template_database) as again:
        assert content(again) == content(database)
    with filled(servers, template_database, seed=2) as other:
        assert not content(other).items() & content(database).items()


def test_the_schema_is_as_it_was(
    servers: Servers, template_database: str, database: psycopg.Connection
) -> None:
    with fresh_database(servers, template_database) as url, psycopg.connect(url) as empty:
        assert shape(empty) == shape(database)


def test_a_database_with_runs_is_left_alone(database: psycopg.Connection) -> None:
    url = database.info.dsn
    before = content(database)
    with pytest.raises(RuntimeError, match="name an empty one"):
        fill(url, 1)
    assert content(database) == before


def test_portions_are_all_runs_once() -> None:
    found = [number for each in chunks(Sizes(2 * CHUNK + 7, 1, UNTIL)) for number in each]
    assert found == list(range(-RUNNING - SCHEDULED, 2 * CHUNK + 7))
