"""A command on its way through the pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from messages.fields import Id
from messages.results import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
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
    #: whether an ERROR may use up the id: a command that is not its sender's to give may not
    keeps_id: bool = True
    #: how often it failed and why, if it is being given up
    attempts: int = 0
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


@dataclass(frozen=True, slots=True)
class Again:
    """A command that has been admitted before, and is to be tried again: what it says stands in the database."""

    id: Id


Admitted = Command | Unreadable
