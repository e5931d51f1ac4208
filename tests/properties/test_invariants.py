"""What holds after any sequence of commands, however it is cut into batches and however much time goes by."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messages.states import TERMINAL
from store.limits import AT_REST, drift
from store.transaction import Engine, transaction
from tests.properties.commands import Command, cut, sequences
from tests.properties.conftest import Budget
from tests.properties.space import Left, Space, left_in

SECONDS = 13
pauses = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.75, 1.5]), max_size=20)


def taken(left: Left, space: Space) -> dict[str, int]:
    """How many slots of each limit are taken, without the leases that are over."""
    sums = dict.fromkeys(left.limits, 0)
    for holder in left.holders:
        if holder["expires_at"] is None or holder["expires_at"] > space.time:
            sums[holder["name"]] += holder["slots"]
    return sums


def check_limits(before: Left, after: Left, space: Space, batch: list[Command]) -> None:
    """Nobody is admitted beyond a limit; one that was lowered may have more holders, but no new ones."""
    was, now = taken(before, space), taken(after, space)
    given = [data.get("limit", data.get("concurrency_limit")) or 0 for _, data in batch]
    for name, limit in after.limits.items():
        meanwhile = [limit["limit"], before.limits.get(name, limit)["limit"], *given]
        assert now[name] <= max(was.get(name, 0), *meanwhile), (name, batch)


def check_holders(space: Space, left: Left) -> None:
    """No slot is held by a run that rests, has ended, or is gone."""
    with transaction(space.engine) as connection:
        found = drift(connection, space.time)
    assert [each for each in found if each.fault == AT_REST and each.limit_name in left.limits] == []


def check_history(space: Space, left: Left) -> None:
    """The events of a run tell its whole life: no version is left out, and each state follows the one before."""
    lives: dict[str, list[dict[str, Any]]] = {}
    for event in space.events:
        if event["type"].endswith(".created"):
            lives[event["subject"]] = []
        lives[event["subject"]].append(event)
    for ident, run in left.runs.items():
        check_life(lives[ident], run, left.states.get(ident, []))


def check_life(events: list[dict[str, Any]], run: dict[str, Any], states: list[dict[str, Any]]) -> None:
    # To announce a background task is no change: it comes with the version of the change that it goes with.
    versions = [int(event["sequence"]) for event in events if event["type"] != "task_run.scheduled"]
    assert versions == list(range(1, run["version"] + 1))
    previous, written = None, []
    for data in (event["data"] for event in events if event["type"].endswith(".state_changed")):
        assert (data["initial_state"] or {}).get("id") == previous
        assert data["intended"]["from"] == (data["initial_state"] or {}).get("type")
        previous = data["validated_state"]["id"]
        written.append(previous)
    assert sorted(written) == sorted(str(state["id"]) for state in states)
    assert (str(run["state_id"]) if run["state_id"] else None) == previous


def check_times(left: Left) -> None:
    for run in left.runs.values():
        if run["state_type"] in TERMINAL:
            assert (run["start_time"] is None) == (run["end_time"] is None)
        else:
            assert run["end_time"] is None


@settings(
    max_examples=90,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sequence=sequences(24), sizes=st.lists(st.sampled_from([1, 1, 1, 2, 5]), max_size=25), hours=pauses)
def test_any_sequence_of_commands_leaves_everything_in_order(
    engine: Engine,
    budget: Budget,
    sequence: list[Command],
    sizes: list[int],
    hours: list[float],
) -> None:
    if budget.is_spent(SECONDS):
        return
    with budget.looking():
        live_through(Space(engine), cut(sequence, sizes), hours)


def live_through(space: Space, batches: list[list[Command]], hours: list[float]) -> None:
    before = left_in(space)
    for number, batch in enumerate(batches):
        space.time += timedelta(hours=hours[number] if number < len(hours) else 0)
        space.apply(batch)
        after = left_in(space)
        check_limits(before, after, space, batch)
        check_times(after)
        check_holders(space, after)
        before = after
    check_history(space, before)
