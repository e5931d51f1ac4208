"""Whether this machine, Redis and PostgreSQL agree on the time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import redis

from workers.doctor.finding import Finding, fail, ok, warn

# The quickest of so many answers says most exactly how late it is there.
_TRIES = 3


def skew(ask: Callable[[], datetime], now: Callable[[], datetime]) -> timedelta:
    """How far another clock is ahead of this machine's."""
    measured = [_once(ask, now) for _ in range(_TRIES)]
    return min(measured)[1]


def redis_time(client: redis.Redis) -> datetime:
    """The clock of Redis."""
    seconds, microseconds = client.time()
    return datetime.fromtimestamp(seconds + microseconds / 1_000_000, UTC)


def judge(name: str, skew: timedelta, heartbeat_timeout: timedelta) -> Finding:
    """Against the shortest time in which it matters."""
    seconds = skew.total_seconds()
    found = f"{abs(seconds) * 1000:.0f} ms {'ahead of' if seconds > 0 else 'behind'} this machine"
    advice = "let NTP set the clocks of all machines"
    if abs(skew) > heartbeat_timeout:
        return fail(name, found, advice)
    if abs(skew) > heartbeat_timeout / 4:
        return warn(name, found, advice)
    return ok(name, found)


def _once(ask: Callable[[], datetime], now: Callable[[], datetime]) -> tuple[timedelta, timedelta]:
    before = now()
    there = ask()
    after = now()
    return after - before, there - (before + (after - before) / 2)
