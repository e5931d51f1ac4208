"""An advisory lock does not stay with somebody who says nothing any more."""

import pytest

from store import attempts
from store.engine import Timeouts, open_engine
from store.errors import StoreUnavailable
from store.transaction import Connection, Engine, session
from tests.crashes.processes import until


def silent_while_another_takes_over(engine: Engine) -> None:
    with session(engine) as other, session(engine) as silent:
        assert attempts.become_the_lone_one(silent, 0.2)
        until(lambda: attempts.become_the_lone_one(other, 60), 60, what="the lock")
        attempts.step_back(silent)


def silent_until_it_is_ended(engine: Engine, limited: Engine) -> None:
    with session(engine) as other, session(limited) as silent:
        pid = silent.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        until(lambda: not is_there(other, pid), 60, what="its end")
        silent.exec_driver_sql("SELECT 1")


def is_there(connection: Connection, pid: int | None) -> bool:
    there = "SELECT count(*) FROM pg_stat_activity WHERE pid = %(pid)s"
    return connection.exec_driver_sql(there, {"pid": pid}).scalar() == 1


def test_who_tries_commands_alone_and_falls_silent_makes_room_for_another(engine: Engine) -> None:
    with pytest.raises(StoreUnavailable):
        silent_while_another_takes_over(engine)


def test_who_steps_back_may_be_silent_again(engine: Engine) -> None:
    with session(engine) as connection:
        assert attempts.become_the_lone_one(connection, 60)
        attempts.step_back(connection)
        found = connection.exec_driver_sql("SHOW idle_session_timeout").scalar()
    assert found == "0"


def test_a_silent_session_is_ended_where_that_was_asked_for(database_url: str, engine: Engine) -> None:
    limited = open_engine(database_url, pool_size=1, timeouts=Timeouts(idle_session_ms=200))
    with pytest.raises(StoreUnavailable):
        silent_until_it_is_ended(engine, limited)
    limited.dispose()
