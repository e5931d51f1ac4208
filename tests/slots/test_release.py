"""`interlock slots release`: freed by hand, once, under the limit's lock."""

import threading
import time

import pytest

from messages.ids import uuid7
from store import limits as store
from store.transaction import transaction
from tests.slots.conftest import Limits, Slots
from workers.cli import slots as word
from workers.now import monotonic, now

PATIENCE_S = 60.0


def test_a_run_gives_back_what_it_holds_of_that_limit_alone(limits: Limits, slots: Slots) -> None:
    database, api = limits.limit("database"), limits.limit("api")
    run, other = limits.flow_run("red-fox"), limits.task_run("load")
    for limit in (database, api):
        limits.held(limit, run)
    limits.held(database, other)
    result = slots("release", "database", "--holder", run.id, "--yes")
    assert result.exit_code == 0
    assert result.stdout == f"freed 1 slot of flow run {run.id} (red-fox, Running)\n"
    assert limits.left() == {run.id: 1, other.id: 1}


def test_a_lease_gives_back_all_its_slots(limits: Limits, slots: Slots) -> None:
    database = limits.limit("database")
    lease, other = limits.held(database, slots=2), limits.held(database)
    result = slots("release", "database", "--lease", lease.lease_id, "--yes")
    assert result.stdout == f"freed 2 slots of lease {lease.lease_id}\n"
    assert limits.left() == {other.lease_id: 1}


def test_everybody_gives_back(limits: Limits, slots: Slots) -> None:
    database, other = limits.limit("database"), limits.held(limits.limit("api"))
    limits.held(database, slots=2)
    limits.held(database, limits.flow_run("red-fox"))
    limits.held(database, limits.task_run("load"))
    result = slots("release", "database", "--all", "--yes")
    assert len(result.stdout.splitlines()) == 3
    assert limits.left() == {other.lease_id: 1}


def test_nothing_to_free(limits: Limits, slots: Slots) -> None:
    database = limits.limit("database")
    slot = limits.held(database)
    # An id of a lease is no run's, and the other way round.
    for who in (("--holder", slot.lease_id), ("--lease", uuid7())):
        result = slots("release", "database", *who, "--yes")
        assert result.exit_code == 1
        assert "nothing was freed" in result.stderr
    assert slots("release", "api", "--all", "--yes").exit_code == 1
    assert limits.left() == {slot.lease_id: 1}


@pytest.mark.parametrize(
    "args", [(), ("--all", "--lease", uuid7()), ("--holder", uuid7(), "--lease", uuid7()), ("--lease", "x")]
)
def test_it_wants_to_know_whose(limits: Limits, slots: Slots, args: tuple[object, ...]) -> None:
    limits.held(limits.limit("database"))
    assert slots("release", "database", *args, "--yes").exit_code == 2
    assert len(limits.left()) == 1


def test_where_it_cannot_ask_it_has_to_be_told_yes(limits: Limits, slots: Slots) -> None:
    limits.held(limits.limit("database"))
    result = slots("release", "database", "--all")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert len(limits.left()) == 1


def test_it_asks_before_it_does(limits: Limits, slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word, "_can_ask", lambda: True)
    slot = limits.held(limits.limit("database"))
    refused = slots("release", "database", "--all", answer="n\n")
    assert refused.exit_code == 1
    assert f"1 slot of lease {slot.lease_id}" in refused.stderr
    assert len(limits.left()) == 1
    agreed = slots("release", "database", "--all", answer="y\n")
    assert agreed.exit_code == 0
    assert limits.left() == {}


def test_of_slots_that_fade_the_oldest_have_gone_already(limits: Limits, slots: Slots) -> None:
    rate = limits.limit("rate", limit=100, slot_decay_per_second=0.5)
    old, new = limits.held(rate, slots=20), limits.held(rate, slots=70)
    # 60 seconds at half a slot each: all of the older lease, and some ten slots of the younger.
    result = slots("release", "rate", "--lease", old.lease_id, "--yes")
    assert result.exit_code == 1
    assert list(limits.left()) == [new.lease_id]
    assert 50 <= sum(limits.left().values()) <= 61


def test_it_waits_for_whoever_has_the_limit_and_frees_what_is_left(limits: Limits, slots: Slots) -> None:
    database = limits.limit("database")
    given_back, kept = limits.held(database), limits.held(database, limits.flow_run("red-fox"))
    said: list[str] = []
    release = threading.Thread(
        target=lambda: said.append(slots("release", "database", "--all", "--yes").stdout)
    )
    with transaction(limits.engine) as connection:
        store.lock(connection, [database.id], now())
        release.start()
        _wait_for_somebody_to_wait(limits)
        store.delete_slots(connection, [given_back.id])
    release.join(PATIENCE_S)
    assert said == [f"freed 1 slot of flow run {kept.flow_run_id} (red-fox, Running)\n"]
    assert limits.left() == {}


def _wait_for_somebody_to_wait(limits: Limits) -> None:
    give_up_at = monotonic() + PATIENCE_S
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while True:
        with transaction(limits.engine) as connection:
            if connection.exec_driver_sql(waiting).scalar():
                return
        assert monotonic() < give_up_at
        time.sleep(0.01)
