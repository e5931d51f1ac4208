"""How far this machine's clock is from those of Redis and PostgreSQL: judged at the start, watched from then on.

No message changes hands by a client's clock: who lives is judged by the clock of Redis, in its scripts. But runs
start, pauses end, signatures and commands grow old by the clocks of workers and of the active clock.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

import redis

from messages.streams import connect
from store import diagnosis
from store.errors import StoreError
from store.transaction import session
from workers.doctor.clocks import redis_time, skew
from workers.now import machine_time
from workers.settings import Settings

log = logging.getLogger(__name__)

REDIS, POSTGRESQL = "redis", "postgresql"
EVERY_S = 60.0
_ADVICE = "let NTP set the clocks of all machines"

_latest: dict[str, timedelta] = {}


class ClocksDiffer(Exception):
    """Raised when a process is to start on a machine whose clock is too far from the servers'."""


def latest() -> Mapping[str, float]:
    """How many seconds the clock of `redis` and of `postgresql` was ahead of this machine's when last measured in
    this process."""
    return {peer: ahead.total_seconds() for peer, ahead in _latest.items()}


def measure(settings: Settings, clock: Callable[[], datetime] = machine_time) -> dict[str, timedelta]:
    """How far the clock of each server is ahead of this machine's; without those that do not answer."""
    measured = {}
    for peer, ask in ((REDIS, _ask_redis), (POSTGRESQL, _ask_postgresql)):
        try:
            measured[peer] = ask(settings, clock)
        except (StoreError, redis.RedisError, OSError) as error:
            # Their own troubles are told by whoever works with them.
            log.debug("a clock cannot be asked", extra={"peer": peer, "error": str(error)})
    _latest.update(measured)
    return measured


def fault(measured: Mapping[str, timedelta], settings: Settings) -> str | None:
    """What is wrong, if a clock differs by more than a quarter of the heartbeat timeout."""
    most = settings.heartbeat_timeout / 4
    wrong = [
        f"the clock of {peer} is {abs(ahead).total_seconds():.1f} s {'ahead of' if ahead > timedelta(0) else 'behind'} "
        "this machine's"
        for peer, ahead in measured.items()
        if abs(ahead) > most
    ]
    if not wrong:
        return None
    return f"{', and '.join(wrong)}; at most {most.total_seconds():g} s are allowed: {_ADVICE}"


def require(settings: Settings, clock: Callable[[], datetime] = machine_time) -> None:
    """Checks the clocks before a process starts.

    Raises:
        ClocksDiffer: says which, and by how much.
    """
    found = fault(measure(settings, clock), settings)
    if found is not None:
        raise ClocksDiffer(found)


@contextmanager
def watched(
    settings: Settings, clock: Callable[[], datetime] = machine_time, every_s: float = EVERY_S
) -> Iterator[None]:
    """While entered, a line in the log whenever the clocks begin to differ too much, and when they agree again."""
    stopped = Event()
    thread = Thread(target=_watch, args=(settings, clock, every_s, stopped), name="skew", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(timeout=1.0)


def _watch(settings: Settings, clock: Callable[[], datetime], every_s: float, stopped: Event) -> None:
    told = False
    while not stopped.wait(every_s):
        try:
            found = fault(measure(settings, clock), settings)
        # Nobody else would look at the clocks any more.
        except Exception:
            log.exception("the clocks could not be compared")
            continue
        if found is not None and not told:
            log.error(found)
        elif found is None and told:
            log.warning("the clocks agree again")
        told = found is not None


def _ask_redis(settings: Settings, clock: Callable[[], datetime]) -> timedelta:
    with connect(settings.redis_url) as client:
        return skew(lambda: redis_time(client), clock)


def _ask_postgresql(settings: Settings, clock: Callable[[], datetime]) -> timedelta:
    engine = diagnosis.open_quickly(settings.database_url)
    try:
        with session(engine) as connection:
            return skew(lambda: diagnosis.time(connection), clock)
    finally:
        engine.dispose()
