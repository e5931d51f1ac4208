"""Results and events in their envelopes. Pure."""

from datetime import datetime
from typing import Any

from pydantic_core import from_json

from messages.fields import Id
from messages.results import Outcome
from store.encoding import encode
from workers.pipeline.command import Command, Unreadable
from workers.world.world import Event

SOURCE = "interlock"


def result_of(command: Command, outcome: Outcome, ident: Id, now: datetime) -> bytes:
    """The envelope of a command's result, as text. `ident` stays the same however often it is published."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": ident,
        "source": SOURCE,
        "type": f"{command.type}.result",
        "time": now,
        "datacontenttype": "application/json",
        "causationid": command.id,
        "data": outcome.data(str(command.id), command.type),
    }
    if outcome.subject is not None:
        envelope["subject"] = outcome.subject
    _trace(envelope, command)
    return encode(envelope)


def refusal_of(unreadable: Unreadable, ident: Id, now: datetime) -> bytes:
    """The envelope that tells a sender that its message could not be taken at all."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": ident,
        "source": SOURCE,
        "type": f"{unreadable.type or 'unknown'}.result",
        "time": now,
        "datacontenttype": "application/json",
        "causationid": unreadable.id,
        "data": unreadable.outcome.data(unreadable.id, unreadable.type),
    }
    if unreadable.correlationid is not None:
        envelope["correlationid"] = unreadable.correlationid
    return encode(envelope)


def event_of(event: Event, command: Command | None, ident: Id, now: datetime) -> bytes:
    """The envelope of an event, as text; `command` is what caused it."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": ident,
        "source": SOURCE,
        "type": event.type,
        "time": now,
        "subject": event.subject,
        "datacontenttype": "application/json",
        "data": event.data,
    }
    if event.version is not None:
        envelope["partitionkey"] = event.subject
        envelope["sequence"] = str(event.version)
    if command is not None:
        envelope["causationid"] = command.id
        _trace(envelope, command)
    return encode(envelope)


def replayed(result: str | bytes) -> bytes:
    """A stored result, marked as told before."""
    envelope = from_json(result)
    envelope["data"]["replayed"] = True
    return encode(envelope)


def _trace(envelope: dict[str, Any], command: Command) -> None:
    if command.correlationid is not None:
        envelope["correlationid"] = command.correlationid
    if command.traceparent is not None:
        envelope["traceparent"] = command.traceparent
    if command.tracestate is not None:
        envelope["tracestate"] = command.tracestate
