"""Commands are carried out on the world, one after the other, in memory. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from messages.commands.orchestration import OnWait
from messages.evolve import value
from messages.results import Outcome, Status
from workers.handlers.outcomes import CommandFailed
from workers.handlers.table import HANDLERS
from workers.pipeline.command import Command, expired
from workers.pipeline.order import Key, key_of
from workers.world.world import Event, World


@value()
class Decided:
    """What a command came to, and what happened because of it."""

    command: Command
    outcome: Outcome
    events: list[Event]


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a batch came to."""

    ended: list[Decided] = field(default_factory=list)
    #: the rules told them to wait, and they asked to be tried again by themselves: they have changed nothing
    deferred: list[tuple[Command, Outcome]] = field(default_factory=list)
    #: of the same source and partition key as a deferred one, and after it: not looked at
    behind: list[Command] = field(default_factory=list)

    def held(self) -> list[Command]:
        """All that go on waiting, in their order."""
        return [*(command for command, _ in self.deferred), *self.behind]


class Poisoned(Exception):
    """Raised when a handler fails in a way that no command should be able to cause: a fault of ours."""

    def __init__(self, command: Command, error: BaseException) -> None:
        super().__init__(f"{command.type} {command.id}: {type(error).__name__}: {error}")
        self.command = command


class TookTooLong(BaseException):
    """Raised from outside in a thread that spends too long on one command. No rule can catch it as an Exception."""


class _ToldToWait(Exception):
    """Raised to take back whatever the rules left behind when they said WAIT."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Watch(Protocol):
    """Looks how long a command takes. Either call may raise TookTooLong."""

    def now_at(self, command: Command | None) -> None:
        """This thread decides on this command from now on, or on none."""

    def heard(self) -> None:
        """This thread has met the TookTooLong that was meant for it."""


class Unwatched:
    """Nobody looks."""

    def now_at(self, command: Command | None) -> None:
        """As in `Watch`."""

    def heard(self) -> None:
        """As in `Watch`."""


UNWATCHED = Unwatched()


def decide(world: World, commands: Iterable[Command], watch: Watch = UNWATCHED) -> Decisions:
    """Goes through the commands in their order; each sees what those before it did.

    Raises:
        Poisoned: one of them made a handler fail, or took too long.
    """
    decisions = Decisions()
    last: list[Command] = []
    try:
        try:
            _decide_all(world, commands, decisions, watch, last)
        except TookTooLong:
            watch.heard()
            raise
        finally:
            watch.now_at(None)
    except TookTooLong as error:
        watch.heard()
        raise Poisoned(last[0], error) from error
    return decisions


def _decide_all(
    world: World, commands: Iterable[Command], decisions: Decisions, watch: Watch, last: list[Command]
) -> None:
    held: set[Key | None] = set()
    for command in commands:
        watch.now_at(command)
        last[:] = [command]
        if held and key_of(command) in held:
            decisions.behind.append(command)
        else:
            _decide(world, command, decisions, held)


def _decide(world: World, command: Command, decisions: Decisions, held: set[Key | None]) -> None:
    if command.refusal is not None:
        decisions.ended.append(Decided(command, command.refusal, _given_up(command)))
        return
    before = len(world.events)
    try:
        with world.all_or_nothing():
            outcome = _handled(world, command)
    except CommandFailed as failure:
        decisions.ended.append(Decided(command, failure.outcome(), []))
    except _ToldToWait as told:
        _defer(world, command, told.outcome, decisions, held)
    # A fault of ours, whatever it is: this command alone is set aside for it.
    except Exception as error:
        raise Poisoned(command, error) from error
    else:
        decisions.ended.append(Decided(command, outcome, world.events[before:]))


def _handled(world: World, command: Command) -> Outcome:
    outcome = HANDLERS[command.type](world, command.data)
    if outcome.status is Status.WAIT and getattr(command.data, "on_wait", None) is OnWait.DEFER:
        raise _ToldToWait(outcome)
    return outcome


def _defer(
    world: World, command: Command, outcome: Outcome, decisions: Decisions, held: set[Key | None]
) -> None:
    if command.expires is not None and command.expires <= world.clock():
        decisions.ended.append(Decided(command, expired(command.expires), []))
        return
    decisions.deferred.append((command, outcome))
    if command.partitionkey is not None:
        held.add(key_of(command))


def _given_up(command: Command) -> list[Event]:
    if command.last_error is None or command.refusal is None:
        return []
    data = {"command": command.envelope, "error": command.refusal.error, "attempts": command.attempts}
    return [Event("command.dead_lettered", command.id, data)]
