"""The memory of a batch: changed, looked up, and put back as it was."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.catalog import ConcurrencyLimit
from messages.ids import uuid7
from store.limits import Slot
from workers.handlers.notifications import fill_in
from workers.world import slots
from workers.world.collection import Collection, Journal
from workers.world.world import Event, World

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    """Found by its name, too."""

    id: UUID
    name: str
    size: int = 0


items = st.builds(
    Item, id=st.integers(0, 5).map(lambda n: UUID(int=n)), name=st.sampled_from("abc"), size=st.integers(0, 9)
)
steps = st.lists(st.tuples(st.sampled_from(["put", "remove"]), items), max_size=15)


def shown(collection: Collection[Item]) -> object:
    """All that can be seen of a collection."""
    by_name = [collection.by(name) for name in "abc"]
    changes = collection.changes()
    return (
        sorted(collection, key=lambda it: it.id.int),
        by_name,
        sorted(changes.inserted, key=lambda it: it.id.int),
        sorted(changes.updated, key=lambda it: it[0].id.int),
        sorted(each.int for each in changes.deleted),
    )


def carry_out(collection: Collection[Item], todo: list[tuple[str, Item]]) -> None:
    for what, item in todo:
        if what == "put":
            collection.put(item)
        else:
            collection.remove(item.id)


@given(st.lists(items, max_size=4, unique_by=lambda it: it.id), steps, steps)
def test_rewinding_puts_everything_back(
    loaded: list[Item], before: list[tuple[str, Item]], after: list[tuple[str, Item]]
) -> None:
    journal = Journal()
    collection: Collection[Item] = Collection(journal, lambda it: [(it.name,)])
    collection.load(loaded)
    carry_out(collection, before)
    as_it_was, mark = shown(collection), journal.mark()
    carry_out(collection, after)
    journal.rewind(mark)
    assert shown(collection) == as_it_was


@given(st.lists(items, max_size=4, unique_by=lambda it: it.id), steps)
def test_changes_lead_from_what_was_loaded_to_what_is_there(
    loaded: list[Item], todo: list[tuple[str, Item]]
) -> None:
    collection: Collection[Item] = Collection(Journal())
    collection.load(loaded)
    carry_out(collection, todo)
    database = {item.id: item for item in loaded}
    changes = collection.changes()
    for ident in changes.deleted:
        del database[ident]
    for old, new in changes.updated:
        assert database[old.id] == old
        database[new.id] = new
    for item in changes.inserted:
        assert item.id not in database
        database[item.id] = item
    assert database == {item.id: item for item in collection}


def test_what_a_failed_command_did_and_told_is_taken_back() -> None:
    world = World(clock=lambda: NOON, new_id=uuid7, dice=lambda: 0.5)
    world.limits.load([limit()])
    fails_in_the_middle = pytest.raises(ZeroDivisionError)
    with fails_in_the_middle, world.all_or_nothing():
        world.limits.remove(UUID(int=9))
        world.tell(Event("x", UUID(int=1), {}))
        raise ZeroDivisionError
    assert len(world.limits) == 1
    assert world.events == []


def limit(**fields: object) -> ConcurrencyLimit:
    given: dict[str, object] = {
        "id": UUID(int=9),
        "created": NOON,
        "updated": NOON,
        "name": "l",
        "limit": 5,
        **fields,
    }
    return ConcurrencyLimit(**given)  # type: ignore[arg-type]


@given(st.integers(0, 10), st.floats(0, 3), st.floats(0, 30))
def test_slots_fade_by_whole_ones_and_never_below_none(active: int, rate: float, seconds: float) -> None:
    faded = slots.decayed(
        limit(active_slots=active, slot_decay_per_second=rate), NOON + timedelta(seconds=seconds)
    )
    assert 0 <= faded <= active
    assert faded <= rate * seconds + 1e-6
    assert faded == active or faded > rate * seconds - 1 - 1e-6


def test_a_limit_without_decay_keeps_its_slots_and_time_does_not_run_backwards() -> None:
    assert slots.taken(limit(active_slots=3), NOON + timedelta(days=1)) == 3
    decaying = limit(active_slots=3, slot_decay_per_second=1.0)
    assert slots.taken(decaying, NOON - timedelta(days=1)) == 3
    assert [slots.taken(decaying, NOON + timedelta(seconds=s)) for s in (0.9, 1, 2.5, 99)] == [3, 2, 1, 0]


def test_refusals_fade_at_the_rate_of_slots_or_of_an_average_turn() -> None:
    after_4_s = NOON + timedelta(seconds=4)
    assert slots.denied(limit(denied_slots=5, slot_decay_per_second=0.5), after_4_s) == 3
    assert slots.denied(limit(denied_slots=5, avg_slot_occupancy_seconds=2.0), after_4_s) == 3
    assert slots.denied(limit(denied_slots=1, avg_slot_occupancy_seconds=2.0), after_4_s) == 0


def test_what_fades_is_taken_from_the_oldest_leases_first() -> None:
    world = World(clock=lambda: NOON, new_id=uuid7, dice=lambda: 0.5)
    decaying = limit(active_slots=5, slot_decay_per_second=1.0)
    world.limits.load([decaying])
    world.slots.load([lease(1, 2), lease(2, 2), lease(3, 1)])
    settled = slots.settle(world, decaying, NOON + timedelta(seconds=3))
    assert settled.active_slots == 2
    assert {slot.id.int: slot.slots for slot in world.slots} == {2: 1, 3: 1}


def lease(number: int, size: int) -> Slot:
    return Slot(
        id=UUID(int=number),
        limit_id=UUID(int=9),
        holder_kind="lease",
        lease_id=UUID(int=100 + number),
        slots=size,
        acquired_at=NOON + timedelta(seconds=number - 10),
    )


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{flow_run_name} is done", "nightly is done"),
        ("{{flow_run_name}} {flow_run_name}", "{flow_run_name} nightly"),
        ("{unknown} {flow_run_name.__class__} {0} {", "{unknown} {flow_run_name.__class__} {0} {"),
        ("", ""),
    ],
)
def test_a_template_has_its_names_filled_in_and_nothing_else(template: str, text: str) -> None:
    assert fill_in(template, {"flow_run_name": "nightly"}) == text


def test_what_is_filled_in_is_not_a_template_itself_and_is_bounded() -> None:
    assert fill_in("{flow_run_name}", {"flow_run_name": "{flow_name}", "flow_name": "x"}) == "{flow_name}"
    assert len(fill_in("{flow_run_name}" * 10, {"flow_run_name": "x" * 19_000})) == 20_000
