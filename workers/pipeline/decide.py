"""Commands are carried out on the world, one after the other, in memory. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from messages.results import Outcome
from workers.handlers.outcomes import CommandFailed
from workers.handlers.table import HANDLERS
from workers.pipeline.command import Command
from workers.world.world import Event, World


@dataclass(frozen=True, slots=True)
class Decided:
    """What a command came to, and what happened because of it."""

    command: Command
    outcome: Outcome
    events: list[Event]


class Poisoned(Exception):
    """Raised when a handler fails in a way that no command should be able to cause: a fault of ours."""

    def __init__(self, command: Command, error: Exception) -> None:
        super().__init__(f"{command.type} {command.id}: {type(error).__name__}: {error}")
        self.command = command


def decide(world: World, commands: Iterable[Command]) -> list[Decided]:
    """Goes through the commands in their order; each sees what those before it did."""
    return [_decide(world, command) for command in commands]


def _decide(world: World, command: Command) -> Decided:
    if command.refusal is not None:
        return Decided(command, command.refusal, _given_up(command))
    before = len(world.events)
    try:
        with world.all_or_nothing():
            outcome = HANDLERS[command.type](world, command.data)
    except CommandFailed as failure:
        return Decided(command, failure.outcome(), [])
    # A fault of ours, whatever it is: this command alone is set aside for it.
    except Exception as error:
        raise Poisoned(command, error) from error
    return Decided(command, outcome, world.events[before:])


def _given_up(command: Command) -> list[Event]:
    if command.last_error is None or command.refusal is None:
        return []
    data = {"command": command.envelope, "error": command.refusal.error, "attempts": command.attempts}
    return [Event("command.dead_lettered", command.id, data)]
