"""`interlock slots list`: who holds what."""

import json
from datetime import timedelta

import pytest

from messages.states import StateType
from tests.slots.conftest import Limits, Slots, soon
from workers.now import now

CLEAN = "Every slot is held by a lease or by a run that is under way, and none is taken twice."


def test_it_says_who_holds_what(limits: Limits, slots: Slots) -> None:
    database, idle = limits.limit("database"), limits.limit("idle")
    run, task = limits.flow_run("red-fox"), limits.task_run("load", StateType.CANCELLING)
    limits.held(database, run)
    lease = limits.held(database, slots=2, expires_at=soon(90), acquired_at=now() - timedelta(seconds=5))
    limits.held(limits.limit("tag:api", limit=10, active=False), task)
    result = slots("list")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].split() == ["limit", "taken", "holder", "run", "state", "slots", "acquired", "expires"]
    first = f"database 3 of 3 flow_run {run.id} red-fox Running 1 3 minutes ago"
    second = f"database 3 of 3 lease {lease.lease_id} 2"
    third = f"tag:api 1 of 10, not active task_run {task.id} load Cancelling 1 3 minutes ago"
    shown = [" ".join(line.split()) for line in lines[1:]]
    assert shown[0] == first
    assert shown[1].startswith(second)
    assert shown[1].endswith("ago in 1 minute")
    assert shown[2:] == [third, CLEAN]
    assert idle.name not in result.stdout


def test_limits_without_holders_are_shown_when_asked_for(limits: Limits, slots: Slots) -> None:
    limits.limit("idle")
    limits.limit("busy")
    assert "idle" not in slots("list").stdout
    assert "Nobody holds a slot." in slots("list").stdout
    assert "0 of 3" in slots("list", "--all").stdout
    only = slots("list", "--limit", "idle").stdout
    assert "nobody" in only
    assert "busy" not in only


def test_it_can_be_read_by_programs(limits: Limits, slots: Slots) -> None:
    run = limits.flow_run("red-fox")
    slot = limits.held(limits.limit("database"), run)
    limits.limit("idle")
    found = json.loads(slots("list", "--json", "--all").stdout)
    assert found["drift"] == []
    assert [each["name"] for each in found["limits"]] == ["database", "idle"]
    database = found["limits"][0]
    assert (database["limit"], database["taken"], database["active"]) == (3, 1, True)
    acquired = slot.acquired_at.isoformat().replace("+00:00", "Z")
    assert database["holders"] == [
        {
            "holder_kind": "flow_run",
            "holder_id": str(run.id),
            "run_name": "red-fox",
            "state_type": "RUNNING",
            "state_name": "Running",
            "slots": 1,
            "acquired_at": acquired,
            "expires_at": None,
        }
    ]


def test_a_lease_that_is_over_holds_nothing(limits: Limits, slots: Slots) -> None:
    database = limits.limit("database")
    limits.held(database, expires_at=soon(-1))
    [found] = json.loads(slots("list", "--json", "--limit", "database").stdout)["limits"]
    assert (found["taken"], found["holders"]) == (0, [])


def test_what_has_faded_is_not_taken(limits: Limits, slots: Slots) -> None:
    limits.held(limits.limit("rate", limit=100, slot_decay_per_second=0.5), slots=90)
    [found] = json.loads(slots("list", "--json").stdout)["limits"]
    assert 40 <= found["taken"] <= 60


@pytest.mark.parametrize(
    "state", [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]
)
def test_a_slot_that_was_not_given_back_is_found(limits: Limits, slots: Slots, state: StateType) -> None:
    database = limits.limit("database")
    ended = limits.flow_run("ended", state)
    limits.held(database, ended)
    limits.held(database, limits.task_run("at work"))
    result = slots("list")
    assert CLEAN not in result.stdout
    assert f"database: 1 slot of flow_run {ended.id}, held by a run that is not under way" in result.stdout
    [drifted] = json.loads(slots("list", "--json").stdout)["drift"]
    assert (drifted["limit_name"], drifted["holder_id"]) == ("database", str(ended.id))


def test_a_limit_that_was_lowered_below_what_is_taken_is_found(limits: Limits, slots: Slots) -> None:
    limits.held(limits.limit("database", limit=1), slots=2)
    assert "database: 2 slots, more slots are taken than there are" in slots("list").stdout


def test_a_limit_that_does_not_exist(slots: Slots) -> None:
    result = slots("list", "--limit", "nothing")
    assert result.exit_code == 1
    assert "there is no concurrency limit 'nothing'" in result.stderr


def test_a_database_that_is_away(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", "postgresql://127.0.0.1:1/interlock")
    assert slots("list").exit_code == 3
    assert slots("release", "database", "--all", "--yes").exit_code == 3
