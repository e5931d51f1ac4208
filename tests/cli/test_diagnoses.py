"""What doctor makes of what it finds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store.diagnosis import Backlog, Processes, Server
from tests.clock.scene import NOW, ago
from workers.doctor import at_work, clocks, database, redis_server
from workers.doctor.at_work import Queue
from workers.doctor.redis_server import RedisFacts

POSTGRESQL = Server(number=180_000, version="18.0", fsync=True, waits_for_the_disk=True, is_a_replica=False)
REDIS = RedisFacts(
    product="Redis",
    version="7.4.1",
    role="master",
    is_cluster=False,
    maxmemory_policy="noeviction",
    maxmemory=0,
    used_memory=1_000,
    appendonly=True,
    appendfsync="everysec",
    save="",
)
NOTHING = Backlog(events=0, oldest_event=None, results=0, parked=0, failing=0, deferred=0, dead_letters=0)


def levels(server: Server) -> list[str]:
    return [str(finding.level) for finding in database.judge_server(server)]


def worst(facts: RedisFacts, namespace: str = "interlock") -> str:
    return max(
        (str(each.level) for each in redis_server.judge(facts, namespace)), key=["ok", "warn", "fail"].index
    )


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (POSTGRESQL, ["ok", "ok"]),
        (replace(POSTGRESQL, number=140_000), ["ok", "ok"]),
        (replace(POSTGRESQL, number=130_012), ["fail", "ok"]),
        (replace(POSTGRESQL, is_a_replica=True), ["fail", "ok"]),
        (replace(POSTGRESQL, fsync=False), ["ok", "warn"]),
        (replace(POSTGRESQL, waits_for_the_disk=False), ["ok", "warn"]),
    ],
)
def test_postgresql_is_new_enough_writable_and_durable(server: Server, expected: list[str]) -> None:
    assert levels(server) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (REDIS, "ok"),
        (replace(REDIS, version="6.2.0"), "ok"),
        (replace(REDIS, version="6.0.20"), "fail"),
        (replace(REDIS, role="slave"), "fail"),
        (replace(REDIS, maxmemory_policy="allkeys-lru"), "fail"),
        (replace(REDIS, maxmemory=1_000), "fail"),
        (replace(REDIS, maxmemory=1_200), "warn"),
        (replace(REDIS, maxmemory=2_000), "ok"),
        (replace(REDIS, appendfsync=None), "ok"),
        (replace(REDIS, appendfsync="no"), "warn"),
        (replace(REDIS, appendonly=False, save="3600 1"), "warn"),
        (replace(REDIS, appendonly=False, save=None), "warn"),
        (replace(REDIS, appendonly=False, save=""), "fail"),
        (replace(REDIS, is_cluster=True), "fail"),
    ],
)
def test_redis_is_new_enough_and_keeps_what_it_is_given(facts: RedisFacts, expected: str) -> None:
    assert worst(facts) == expected


def test_a_hash_tag_is_what_a_cluster_needs() -> None:
    assert worst(replace(REDIS, is_cluster=True), "{interlock}") == "ok"


@pytest.mark.parametrize(("seconds", "level"), [(0, "ok"), (-3.75, "ok"), (3.76, "warn"), (-15.1, "fail")])
def test_clocks_may_differ_by_a_quarter_of_the_heartbeat_timeout(seconds: float, level: str) -> None:
    found = clocks.judge("clock", timedelta(seconds=seconds), timedelta(seconds=15))
    assert str(found.level) == level


def test_the_difference_of_clocks_is_taken_from_the_quickest_answer() -> None:
    # When it was asked here, and when the answer came: after 1 s, after 0.2 s, after 3 s.
    moments = iter(NOW + timedelta(seconds=second) for second in (0, 1, 10, 10.2, 20, 23))
    theirs = iter(NOW + timedelta(seconds=second) for second in (2, 15.1, 40))
    assert clocks.skew(lambda: next(theirs), lambda: next(moments)) == timedelta(seconds=5)


def test_events_that_wait_for_long_are_a_warning() -> None:
    waiting = replace(NOTHING, events=3, oldest_event=ago(seconds=5))
    quick = replace(waiting, oldest_event=ago(seconds=4))
    assert [str(next(database.judge_backlog(each, NOW)).level) for each in (waiting, quick)] == ["warn", "ok"]


def test_results_that_never_left_are_told() -> None:
    found = {each.name: each.level for each in database.judge_backlog(replace(NOTHING, results=1), NOW)}
    assert found["results"] == "warn"


@pytest.mark.parametrize(
    ("waiting", "consumers", "level"), [(0, 0, "ok"), (1, 0, "warn"), (10_000, 2, "ok"), (10_001, 2, "warn")]
)
def test_a_queue_that_grows_asks_for_workers(waiting: int, consumers: int, level: str) -> None:
    queue = Queue(name="commands", waiting=waiting, in_hand=0, delayed=0)
    assert str(at_work.judge_queue(queue, consumers).level) == level


def test_a_relay_that_is_connected_but_not_active_is_told() -> None:
    seen = Processes(relay_is_active=False, clock_is_active=True, sessions={"interlock relay": 1})
    relay, clock = at_work.judge_single(seen)
    assert (relay.found, clock.found) == ("connected, but none is active yet", "one is active")
