"""Leases that are over: their slots are free by then for whoever asks; here their rows go."""

from datetime import datetime

from store import duties
from store.transaction import transaction
from workers.clock.duty import Means

AT_ONCE = 500


def free_expired_leases(means: Means, now: datetime) -> int:
    """No state of any run changes, so nobody is told."""
    freed = 0
    while not means.stopped.is_set():
        with transaction(means.engine) as connection:
            number = duties.free_expired_leases(connection, now, AT_ONCE)
        freed += number
        if number < AT_ONCE:
            break
    return freed
