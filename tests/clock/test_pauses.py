from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from messages.states import StateType
from tests.clock.scene import NOW, Scene, ago
from workers.clock import pauses
from workers.clock.duty import Means
from workers.clock.pauses import MESSAGE, fail_expired_pauses


def paused(scene: Scene, timeout: datetime | None, **data: Any) -> UUID:
    details = {} if timeout is None else {"pause_timeout": timeout.isoformat()}
    return scene.flow_run({"type": "PAUSED", "state_details": details}, ago(hours=1), **data)


def test_a_pause_that_is_over_fails_the_run_and_says_why(scene: Scene, means: Means) -> None:
    run = paused(scene, ago(seconds=1))
    fail_expired_pauses(means, NOW)
    failed = scene.read(run)
    assert failed.state is not None
    assert (failed.state_type, failed.state.message, failed.state.timestamp) == (
        StateType.FAILED,
        MESSAGE,
        NOW,
    )


def test_a_pause_lasts_until_its_very_end(scene: Scene, means: Means) -> None:
    run = paused(scene, NOW)
    assert fail_expired_pauses(means, NOW) == 0
    assert scene.read(run).state_type is StateType.PAUSED


def test_pauses_without_an_end_last_and_keep_no_other_from_ending(scene: Scene, means: Means) -> None:
    endless = paused(scene, None)
    over = paused(scene, ago(minutes=1))
    also_endless = paused(scene, None)
    fail_expired_pauses(means, NOW)
    assert scene.read(over).state_type is StateType.FAILED
    assert {scene.read(run).state_type for run in (endless, also_endless)} == {StateType.PAUSED}


def test_only_the_present_pause_counts(scene: Scene, means: Means) -> None:
    run = paused(scene, ago(minutes=1))
    scene.set_state(run, {"type": "RUNNING"}, ago(seconds=30))
    scene.set_state(
        run,
        {"type": "PAUSED", "state_details": {"pause_timeout": (NOW + timedelta(hours=1)).isoformat()}},
        ago(seconds=20),
    )
    assert fail_expired_pauses(means, NOW) == 0


def test_failing_gives_the_deployments_slot_back(scene: Scene, means: Means) -> None:
    made = scene.do(
        "deployment.upsert", {"name": "nightly", "flow_name": "etl", "concurrency_limit": 1}, ago(hours=2)
    )
    run = scene.flow_run(at=ago(hours=2), deployment_id=made["deployment"]["id"])
    pending = {"flow_run_id": str(run), "state": {"type": "PENDING"}}
    assert scene.do("flow_run.set_state", pending, ago(hours=2))["status"] == "ACCEPT"
    assert len(scene.rows("SELECT 1 FROM concurrency_slot")) == 1
    details = {"pause_timeout": ago(minutes=1).isoformat()}
    scene.set_state(run, {"type": "PAUSED", "state_details": details}, ago(hours=1))
    fail_expired_pauses(means, NOW)
    assert scene.rows("SELECT 1 FROM concurrency_slot") == []


def test_more_pauses_than_fit_a_batch_all_end(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "AT_ONCE", 2)
    runs = [paused(scene, ago(minutes=1)) for _ in range(5)]
    assert fail_expired_pauses(means, NOW) == 5
    assert {scene.read(run).state_type for run in runs} == {StateType.FAILED}
