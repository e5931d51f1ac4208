"""All processes live by the database's clock, so that a machine whose own is wrong, or set back, does no harm.

What is written is compared with what others wrote: the order of a run's states, what is late, expired or overdue.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

from store import diagnosis
from store.errors import StoreError
from store.transaction import Engine, session
from workers.now import machine_time, monotonic, set_clock

log = logging.getLogger(__name__)

_EVERY_S = 10.0
_TRIES = 3
# Less may be the network's doing: then the machine's clock, kept by NTP, is the better one.
_AGREES_WITHIN = timedelta(milliseconds=100)


@contextmanager
def by_the_clock_of(engine: Engine) -> Iterator[None]:
    """Sets this process's clock at once, and again and again until the end of the block.

    Raises:
        StoreError: the database cannot be asked the first time.
    """
    over, agreed = Event(), _set_by(engine, agreed=True)
    thread = Thread(target=_go_on, args=(engine, over, agreed), name="timekeeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=1)


def _go_on(engine: Engine, over: Event, agreed: bool) -> None:
    while not over.wait(_EVERY_S):
        # While the database is away, nothing is written either; the clock runs on from where it was set.
        try:
            agreed = _set_by(engine, agreed=agreed)
        except StoreError as error:
            log.debug("the database's clock cannot be asked", extra={"error": str(error)})


def _set_by(engine: Engine, *, agreed: bool) -> bool:
    """Whether the machine's clock agrees with the database's."""
    with session(engine) as connection:
        took_s, there, here = min(_ask(lambda: diagnosis.time(connection)) for _ in range(_TRIES))
    ahead = there - here
    agrees = abs(ahead) <= max(_AGREES_WITHIN, timedelta(seconds=2 * took_s))
    if not agrees and agreed:
        log.warning(
            "this machine's clock is wrong: the database's is used",
            extra={"database_ahead_s": round(ahead.total_seconds(), 3)},
        )
    set_clock(machine_time() if agrees else machine_time() + ahead)
    return agrees


def _ask(time_there: Callable[[], datetime]) -> tuple[float, datetime, datetime]:
    """How long it took, and what the two clocks said at the same moment."""
    here, began = machine_time(), monotonic()
    there = time_there()
    took_s = monotonic() - began
    return took_s, there, here + timedelta(seconds=took_s / 2)
