"""Results and events as the inbox and the outbox keep them. Pure."""

from datetime import datetime

from messages.results import Outcome
from store import inbox
from workers.pipeline.command import Command
from workers.pipeline.envelopes import event_of
from workers.world.world import Event, World

EVENTS = "events"


def inbox_row(command: Command, outcome: Outcome, envelope: bytes) -> inbox.Row:
    """A command that has ended, with its result."""
    return inbox.Row(
        command.id,
        command.source,
        command.type,
        command.fingerprint,
        outcome.status,
        command.replyto,
        envelope,
    )


def entries_of(event: Event, command: Command | None, world: World, now: datetime) -> list[tuple[str, bytes]]:
    """An event for each stream it goes to, under one id; `command` is what caused it, if a command did."""
    text = event_of(event, command, world.new_id(), now)
    streams = [EVENTS] if event.notify is None else [f"notifications:{event.notify}", EVENTS]
    return [(stream, text) for stream in streams]
