"""What the other tests count on: databases and namespaces of their own."""

from collections.abc import Iterator

import psycopg
import pytest
from redis import Redis

from workers.settings import Settings


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_a_migrated_database_without_rows(database_url: str, time: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM flow_run").fetchone() == (0,), time
        connection.execute("CREATE TABLE left_behind ()")


def test_an_empty_database_has_no_tables(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() == (0,)


@pytest.fixture
def _keys_of_another(redis_url: str) -> Iterator[None]:
    with Redis.from_url(redis_url) as redis:
        redis.set("test-another:key", "1")
        yield
        assert redis.delete("test-another:key") == 1


@pytest.mark.usefixtures("_keys_of_another")
def test_the_keys_of_a_namespace_are_removed_and_no_others(redis_url: str, namespace: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.mset({f"{namespace}:commands": "1", f"{namespace}:events": "2"})


def test_settings_point_to_what_belongs_to_the_test(
    settings: Settings, database_url: str, namespace: str
) -> None:
    assert settings.database_url == database_url
    assert settings.namespace == namespace
