"""Commands that have waited too long for a number that does not come end as ERROR `sequence_gap`.

The position stays where it is: the same numbers can be sent again under new ids.
"""

import logging
from datetime import datetime

import redis

from messages.errors import ErrorCode
from messages.results import ErrorBody, Outcome, Status
from store import outbox, sequences
from store.duties import still_waiting
from store.sequences import Key, Parked
from store.transaction import session, transaction
from workers.clock.duty import Means
from workers.pipeline.again import readmitted
from workers.pipeline.command import Command
from workers.pipeline.unasked import Told, end

log = logging.getLogger(__name__)

# Keys at once. Under each there may be many commands.
AT_ONCE = 50


def end_sequence_gaps(means: Means, now: datetime) -> int:
    """All that is parked under a key ends with the first that has waited too long: none could go before it."""
    before = now - means.settings.sequence_gap_timeout
    ended = 0
    while not means.stopped.is_set():
        keys = means.find(lambda it: sequences.waited_too_long(it, before, AT_ONCE))
        number = _end(means, keys, before, now) if keys else 0
        ended += number
        if len(keys) < AT_ONCE or number == 0:
            break
    return ended


def _end(means: Means, keys: list[Key], before: datetime, now: datetime) -> int:
    with transaction(means.engine) as connection:
        # With the positions locked the missing commands can no longer come: they have, or they will find
        # nothing parked.
        numbers = sequences.lock(connection, keys, now)
        waiting = still_waiting(connection, keys, before)
        parked = sequences.parked(connection, waiting)
        pairs = [_ended(each, numbers[each.source, each.partitionkey]) for each in parked]
        told = end(connection, means.world(now), pairs, now)
        sequences.unpark(connection, [each.id for each in parked])
    if parked:
        log.warning("commands ended for want of the ones before them", extra={"commands": len(parked)})
    _tell(means, told)
    return len(parked)


def _ended(parked: Parked, missing: int) -> tuple[Command, Outcome]:
    command = readmitted(parked.kept)
    message = (
        f"sequence {missing} of partition key {parked.partitionkey!r} from {parked.source!r} did not come; "
        f"{parked.sequence} was not applied. Send the missing ones, and this one again under a new id"
    )
    body = ErrorBody(code=ErrorCode.SEQUENCE_GAP, message=message, errors=[])
    return command, Outcome(Status.ERROR, {}, body)


def _tell(means: Means, told: Told) -> None:
    if told.note is None:
        return
    try:
        means.publisher.replies((reply.replyto, reply.envelope) for reply in told.replies)
    except (redis.RedisError, OSError) as error:
        # The relay finds the note, and sends them.
        log.warning(
            "results are left to the relay", extra={"error": str(error), "results": len(told.replies)}
        )
        return
    with session(means.engine) as connection:
        outbox.forget_results(connection, [told.note])
