import logging
import queue
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from store.duties import FIRST, become_the_clock, late_runs
from store.engine import open_engine
from store.errors import Raced, StoreUnavailable, Unstorable
from store.transaction import session
from tests.clock.scene import NOW, Scene, ago
from workers.clock.duties import DUTIES, Entry
from workers.clock.duty import Means
from workers.clock.late_runs import mark_late_runs
from workers.processes.clock import Clock


class Noted:
    """A duty that notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []

    def __call__(self, _means: Means, now: datetime) -> int:
        self.asked.append(now)
        return 0


def failing(error: Exception) -> Any:
    def duty(_means: Means, _now: datetime) -> int:
        raise error

    return duty


def go_round(means: Means, *entries: Entry, rounds: int = 1) -> Clock:
    clock = Clock(means.engine, means, entries, lambda: NOW)
    with session(means.engine) as connection:
        for _ in range(rounds):
            clock.round(connection)
    return clock


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a fault"),
        Unstorable("refused"),
        Raced("deadlock"),
        StoreUnavailable("locked"),
        OSError("away"),
    ],
)
def test_a_duty_that_fails_keeps_no_other_from_its_turn(means: Means, error: Exception) -> None:
    after = Noted()
    go_round(means, Entry("failing", failing(error)), Entry("after", after), rounds=2)
    assert after.asked == [NOW, NOW]


def test_trouble_with_the_servers_is_told_once_and_so_is_its_end(
    means: Means, caplog: pytest.LogCaptureFixture
) -> None:
    trouble = [True, True, True, False, False]

    def duty(_means: Means, _now: datetime) -> int:
        if trouble.pop(0):
            raise StoreUnavailable("away")
        return 0

    with caplog.at_level(logging.WARNING):
        go_round(means, Entry("duty", duty), rounds=5)
    assert [record.message for record in caplog.records] == [
        "waiting for the servers",
        "the servers are back",
    ]


def test_some_duties_have_their_turn_in_every_so_manieth_round(means: Means) -> None:
    often, seldom = Noted(), Noted()
    go_round(means, Entry("often", often), Entry("seldom", seldom, every=3), rounds=7)
    assert (len(often.asked), len(seldom.asked)) == (7, 3)


def test_all_duties_go_well_where_nothing_is_due(
    scene: Scene, means: Means, caplog: pytest.LogCaptureFixture
) -> None:
    go_round(means, *DUTIES)
    assert caplog.records == []


def test_the_relay_is_woken_when_runs_were_changed(scene: Scene, means: Means) -> None:
    scene.scheduled(ago(minutes=1))
    with means.publisher.client.pubsub() as bell:  # type: ignore[no-untyped-call]
        bell.subscribe(means.publisher.relay_channel)
        bell.get_message(timeout=5)
        go_round(means, Entry("late runs", mark_late_runs, tells=True))
        assert bell.get_message(timeout=5) is not None


def test_of_several_clocks_one_is_active_until_its_connection_ends(means: Means) -> None:
    others = open_engine(means.settings.database_url, pool_size=1)
    with session(others) as other:
        with session(means.engine) as connection:
            assert become_the_clock(connection)
            assert not become_the_clock(other)
            connection.invalidate()
        deadline = threading.Event()
        while not become_the_clock(other):
            assert not deadline.wait(0.01)
    others.dispose()


def test_a_clock_that_stands_by_takes_over_and_stops_when_told(means: Means) -> None:
    asked = threading.Event()

    def duty(_means: Means, _now: datetime) -> int:
        asked.set()
        return 0

    lock = open_engine(means.settings.database_url, pool_size=1)
    clock = threading.Thread(target=Clock(lock, means, [Entry("duty", duty)], lambda: NOW).run)
    with session(means.engine) as other:
        assert become_the_clock(other)
        clock.start()
        assert not asked.is_set()
        other.invalidate()
    assert asked.wait(10)
    means.stopped.set()
    clock.join(10)
    assert not clock.is_alive()
    lock.dispose()


def test_a_clock_that_loses_its_connections_says_so_once_and_goes_on(
    scene: Scene, means: Means, caplog: pytest.LogCaptureFixture
) -> None:
    rounds: queue.SimpleQueue[datetime] = queue.SimpleQueue()

    def duty(own: Means, now: datetime) -> int:
        own.find(lambda connection: late_runs(connection, NOW, FIRST, 1))
        rounds.put(now)
        return 0

    quick = replace(
        means, settings=means.settings.model_copy(update={"clock_interval": timedelta(milliseconds=10)})
    )
    lock = open_engine(means.settings.database_url, pool_size=1, application="lost")
    clock = threading.Thread(target=Clock(lock, quick, [Entry("duty", duty)], lambda: NOW).run)
    with caplog.at_level(logging.WARNING):
        clock.start()
        rounds.get(timeout=10)
        scene.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lost'"
        )
        while not caplog.records:
            rounds.get(timeout=10)
        while len(caplog.records) < 2:
            rounds.get(timeout=10)
    quick.stopped.set()
    clock.join(10)
    lock.dispose()
    assert [record.message for record in caplog.records] == [
        "waiting for the servers",
        "the servers are back",
    ]
