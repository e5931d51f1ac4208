"""PostgreSQL dies, ends sessions, deadlocks, is slow, is full, and loses the answer to COMMIT."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg

from tests.faults.row import Row, round_robin
from tests.faults.rows.redis import PROXIED
from tests.faults.stage import Plan, Stage

FEW_CONNECTIONS = Plan(postgres={"max_connections": "40"})
#: how PostgreSQL confirms a COMMIT
COMMITTED = b"COMMIT\x00"
_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM (
    SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'interlock%' ORDER BY random() LIMIT 1) AS one
"""
_FAIL_AT_RANDOM = """
CREATE SEQUENCE IF NOT EXISTS faults_made;
CREATE OR REPLACE FUNCTION fail_at_random() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < {rate} THEN
        PERFORM nextval('faults_made');
        RAISE EXCEPTION 'made on purpose' USING ERRCODE = '{state}';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER fail_at_random BEFORE INSERT ON command FOR EACH STATEMENT EXECUTE FUNCTION fail_at_random();
"""
_RATES = ((0.2, "40P01"), (0.2, "40001"), (0.05, "40P01"), (0.01, "40001"))
_SLEEP = """
CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER dawdle BEFORE INSERT ON command FOR EACH STATEMENT EXECUTE FUNCTION dawdle();
"""


def lose_the_answer_to_commit(stage: Stage, number: int) -> None:
    assert stage.database_proxy is not None
    for _ in range(number):
        with stage.fault("the answer to COMMIT is lost"):
            stage.database_proxy.lose_the_answer_with(COMMITTED)
            assert stage.database_proxy.lost.wait(60), "nobody commits"


def restarts(stage: Stage, number: int) -> None:
    chance = random.Random(stage.seed)
    server = stage.servers.postgres
    ends = {"kill -9": server.kill, "immediate": server.stop_immediately, "fast": server.stop_fast}
    for turn, kind in enumerate(round_robin(tuple(ends), number)):
        with stage.fault(kind):
            ends[kind]()
            if turn % 10 == 0:
                stage.an_outage("PostgreSQL")
            time.sleep(chance.choice((0.0, 0.2, 1.0, 5.0) if turn % 10 else (8.0,)))
            server.start()


def end_sessions(stage: Stage, number: int) -> None:
    """One every 200 ms, ten in a row."""
    for _ in range(max(1, number // 10)):
        with stage.servers.postgres.session() as connection:
            for _ in range(9):
                with stage.fault("pg_terminate_backend", wait=False):
                    connection.execute(_TERMINATE)
                time.sleep(0.2)
            with stage.fault("pg_terminate_backend"):
                connection.execute(_TERMINATE)


def deadlocks(stage: Stage, number: int) -> None:
    """Made up by a trigger (1, 5 and 20 % of the transactions), and real ones: locks in the opposite order."""
    wanted, made = number, 0
    # Of few transactions in a short time, one in a hundred may be none.
    for rate, state in _RATES if number >= 40 else _RATES[:2]:
        with _trigger(stage, "fail_at_random", _FAIL_AT_RANDOM.format(rate=rate, state=state)):
            give_up_at = time.monotonic() + 20
            before = _faults_made(stage)
            while _faults_made(stage) - before < wanted / 4 and time.monotonic() < give_up_at:
                _lock_in_the_opposite_order(stage)
            made = _faults_made(stage) - before
        for _ in range(made - 1):
            with stage.fault(f"SQLSTATE {state}", wait=False):
                pass
        with stage.fault(f"SQLSTATE {state}"):
            pass


def _faults_made(stage: Stage) -> int:
    with stage.servers.postgres.session() as connection:
        row = connection.execute(
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM faults_made"
        ).fetchone()
    return int(row[0]) if row else 0


def _lock_in_the_opposite_order(stage: Stage) -> None:
    with suppress(psycopg.Error), stage.servers.postgres.session() as connection, connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '1s'")
        rows = connection.execute("SELECT id FROM flow_run ORDER BY updated DESC LIMIT 6").fetchall()
        for (ident,) in sorted(rows, reverse=True):
            connection.execute("SELECT 1 FROM flow_run WHERE id = %s FOR UPDATE", (ident,))
            time.sleep(0.02)


@contextmanager
def _trigger(stage: Stage, name: str, statements: str) -> Iterator[None]:
    with stage.servers.postgres.session() as connection:
        connection.execute(statements.encode())
    yield
    with stage.servers.postgres.session() as connection:
        connection.execute(f"DROP TRIGGER {name} ON command".encode())


def no_connection_is_left(stage: Stage, number: int) -> None:
    """Strangers take all that there are, and the sessions of the processes are ended: they cannot come back."""
    for _ in range(number):
        with stage.fault("max_connections reached"), ExitStack() as strangers:
            own = strangers.enter_context(stage.servers.postgres.session())
            for _ in range(3):
                with suppress(psycopg.OperationalError):
                    while True:
                        strangers.enter_context(
                            psycopg.connect(stage.servers.postgres.url, connect_timeout=2)
                        )
                own.execute(_TERMINATE.replace("LIMIT 1", "LIMIT 100"))
            time.sleep(1.5)


def slowness(stage: Stage, number: int) -> None:
    """Each transaction takes so much longer, while an old snapshot keeps everything from being tidied up."""
    with psycopg.connect(stage.servers.postgres.url) as old:
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT pg_current_xact_id()")
        for seconds in round_robin(("0.05", "0.2", "0.5", "1"), number):
            with stage.fault(f"{seconds} s more a transaction"):
                answered, began = len(stage.witness.answered_at), time.monotonic()
                with _trigger(stage, "dawdle", _SLEEP.format(seconds=seconds)):
                    time.sleep(2)
                rate = (len(stage.witness.answered_at) - answered) / (time.monotonic() - began)
                stage.notes.append(
                    f"{seconds} s more a transaction: {rate:.0f} commands/s of {stage.traffic.pace.rate:.0f}"
                )


def storm_of_everything(stage: Stage, number: int) -> None:
    """Sessions end while transactions fail at random and answers to COMMIT are lost."""
    assert stage.database_proxy is not None
    proxy, over = stage.database_proxy, threading.Event()

    def lose() -> None:
        while not over.wait(0.3):
            proxy.lose_the_answer_with(COMMITTED)

    thread = threading.Thread(target=lose, daemon=True)
    with _trigger(stage, "fail_at_random", _FAIL_AT_RANDOM.format(rate=0.1, state="40001")):
        thread.start()
        end_sessions(stage, number)
        over.set()
        thread.join()


ROWS = (
    Row("4", "the answer to COMMIT is lost", lose_the_answer_to_commit, "proxied", PROXIED, many=60, few=2),
    Row("4, 6, 15 together", "answers to COMMIT are lost, sessions end and transactions fail, all at once",
        storm_of_everything, "proxied", PROXIED, many=60, few=0),
    Row("5", "PostgreSQL killed, stopped at once, restarted; down for up to 8 s", restarts, "database", few=2),
    Row("6", "pg_terminate_backend of a random session every 200 ms", end_sessions, "database", many=150, few=10),
    Row("15", "deadlocks and serialization failures in 1, 5 and 20 % of the transactions; locks in the opposite order",
        deadlocks, "database", many=80, few=4),
    Row("23", "max_connections reached while sessions are ended", no_connection_is_left, "database", FEW_CONNECTIONS,
        few=1),
    Row("25", "each transaction slower by 0.05 to 1 s, and an old snapshot held open", slowness, "database", few=1),
)  # fmt: skip
