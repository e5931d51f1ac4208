"""A machine whose clock is wrong: told at the start, noticed later, and no reason to take work from others."""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from redis import Redis

from tests.cli.command import Shell
from tests.crashes.processes import until
from workers import skew
from workers.broker.calls import QueueCalls
from workers.now import now
from workers.settings import Settings
from workers.skew import POSTGRESQL, REDIS, ClocksDiffer, fault, latest, measure, require, watched

HOUR = timedelta(hours=1)


def test_both_servers_are_asked(settings: Settings) -> None:
    measured = measure(settings, lambda: now() - HOUR)
    assert measured.keys() == {REDIS, POSTGRESQL}
    assert all(abs(ahead - HOUR) < timedelta(minutes=1) for ahead in measured.values())
    assert latest() == {peer: ahead.total_seconds() for peer, ahead in measured.items()}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3.7, None),
        (-3.7, None),
        (3.8, "the clock of redis is 3.8 s ahead of this machine's; at most 3.75 s are allowed: let NTP"),
        (-90, "the clock of redis is 90.0 s behind this machine's"),
    ],
)
def test_a_quarter_of_the_heartbeat_timeout_is_allowed(seconds: float, said: str | None) -> None:
    found = fault({REDIS: timedelta(seconds=seconds), POSTGRESQL: timedelta(0)}, Settings())
    assert found is None if said is None else found is not None and found.startswith(said)


def test_no_process_starts_with_a_wrong_clock(
    settings: Settings,
) -> None:
    with pytest.raises(ClocksDiffer, match=r"clock of redis .* and the clock of postgresql"):
        require(settings, lambda: now() + HOUR)
    require(settings)


@pytest.mark.parametrize("word", ["worker", "relay", "clock"])
def test_the_command_line_says_so_in_one_sentence(
    word: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(
        settings.home,
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        namespace=settings.namespace,
    )
    require_now = skew.require
    monkeypatch.setattr(skew, "require", lambda settings: require_now(settings, lambda: now() + HOUR))
    ended = shell.run(word)
    assert ended.status == 1
    assert ended.err.startswith(
        "interlock: the clock of redis is 3600.0 s behind this machine's, and the clock of "
    )
    assert ended.err.count("\n") == 1


class Clock:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.ahead


@pytest.fixture
def clock() -> Iterator[Clock]:
    yield Clock()
    skew._latest.clear()


def test_a_clock_that_goes_wrong_is_told_once_and_once_when_it_is_right_again(
    settings: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "workers.skew"]

    def measured_twice() -> None:
        for _ in range(2):
            skew._latest.clear()
            until(lambda: latest().keys() == {REDIS, POSTGRESQL}, 30)

    with caplog.at_level(logging.WARNING), watched(settings, clock, every_s=0.01):
        measured_twice()
        assert lines() == []
        clock.ahead = HOUR
        until(lambda: len(lines()) == 1, 30)
        measured_twice()
        assert len(lines()) == 1
        assert "behind this machine's" in lines()[0]
        clock.ahead = timedelta(0)
        until(lambda: len(lines()) == 2, 30)
        assert lines()[1] == "the clocks agree again"


def test_a_worker_with_a_wrong_clock_takes_nothing_from_the_living(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Redis.from_url(settings.redis_url) as redis:
        one, wrong = (QueueCalls(redis, settings.namespace, "commands", name) for name in ("one", "wrong"))
        redis.hset(f"{settings.namespace}:commands.msgs", "m", "{}")
        redis.rpush(f"{settings.namespace}:commands", "m")
        assert one.fetch(10, 1_000).ids == [b"m"]
        monkeypatch.setattr(time, "time", lambda: 0.0)
        monkeypatch.setattr(time, "time_ns", lambda: 4_102_444_800_000_000_000)
        assert wrong.beat(15_000) == []
        assert wrong.reclaim("one@commands", 15_000) == 0
        assert one.ack([b"m"]) == 1
