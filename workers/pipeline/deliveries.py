"""Results and events as the inbox and the outbox keep them. Pure."""

from datetime import datetime
from typing import Any

from messages.results import Outcome
from store import dead_letters
from workers.pipeline.command import Command
from workers.pipeline.envelopes import event_of
from workers.world.world import Event, World

EVENTS = "events"


def inbox_row(command: Command, outcome: Outcome, envelope: bytes, now: datetime) -> dict[str, Any]:
    """A command that has ended, with its result."""
    return {
        "id": command.id,
        "source": command.source,
        "type": command.type,
        "fingerprint": dead_letters.as_bytea(command.fingerprint),
        "status": outcome.status,
        "replyto": command.replyto,
        "result": envelope.decode(),
        "finished": now,
    }


def entries_of(event: Event, command: Command | None, world: World, now: datetime) -> list[tuple[str, str]]:
    """An event for each stream it goes to, under one id; `command` is what caused it, if a command did."""
    text = event_of(event, command, world.new_id(), now).decode()
    streams = [EVENTS] if event.notify is None else [f"notifications:{event.notify}", EVENTS]
    return [(stream, text) for stream in streams]
