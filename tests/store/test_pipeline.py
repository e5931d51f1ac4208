"""Statements sent without waiting for each other: what is answered, what a failure leaves."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from store import driver
from store.engine import open_engine
from store.errors import Raced, StoreUnavailable, Unstorable
from store.transaction import Connection, Engine, piped_transaction, transaction

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOTE = "INSERT INTO outbox (created, entries) VALUES (%(now)s, %(text)s)"


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    """Of one connection: who leaves it in a bad state is found out by the next."""
    engine = open_engine(database_url, pool_size=1)
    yield engine
    engine.dispose()


def note(connection: Connection, text: str) -> None:
    driver.execute(connection, NOTE, {"now": NOON, "text": text})


def notes(engine: Engine) -> list[str]:
    with transaction(engine) as connection:
        return driver.scalars(connection, "SELECT entries FROM outbox ORDER BY id")


def process_of(connection: Connection) -> int:
    found = driver.scalar(connection, "SELECT pg_backend_pid()")
    assert isinstance(found, int)
    return found


def test_each_answer_belongs_to_its_question_in_whatever_order_they_are_read(one: Engine) -> None:
    with piped_transaction(one) as connection:
        asked = [driver.ask(connection, "SELECT %(n)s::int, 'of', %(n)s + 1", {"n": n}) for n in range(5)]
        note(connection, "between")
        asked += [driver.ask_by_name(connection, "SELECT 1 AS a, 'x' AS b")]
        answers = [each.rows() for each in reversed(asked)]
    assert answers == [[{"a": 1, "b": "x"}], *([(n, "of", n + 1)] for n in range(4, -1, -1))]
    assert notes(one) == ["between"]


@pytest.mark.parametrize("value", [None, 5, 2**40, 2.5, True, "é %s 100%", NOON, uuid4(), b"\x00\xff"])
def test_a_value_comes_back_as_it_was_given(one: Engine, value: object) -> None:
    kind = {NOON: "timestamptz", b"\x00\xff": "bytea", None: "text", 2.5: "float8"}.get(value)
    cast = "CAST(%(given)s AS {})".format(
        kind or {int: "int8", bool: "bool", str: "text"}.get(type(value), "uuid")
    )
    with piped_transaction(one) as connection:
        assert driver.rows(connection, f"SELECT {cast}, '100%%'", {"given": value}) == [(value, "100%")]


def test_one_statement_takes_values_of_several_types(one: Engine) -> None:
    for value in (1, 2**40, 1, 2.5):
        with piped_transaction(one) as connection:
            assert driver.scalar(connection, "SELECT %(given)s", {"given": value}) == value


def lose(engine: Engine, *statements: str) -> None:
    """A note, and these statements after it, in one transaction."""
    with piped_transaction(engine) as connection:
        note(connection, "lost")
        for statement in statements:
            driver.execute(connection, statement)


def test_a_statement_that_fails_is_told_of_where_rows_are_asked_for(one: Engine) -> None:
    went_on = []

    def ask() -> None:
        with piped_transaction(one) as connection:
            driver.execute(connection, "SELECT 1/0")
            went_on.append(driver.rows(connection, "SELECT 1"))

    with pytest.raises(Unstorable, match="22012"):
        ask()
    assert went_on == []


def test_a_statement_that_fails_is_told_of_at_the_end_at_the_latest(one: Engine) -> None:
    with pytest.raises(Unstorable, match="22012"):
        lose(one, "SELECT 1/0", "SELECT 1")
    assert notes(one) == []


def test_an_answer_behind_a_failure_is_no_answer(one: Engine) -> None:
    def ask() -> None:
        with piped_transaction(one) as connection:
            asked = [driver.ask(connection, each) for each in ("SELECT 1/0", "SELECT 1")]
            with pytest.raises(psycopg.errors.DivisionByZero):
                asked[0].rows()
            asked[1].rows()

    with pytest.raises(Raced):
        ask()


@pytest.mark.parametrize("statement", ["SELECT 1/0", "SELEC", "SELECT CAST('x' AS int)"])
def test_after_a_failure_the_connection_is_as_new(one: Engine, statement: str) -> None:
    with piped_transaction(one) as connection:
        before = process_of(connection)
    for _ in range(3):
        with pytest.raises(Unstorable):
            lose(one, statement)
        with piped_transaction(one) as connection:
            assert process_of(connection) == before
        with transaction(one) as connection:
            assert process_of(connection) == before
    assert notes(one) == []


def test_what_fails_in_the_block_takes_back_what_was_sent(one: Engine) -> None:
    def fail() -> None:
        with piped_transaction(one) as connection:
            note(connection, "lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with piped_transaction(one) as connection:
        note(connection, "kept")
    assert notes(one) == ["kept"]


def test_a_connection_that_the_server_ended_is_replaced(one: Engine, engine: Engine) -> None:
    ended = []

    def be_ended() -> None:
        with piped_transaction(one) as connection:
            ended.append(process_of(connection))
            with transaction(engine) as other:
                driver.execute(other, "SELECT pg_terminate_backend(%(pid)s)", {"pid": ended[0]})
            note(connection, "lost")

    with pytest.raises(StoreUnavailable):
        be_ended()
    with piped_transaction(one) as connection:
        assert process_of(connection) not in ended
        note(connection, "kept")
    assert notes(one) == ["kept"]


def test_a_connection_lost_on_this_side_is_replaced(one: Engine) -> None:
    def lose_it() -> None:
        with piped_transaction(one) as connection:
            note(connection, "lost")
            lost = connection.connection.driver_connection
            assert lost is not None
            lost.close()

    with pytest.raises(StoreUnavailable):
        lose_it()
    with piped_transaction(one) as connection:
        note(connection, "kept")
    assert notes(one) == ["kept"]


def test_neither_side_waits_for_the_other_to_read_however_much_is_said(one: Engine) -> None:
    text = "x" * 4_000_000
    with piped_transaction(one) as connection:
        asked = [driver.ask(connection, "SELECT CAST(%(text)s AS text)", {"text": text}) for _ in range(8)]
        for each in asked:
            assert each.rows() == [(text,)]


def test_a_deferred_constraint_that_fails_at_commit_is_told_of(one: Engine) -> None:
    with transaction(one) as connection:
        driver.execute(connection, "CREATE TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(Raced):
        lose(one, "INSERT INTO once VALUES (1), (1)")
    with transaction(one) as connection:
        assert driver.scalar(connection, "SELECT count(*) FROM once") == 0
        driver.execute(connection, "DROP TABLE once")
