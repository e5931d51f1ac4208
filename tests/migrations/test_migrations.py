"""The schema: made by migrations alone, whoever runs them, and refused where it is another one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from store.engine import open_engine
from store.errors import SchemaMismatch
from store.migrate import newest, require_current, upgrade
from store.tables.all import metadata
from store.transaction import Engine


def engine_for(url: str) -> Engine:
    return open_engine(url, pool_size=1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Of a database with the current schema."""
    engine = engine_for(database_url)
    yield engine
    engine.dispose()


def version_of(url: str) -> str:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert len(rows) == 1
    return str(rows[0][0])


def set_version(url: str, version: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (version,))


def checks_of(url: str) -> dict[str, str]:
    """All CHECK constraints, by name: alembic does not compare them."""
    statement = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'"
    with psycopg.connect(url) as connection:
        return dict(connection.execute(statement).fetchall())


def test_an_empty_database_is_brought_to_the_newest_schema(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    assert version_of(empty_database_url) == newest()
    engine = engine_for(empty_database_url)
    require_current(engine)
    engine.dispose()


def test_the_migrated_schema_is_that_of_the_tables(engine: Engine) -> None:
    options = {"compare_type": True, "compare_server_default": True}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_checks_of_the_migrated_schema_are_those_of_the_tables(
    database_url: str, empty_database_url: str
) -> None:
    engine = engine_for(empty_database_url)
    metadata.create_all(engine)
    engine.dispose()
    assert checks_of(database_url) == checks_of(empty_database_url)


def test_migrating_again_changes_nothing(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO flow VALUES (gen_random_uuid(), now(), now(), 'kept')")
    upgrade(database_url)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT name FROM flow").fetchall() == [("kept",)]


def test_processes_that_migrate_at_once_wait_for_each_other(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(upgrade, 4 * [empty_database_url]))
    assert version_of(empty_database_url) == newest()


def test_a_missing_schema_is_refused_with_what_to_do(empty_database_url: str) -> None:
    engine = engine_for(empty_database_url)
    with pytest.raises(SchemaMismatch, match=r"schema is missing.*run `interlock migrate`"):
        require_current(engine)
    engine.dispose()


def test_a_newer_schema_is_refused_with_what_to_do(database_url: str, engine: Engine) -> None:
    set_version(database_url, "9999_from_the_future")
    with pytest.raises(SchemaMismatch, match=r"9999_from_the_future is newer.*upgrade Interlock"):
        require_current(engine)
