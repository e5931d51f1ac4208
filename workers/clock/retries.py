"""Commands that failed for their own sake, and whose next try has come, go back onto their queue.

What goes there is the id: a worker takes what the command says from the database. It has been admitted, so that it
is neither too late for it now, nor need its key still be known; and what Redis says can claim nothing of the kind.
"""

from datetime import datetime, timedelta

from messages.enqueue import enqueue
from store import inbox
from store.duties import forget_ended_attempts
from store.transaction import transaction
from workers.clock.duty import Means
from workers.pipeline.admit import AGAIN

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
        enqueue(
            means.publisher.client,
            means.publisher.namespace,
            ({"type": AGAIN, "id": command_id} for command_id in due),
        )
        for command_id in due:
            inbox.postpone(connection, command_id, now + LEFT_ALONE)
    return len(due)
