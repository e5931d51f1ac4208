"""Commands that failed for their own sake, and whose next try has come, go back onto their queue."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from messages.enqueue import enqueue
from store import inbox
from store.duties import forget_ended_attempts
from store.transaction import transaction
from workers.clock.duty import Means

AT_ONCE = 200
# Not sent again before that, unless it fails again meanwhile: as long as the longest pause between two tries.
LEFT_ALONE = timedelta(minutes=5)


def send_retries(means: Means, now: datetime) -> int:
    """Sent, then noted: if the note is lost they are sent twice, and the second finds the first's result."""
    sent = 0
    while not means.stopped.is_set():
        number = _send(means, now)
        sent += number
        if number < AT_ONCE:
            break
    return sent


def _send(means: Means, now: datetime) -> int:
    with transaction(means.engine) as connection:
        forget_ended_attempts(connection, now)
        due = inbox.due(connection, now, AT_ONCE)
        enqueue(means.publisher.client, means.publisher.namespace, (_again(envelope) for _, envelope in due))
        for command_id, _ in due:
            inbox.postpone(connection, command_id, now + LEFT_ALONE)
    return len(due)


def _again(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """It has been looked at in time, so that it can expire no more."""
    return {name: value for name, value in envelope.items() if name != "expirytime"}
