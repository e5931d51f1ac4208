"""A command on its way through the pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messages.errors import ErrorCode
from messages.evolve import value
from messages.fields import Id
from messages.results import ErrorBody, Outcome, Status


@value(kw_only=True)
class Command:
    """A command or query that can be answered. Either its data are valid, or `refusal` says why not."""

    id: Id
    type: str
    source: str
    envelope: Mapping[str, Any]
    fingerprint: bytes
    data: Any = None
    refusal: Outcome | None = None
    replyto: str | None = None
    correlationid: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    partitionkey: str | None = None
    sequence: int | None = None
    #: `expirytime`
    expires: datetime | None = None
    #: whether an ERROR may use up the id: a command that is not its sender's to give may not
    keeps_id: bool = True
    #: the database has kept it and its time has come; never set for what comes from Redis
    again: bool = False
    #: it was given up and replayed: its turn was taken then
    out_of_turn: bool = False
    #: how often it was tried alone
    attempts: int = 0
    #: why it failed, if it is being given up
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What came as no command that could have an id, or does not prove whose it is. `replyto` is told, if any."""

    reason: str
    body: bytes
    outcome: Outcome
    id: str = ""
    type: str = ""
    source: str | None = None
    replyto: str | None = None
    correlationid: str | None = None
    #: whether it goes to the dead letters
    is_kept: bool = True


Admitted = Command | Unreadable


def expired(at: datetime) -> Outcome:
    """What a command is told that was too late."""
    body = ErrorBody(code=ErrorCode.EXPIRED, message=f"the command expired at {at.isoformat()}", errors=[])
    return Outcome(Status.ERROR, {}, body)
