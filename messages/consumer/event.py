"""Events as the consumer gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from messages.fields import JsonObject


@dataclass(frozen=True, slots=True)
class Event:
    """An event, notification or result. `raw` is the whole envelope, `entry_id` its place in the stream.

    `sequence` of a run's event is the run's version after the change, `causationid` the command behind it.
    """

    id: str
    type: str
    subject: str | None
    data: JsonObject
    causationid: str | None
    correlationid: str | None
    partitionkey: str | None
    sequence: str | None
    time: str | None
    raw: JsonObject
    entry_id: str


def read_event(entry_id: str, text: bytes | None) -> Event | None:
    """The event of a stream's entry; None for what is none, which nobody could ever handle."""
    try:
        envelope = from_json(text or b"null")
    except ValueError:
        return None
    if not isinstance(envelope, Mapping) or not envelope.get("id") or not envelope.get("type"):
        return None
    return Event(
        id=str(envelope["id"]),
        type=str(envelope["type"]),
        subject=_text(envelope, "subject"),
        data=envelope.get("data") or {},
        causationid=_text(envelope, "causationid"),
        correlationid=_text(envelope, "correlationid"),
        partitionkey=_text(envelope, "partitionkey"),
        sequence=_text(envelope, "sequence"),
        time=_text(envelope, "time"),
        raw=dict(envelope),
        entry_id=entry_id,
    )


def _text(envelope: Mapping[str, Any], name: str) -> str | None:
    value = envelope.get(name)
    return None if value is None else str(value)
