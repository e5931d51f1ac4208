"""Commands that fail by themselves: counted in the database, tried again later, given up in the end."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from messages.errors import ErrorCode
from messages.results import ErrorBody, Outcome, Status
from messages.wire import encode
from store import inbox
from store.transaction import Engine, transaction
from workers.pipeline.apply import Applied, Applier
from workers.pipeline.command import Command

log = logging.getLogger(__name__)

_FIRST_S = 0.5
_LONGEST_S = 300.0


def delay_after(attempts: int) -> timedelta:
    """How long to leave a command alone after so many failures: twice as long each time, at most five minutes."""
    return timedelta(seconds=min(_LONGEST_S, _FIRST_S * 2 ** (min(attempts, 20) - 1)))


@dataclass(frozen=True, slots=True)
class Attempts:
    """Decides what becomes of a command that failed for its own sake."""

    engine: Engine
    applier: Applier
    most: int

    def failed(self, command: Command, error: Exception, now: datetime) -> Applied:
        """Counts the failure. The command is tried again later, or ends as ERROR `internal`.

        Raises:
            StoreError: the failure could not be counted; the command is still to be dealt with.
        """
        text = f"{type(error).__name__}: {error}"[:2_000]
        with transaction(self.engine) as connection:
            envelope = encode(command.envelope).decode()
            attempts = inbox.count_attempt(connection, command.id, text, envelope, now)
            if attempts < self.most:
                inbox.postpone(connection, command.id, now + delay_after(attempts))
        log.error("a command failed", extra={"command": str(command.id), "attempts": attempts, "error": text})
        if attempts < self.most:
            return Applied()
        message = f"still failing after {attempts} attempts; the command is in the dead letters"
        body = ErrorBody(code=ErrorCode.INTERNAL, message=message, errors=[])
        given_up = replace(
            command, refusal=Outcome(Status.ERROR, {}, body), attempts=attempts, last_error=text
        )
        return self.applier.apply([given_up])
