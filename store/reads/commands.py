"""Commands that were taken in and have not ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select

from messages.fields import Id
from store.tables.delivery import attempt, parked_command
from store.transaction import Connection

_IS_DEFERRED = attempt.c.waits > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """A command that the rules told to wait, and that is tried again by itself."""

    command_id: Id
    type: str
    source: str
    #: the run that it is about
    run_id: Id | None
    #: how often it was told to wait, and why the last time
    waits: int
    reason: str | None
    since: datetime
    next_try_at: datetime


def is_waiting(connection: Connection, command_id: Id) -> bool:
    """Whether the command is parked until its turn comes, deferred, or to be tried again."""
    tried = exists().where(attempt.c.command_id == command_id)
    parked = exists().where(parked_command.c.id == command_id)
    return bool(connection.execute(select(or_(tried, parked))).scalar_one())


def deferred_of_runs(connection: Connection, run_ids: Iterable[Id]) -> list[Deferred]:
    """The deferred commands about these runs, the next to be tried first."""
    envelope = attempt.c.envelope
    query = (
        select(
            attempt.c.command_id,
            envelope["type"].as_string().label("type"),
            envelope["source"].as_string().label("source"),
            attempt.c.run_id,
            attempt.c.waits,
            attempt.c.wait_reason.label("reason"),
            attempt.c.since,
            attempt.c.next_attempt_at.label("next_try_at"),
        )
        .where(attempt.c.run_id.in_(list(run_ids)), _IS_DEFERRED)
        .order_by(attempt.c.next_attempt_at)
    )
    return [Deferred(**row) for row in connection.execute(query).mappings()]
