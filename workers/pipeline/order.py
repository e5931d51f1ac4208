"""Per-key order: which commands have their turn, which come early, which are too late. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from messages.errors import ErrorCode
from messages.fields import Id
from messages.results import ErrorBody, Outcome, Status
from workers.pipeline.command import Command

Key = tuple[str, str]


class Company(Enum):
    """With whom commands are applied."""

    #: with whatever is there: the rest of the batch, and parked followers
    TOGETHER = "together"
    #: without its parked follower, which is to be tried alone after it
    ALONE = "alone"
    #: not now: all that have their turn are to be tried alone
    APART = "apart"


@dataclass(slots=True)
class Turns:
    """How a batch is to be gone through."""

    ready: list[Command] = field(default_factory=list)
    #: a number that is taken: answered, but not applied
    refused: list[tuple[Command, Outcome]] = field(default_factory=list)
    #: copies of a command that has its turn in this batch, or that waits for it
    repeats: list[Command] = field(default_factory=list)
    #: all that wait after this batch; those that are new among them are to be parked
    waiting: list[Command] = field(default_factory=list)
    to_park: list[Command] = field(default_factory=list)
    #: those that have their turn and are to be tried alone
    to_try_alone: list[Command] = field(default_factory=list)
    unparked: list[Id] = field(default_factory=list)
    positions: dict[Key, int] = field(default_factory=dict)

    def hold(self, held: Sequence[Command]) -> None:
        """Commands that were ready keep on waiting: the first of each key has its turn, the others come after it."""
        ids = {command.id for command in held}
        ordered = [command for command in held if command.partitionkey is not None]
        self.to_park += [command for command in ordered if command.id not in self.unparked]
        self.waiting += ordered
        self.unparked = [ident for ident in self.unparked if ident not in ids]
        keys = {key_of(command) for command in ordered}
        self.to_try_alone = [command for command in self.to_try_alone if key_of(command) not in keys]
        for command in reversed(ordered):
            self.positions[key_of(command)] = _number(command)  # type: ignore[index]  # it has one


def key_of(command: Command) -> Key | None:
    """Whose turn it is about: (source, partition key); None for a command that waits for nobody."""
    return None if command.partitionkey is None else (command.source, command.partitionkey)


def take_turns(
    commands: Iterable[Command],
    next_numbers: Mapping[Key, int],
    parked: Sequence[Command],
    company: Company = Company.TOGETHER,
) -> Turns:
    """Puts commands in their order. A command whose predecessor is missing is parked; the missing one brings
    its parked followers with it. One that is to be tried alone keeps its turn, and goes when it comes itself."""
    return _Sorting(next_numbers, parked, company).sort(commands)


class _Sorting:
    def __init__(self, next_numbers: Mapping[Key, int], parked: Sequence[Command], company: Company) -> None:
        self._company = company
        self._next = dict(next_numbers)
        self._before = dict(next_numbers)
        self._waiting: dict[Key, dict[int, Command]] = {}
        self._was_parked = {command.id for command in parked}
        self._done: set[Id] = set()
        self._turns = Turns()
        for command in parked:
            self._wait(command)

    def sort(self, commands: Iterable[Command]) -> Turns:
        for command in commands:
            key = key_of(command)
            if key is None:
                self._place_free(command)
            else:
                self._place(command, key, _number(command))
        turns = self._turns
        turns.positions = {key: number for key, number in self._next.items() if number != self._before[key]}
        turns.waiting = [command for waiting in self._waiting.values() for command in waiting.values()]
        turns.to_park = [command for command in turns.waiting if command.id not in self._was_parked]
        return turns

    def _place_free(self, command: Command) -> None:
        """What is refused does no harm when it is answered."""
        apart = self._company is Company.APART and command.refusal is None
        (self._turns.to_try_alone if apart else self._turns.ready).append(command)

    def _place(self, command: Command, key: Key, number: int) -> None:
        if command.id in self._done:
            self._turns.repeats.append(command)
            return
        waiting = self._waiting.get(key, {}).get(number)
        if number == self._next[key] and waiting is not None and _is_copy(command, waiting):
            del self._waiting[key][number]  # it kept its turn, and now comes itself
            waiting = None
        if waiting is not None and waiting.id == command.id:
            self._turns.repeats.append(command)  # if it is the same: the answer comes when its turn does
            return
        if number < self._next[key] or waiting is not None:
            self._turns.refused.append((command, _number_is_taken(command)))
        elif number > self._next[key]:
            self._wait(command)
        elif self._company is Company.APART:
            self._wait(command)
            self._done.add(command.id)
            self._turns.to_try_alone.append(command)
        else:
            self._go(command, key)
            self._bring_followers(key)

    def _bring_followers(self, key: Key) -> None:
        waiting = self._waiting.get(key, {})
        while (follower := waiting.get(self._next[key])) is not None:
            if self._company is Company.ALONE:
                self._turns.to_try_alone.append(follower)
                return
            self._go(waiting.pop(self._next[key]), key)

    def _go(self, command: Command, key: Key) -> None:
        self._turns.ready.append(command)
        self._done.add(command.id)
        self._next[key] += 1
        if command.id in self._was_parked:
            self._turns.unparked.append(command.id)

    def _wait(self, command: Command) -> None:
        key = key_of(command)
        assert key is not None
        self._waiting.setdefault(key, {})[_number(command)] = command


def _is_copy(one: Command, other: Command) -> bool:
    return one.id == other.id and one.fingerprint == other.fingerprint


def _number(command: Command) -> int:
    assert command.sequence is not None
    return command.sequence


def _number_is_taken(command: Command) -> Outcome:
    text = (
        f"sequence {command.sequence} of partition key {command.partitionkey!r} from {command.source!r} "
        "belongs to another command"
    )
    return Outcome(Status.ERROR, {}, ErrorBody(code=ErrorCode.CONFLICT, message=text, errors=[]))
