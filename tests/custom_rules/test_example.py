"""The example package of the documentation: installed, loaded, and asked by commands on PostgreSQL."""

from pathlib import Path

import pytest

from store.transaction import Engine
from tests.custom_rules.conftest import SATURDAY, Desk
from tests.custom_rules.packages import EXAMPLE, install
from workers.policies.loading import load_policies

FROZEN = "example.frozen"


@pytest.fixture
def desk(site: Path, engine: Engine) -> Desk:
    install(EXAMPLE, site)
    return Desk(engine, load_policies())


def test_a_frozen_run_waits_for_monday_under_the_policy_that_says_so(desk: Desk) -> None:
    run = desk.a_flow_run(tags=["frozen"])
    desk.now = SATURDAY
    answer = desk.move(run, "PENDING", FROZEN)
    assert answer["status"] == "WAIT"
    assert answer["details"] == {
        "reason": "what is tagged `frozen` rests at weekends",
        "delay_seconds": 36 * 3600,
    }
    assert answer["run"]["state_type"] == "SCHEDULED"


def test_a_frozen_run_starts_on_a_weekday(desk: Desk) -> None:
    assert desk.move(desk.a_flow_run(tags=["frozen"]), "PENDING", FROZEN)["status"] == "ACCEPT"


def test_core_knows_nothing_of_the_policy_beside_it(desk: Desk) -> None:
    run = desk.a_flow_run(tags=["frozen"])
    desk.now = SATURDAY
    assert desk.move(run, "PENDING", "core")["status"] == "ACCEPT"


def test_the_core_rules_hold_under_a_policy_that_is_built_on_them(desk: Desk) -> None:
    run = desk.a_flow_run()
    assert desk.move(run, "PENDING", FROZEN)["status"] == "ACCEPT"
    assert desk.move(run, "PENDING", FROZEN)["status"] == "ABORT"


def test_a_rule_can_look_at_the_parameters_of_the_run(desk: Desk) -> None:
    run = desk.a_flow_run(tags=["frozen"], parameters={"frozen_until": "2026-12-31"})
    answer = desk.move(run, "PENDING", FROZEN)
    assert (answer["status"], answer["details"]["reason"]) == ("ABORT", "the run is frozen until 2026-12-31")


def test_a_run_that_may_not_start_takes_no_slot(desk: Desk) -> None:
    created = desk.send(("deployment.upsert", {"name": "d", "flow_name": "flow", "concurrency_limit": 1}))[0]
    deployment = {"deployment_id": created["deployment"]["id"]}
    frozen, other = desk.a_flow_run(tags=["frozen"], **deployment), desk.a_flow_run(**deployment)
    desk.now = SATURDAY
    assert desk.move(frozen, "PENDING", FROZEN)["status"] == "WAIT"
    assert desk.move(other, "PENDING", FROZEN)["status"] == "ACCEPT"


def test_force_overrules_every_policy(desk: Desk) -> None:
    run = desk.a_flow_run(tags=["frozen"])
    desk.now = SATURDAY
    assert desk.move(run, "PENDING", FROZEN, force=True)["status"] == "ACCEPT"


def test_a_frozen_task_run_waits_too(desk: Desk) -> None:
    flow_run = desk.a_flow_run(state={"type": "RUNNING"})
    task_run = desk.a_task_run(flow_run, tags=["frozen"])
    command = {"task_run_id": task_run, "state": {"type": "RUNNING"}, "policy": FROZEN}
    desk.now = SATURDAY
    assert desk.send(("task_run.set_state", command))[0]["status"] == "WAIT"


@pytest.mark.parametrize("force", [False, True])
def test_an_unknown_policy_is_refused_by_naming_the_known_ones(desk: Desk, force: bool) -> None:
    run = desk.a_flow_run()
    answer = desk.move(run, "PENDING", "example.frozne", force=force)
    assert answer["status"] == "ERROR"
    assert answer["error"]["code"] == "invalid_message"
    assert answer["error"]["errors"][0]["loc"] == ["data", "policy"]
    assert "'example.frozne'; known are core, example.frozen, late, minimal" in answer["error"]["message"]
