"""Turns: whatever order numbers arrive in, they are taken in theirs."""

from collections.abc import Iterable
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from workers.pipeline.command import Command
from workers.pipeline.fingerprint import fingerprint
from workers.pipeline.order import Company, Turns, take_turns

KEY = ("tests", "k")


def numbered(number: int, *, ident: int | None = None, key: str = "k") -> Command:
    """The command with this number; its id is the number, too."""
    envelope = {
        "type": "flow.upsert",
        "source": "tests",
        "partitionkey": key,
        "sequence": str(number),
        "data": ident,
    }
    return Command(
        id=UUID(int=ident or number),
        type="flow.upsert",
        source="tests",
        envelope=envelope,
        fingerprint=fingerprint(envelope),
        partitionkey=key,
        sequence=number,
    )


def numbers(commands: Iterable[Command]) -> list[int]:
    return [command.sequence or 0 for command in commands]


class Database:
    """What is kept between batches: the next numbers and what is parked."""

    def __init__(self) -> None:
        self.next: dict[tuple[str, str], int] = {}
        self.parked: dict[UUID, Command] = {}
        self.applied: list[Command] = []

    def batch(self, commands: list[Command]) -> Turns:
        fresh = [command for command in commands if command not in self.applied]
        keys = {(command.source, command.partitionkey or "") for command in fresh}
        parked = [each for each in self.parked.values() if (each.source, each.partitionkey) in keys]
        turns = take_turns(fresh, {key: self.next.get(key, 1) for key in keys}, parked)
        self.applied += turns.ready
        self.next.update(turns.positions)
        for ident in turns.unparked:
            del self.parked[ident]
        self.parked.update((command.id, command) for command in turns.to_park)
        return turns


@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 5), min_size=12, max_size=12))
def test_any_order_of_arrival_in_any_batches_is_applied_in_the_order_of_numbers(
    arrival: list[int], sizes: list[int]
) -> None:
    database, waiting = Database(), [numbered(number) for number in arrival]
    for size in sizes:
        database.batch(waiting[:size])
        del waiting[:size]
        done = numbers(database.applied)
        assert done == list(range(1, len(done) + 1))
    assert numbers(database.applied) == list(range(1, 13))
    assert database.parked == {}
    assert database.next == {KEY: 13}


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from("ab")), min_size=1, max_size=40), st.integers(1, 7)
)
def test_copies_and_gaps_never_apply_anything_twice_or_early(
    arrival: list[tuple[int, str]], size: int
) -> None:
    database = Database()
    commands = [numbered(number, ident=number * 10 + ord(key), key=key) for number, key in arrival]
    for first in range(0, len(commands), size):
        database.batch(commands[first : first + size])
    for key in "ab":
        there = {number for number, name in arrival if name == key}
        whole = [number for number in range(1, 7) if set(range(1, number + 1)) <= there]
        applied = [command for command in database.applied if command.partitionkey == key]
        assert numbers(applied) == whole
        parked = {each.sequence for each in database.parked.values() if each.partitionkey == key}
        assert parked == there - set(whole)


def test_another_command_with_a_number_that_is_taken_is_refused() -> None:
    database = Database()
    database.batch([numbered(1), numbered(3)])
    turns = database.batch([numbered(1, ident=50), numbered(3, ident=51), numbered(2)])
    assert [command.id.int for command, _ in turns.refused] == [50, 51]
    assert {outcome.error.code for _, outcome in turns.refused if outcome.error} == {"conflict"}
    assert numbers(turns.ready) == [2, 3]


def test_commands_without_a_number_wait_for_nobody() -> None:
    free = Command(id=UUID(int=1), type="t", source="s", envelope={}, fingerprint=b"")
    turns = take_turns([numbered(2), free], {KEY: 1}, [])
    assert turns.ready == [free]
    assert numbers(turns.to_park) == [2]


def test_a_key_of_which_nothing_moved_has_no_new_position() -> None:
    assert take_turns([numbered(2)], {KEY: 1}, []).positions == {}


def test_one_that_is_applied_alone_leaves_its_follower_parked_and_next_to_be_tried_alone() -> None:
    parked = [numbered(2), numbered(3)]
    held = take_turns([numbered(1)], {KEY: 1}, parked, Company.ALONE)
    assert numbers(held.ready) == [1]
    assert numbers(held.to_try_alone) == [2]
    assert held.positions == {KEY: 2}
    assert (held.unparked, held.to_park) == ([], [])
    itself = take_turns([numbered(2)], {KEY: 2}, parked)
    assert numbers(itself.ready) == [2, 3]
    assert itself.unparked == [each.id for each in parked]


def test_set_apart_each_keeps_its_turn_and_none_goes() -> None:
    free = Command(id=UUID(int=99), type="t", source="s", envelope={}, fingerprint=b"")
    turns = take_turns([numbered(2), numbered(1), free, numbered(1)], {KEY: 1}, [], Company.APART)
    assert (turns.ready, turns.positions) == ([], {})
    assert turns.to_try_alone == [numbered(1), free]
    assert sorted(numbers(turns.to_park)) == [1, 2]
    assert numbers(turns.repeats) == [1]


def test_one_that_is_held_gets_its_turn_back_and_those_behind_it_wait_on() -> None:
    parked = [numbered(2), numbered(3)]
    turns = take_turns([numbered(1), numbered(4)], {KEY: 1}, parked)
    assert numbers(turns.ready) == [1, 2, 3, 4]
    turns.hold(turns.ready[1:])
    assert turns.positions == {KEY: 2}
    assert turns.unparked == []
    assert numbers(turns.to_park) == [4]
