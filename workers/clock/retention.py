"""What has been kept long enough goes, a little at a time, so that nobody has to wait for it."""

from collections.abc import Callable
from datetime import datetime

from store import inbox, outbox, sequences
from store.transaction import Connection, transaction
from workers.clock.duty import Means
from workers.now import monotonic

AT_ONCE = 2_000
# Seconds for each kind in one round; what is left goes in the next ones.
PATIENCE = 2.0

Prune = Callable[[Connection, datetime, int], int]


def forget_old_things(means: Means, now: datetime) -> int:
    """Results of commands, published events, and the positions of sequences that nobody goes on with."""
    commands, events = now - means.settings.command_retention, now - means.settings.event_retention
    return (
        _prune(means, inbox.prune, commands)
        + _prune(means, outbox.prune, events)
        + _prune(means, sequences.prune, commands)
    )


def _prune(means: Means, prune: Prune, before: datetime) -> int:
    pruned, give_up_at = 0, monotonic() + PATIENCE
    while not means.stopped.is_set():
        with transaction(means.engine) as connection:
            number = prune(connection, before, AT_ONCE)
        pruned += number
        if number < AT_ONCE or monotonic() > give_up_at:
            break
    return pruned
