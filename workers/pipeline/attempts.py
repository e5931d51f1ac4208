"""Commands that fail by themselves: counted in the database, tried again later, given up in the end."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from messages.errors import ErrorCode
from messages.results import ErrorBody, Outcome, Status
from store import attempts
from store.transaction import Engine, transaction
from workers.pipeline.apply import Applied, Applier
from workers.pipeline.command import Command
from workers.pipeline.order import Company

log = logging.getLogger(__name__)

FIRST_S = 0.5
LONGEST_S = 300.0


def delay_after(number: int) -> timedelta:
    """How long to leave a command alone after so many failures: twice as long each time, at most five minutes."""
    return timedelta(seconds=min(LONGEST_S, FIRST_S * 2 ** (min(number, 20) - 1)))


@dataclass(frozen=True, slots=True)
class Attempts:
    """Decides what becomes of a command that failed for its own sake."""

    engine: Engine
    applier: Applier
    most: int

    def failed(self, command: Command, error: Exception, now: datetime) -> list[Applied]:
        """Counts the failure. The command is tried again later, or ends as ERROR `internal`.

        Raises:
            StoreError: the failure could not be counted; the command is still to be dealt with.
        """
        # What comes from Redis is in the database from now on, and keeps its turn there.
        applied = [] if command.again else [self.applier.apply([command], Company.APART)]
        text = f"{type(error).__name__}: {error}"[:2_000]
        with transaction(self.engine) as connection:
            number = attempts.count_failure(connection, command.id, text, counted=command.attempts > 0)
            if number is not None and number < self.most:
                attempts.postpone(connection, command.id, now + delay_after(number))
        if number is None:
            return applied  # another copy has ended meanwhile
        log.error("a command failed", extra={"command": str(command.id), "attempts": number, "error": text})
        if number >= self.most:
            applied.append(self.give_up(command, number, text))
        return applied

    def give_up(self, command: Command, number: int, error: str) -> Applied:
        """The command ends as ERROR `internal` and as a dead letter, after so many attempts.

        Raises:
            StoreError: it has not ended, or that is not known.
        """
        message = f"still failing after {number} attempts; the command is in the dead letters"
        refusal = Outcome(Status.ERROR, {}, ErrorBody(code=ErrorCode.INTERNAL, message=message, errors=[]))
        ended = replace(command, again=True, refusal=refusal, attempts=number, last_error=error)
        return self.applier.apply([ended], Company.ALONE)
