"""Copies of commands: the same content gets the first answer again, another content none of it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from messages.errors import ErrorCode
from messages.evolve import value
from messages.fields import Id
from messages.results import ErrorBody, Outcome, Status
from workers.pipeline.command import Command
from workers.pipeline.envelopes import replayed, result_of


@value()
class Ended:
    """A command that came before: what it was, and its result as published; None if it waits for its turn."""

    fingerprint: bytes
    result: str | bytes | None


def answers(
    copies: Iterable[Command], ended: Mapping[Id, Ended], new_id: Callable[[], Id], now: datetime
) -> Iterable[tuple[str, bytes]]:
    """(reply address, envelope) for each copy; none for copies of a command that still waits for its turn."""
    for copy in copies:
        first = ended.get(copy.id)
        if first is None or copy.replyto is None:
            continue
        if first.fingerprint != copy.fingerprint:
            yield copy.replyto, result_of(copy, reused(copy), new_id(), now)
        elif first.result is not None:
            yield copy.replyto, replayed(first.result)


def reused(copy: Command) -> Outcome:
    """What a command is told whose id belongs to another."""
    message = f"the id {copy.id} belongs to another command: give each command an id of its own"
    return Outcome(Status.ERROR, {}, ErrorBody(code=ErrorCode.ID_REUSED, message=message, errors=[]))
