"""What a transaction's failure means, and that nothing of it stays."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from messages.catalog import Flow
from store import driver
from store.catalog import FLOWS
from store.engine import Timeouts, open_engine
from store.errors import Raced, StoreUnavailable, Unstorable
from store.transaction import Engine, session, transaction

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def flow(name: str) -> Flow:
    return Flow(id=uuid4(), created=NOON, updated=NOON, name=name)


def names(engine: Engine) -> list[str]:
    with transaction(engine) as connection:
        return [str(name) for name in driver.scalars(connection, "SELECT name FROM flow ORDER BY name")]


def test_all_of_a_transaction_is_committed_or_nothing(engine: Engine) -> None:
    with transaction(engine) as connection:
        FLOWS.insert(connection, [flow("kept")])
    fails = pytest.raises(ZeroDivisionError)
    with fails, transaction(engine) as connection:
        FLOWS.insert(connection, [flow("lost")])
        raise ZeroDivisionError
    assert names(engine) == ["kept"]


def test_a_key_that_another_was_first_to_take_is_a_race(engine: Engine) -> None:
    with transaction(engine) as connection:
        FLOWS.insert(connection, [flow("a")])
    with pytest.raises(Raced), transaction(engine) as connection:
        FLOWS.insert(connection, [flow("b"), flow("a")])
    assert names(engine) == ["a"]


def test_a_lock_that_somebody_keeps_is_waited_for_and_then_again_later(engine: Engine) -> None:
    one = flow("a")
    with transaction(engine) as connection:
        FLOWS.insert(connection, [one])
    with transaction(engine) as first:
        FLOWS.load(first, [one.id], lock=True)
        with pytest.raises(StoreUnavailable), transaction(engine) as second:
            FLOWS.load(second, [one.id], lock=True)


@pytest.mark.parametrize("statement", ["SELECT 1/0", "SELECT 'x'::int", "SELECT pg_sleep(9)"])
def test_what_the_database_refuses_for_its_own_sake_is_told_apart(engine: Engine, statement: str) -> None:
    with pytest.raises(Unstorable), transaction(engine) as connection:
        driver.execute(connection, statement)
    assert names(engine) == []


def test_a_connection_that_is_cut_is_trouble_that_passes(engine: Engine, database_url: str) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"

    def insert_and_be_cut_off() -> None:
        with transaction(engine) as connection:
            FLOWS.insert(connection, [flow("lost")])
            with psycopg.connect(database_url, autocommit=True) as other:
                other.execute(cut, (other.info.backend_pid,))
            FLOWS.insert(connection, [flow("lost too")])

    with pytest.raises(StoreUnavailable):
        insert_and_be_cut_off()
    assert names(engine) == []


def test_a_server_that_is_away_is_trouble_that_passes() -> None:
    nowhere = open_engine("postgresql://127.0.0.1:1/none", timeouts=Timeouts(connect_s=1))
    with pytest.raises(StoreUnavailable), transaction(nowhere):
        pass
    with pytest.raises(StoreUnavailable), session(nowhere):
        pass
    nowhere.dispose()
