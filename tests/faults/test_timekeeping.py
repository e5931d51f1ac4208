"""Processes live by the database's clock, whatever their machine's says."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from store.engine import open_engine
from store.transaction import Engine
from workers import now as clock
from workers.now import machine_time, now
from workers.processes import timekeeping
from workers.processes.timekeeping import by_the_clock_of

HOUR = timedelta(hours=1)
A_MOMENT = timedelta(seconds=20)


@pytest.fixture
def engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The database; afterwards this process has its machine's time again."""
    monkeypatch.setattr(clock, "_set", None)
    engine = open_engine(database_url, pool_size=1)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("wrong", [HOUR, -HOUR])
def test_a_clock_that_is_wrong_is_put_right(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, wrong: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(timekeeping, "machine_time", lambda: machine_time() + wrong)
    with by_the_clock_of(engine):
        assert abs(now() - machine_time()) < A_MOMENT
    assert "this machine's clock is wrong" in caplog.text


def test_a_clock_that_is_set_back_goes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with by_the_clock_of(engine):
        before = now()
        monkeypatch.setattr(clock, "machine_time", lambda: _hours_ago(before))
        assert before <= now() < before + A_MOMENT


def test_small_differences_are_left_to_the_machine(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with by_the_clock_of(engine):
        assert abs(now() - machine_time()) < A_MOMENT
    assert caplog.text == ""


def _hours_ago(moment: datetime) -> datetime:
    return moment - 3 * HOUR
