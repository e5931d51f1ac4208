from datetime import datetime, timedelta
from uuid import UUID

import pytest

from messages.states import StateType
from tests.clock.scene import NOW, Scene, ago
from workers.clock import cancellations
from workers.clock.cancellations import MESSAGE, cancel_subflows, cancel_task_runs
from workers.clock.duty import Means

A_MINUTE_AGO = ago(minutes=1)


def cancelled(scene: Scene, at: datetime = A_MINUTE_AGO) -> UUID:
    """One that had begun: without a start a run has no end."""
    run = scene.flow_run({"type": "RUNNING"}, at - timedelta(minutes=1))
    scene.set_state(run, {"type": "CANCELLED"}, at)
    return run


def subflow(scene: Scene, parent: UUID, kind: str = "RUNNING", deployment: str | None = None) -> UUID:
    wrapper = scene.task_run(parent, f"subflow {kind} {deployment}", at=ago(minutes=2))
    return scene.flow_run(
        {"type": kind}, ago(minutes=2), parent_task_run_id=str(wrapper), deployment_id=deployment
    )


@pytest.fixture
def deployment(scene: Scene) -> str:
    made = scene.do("deployment.upsert", {"name": "nightly", "flow_name": "etl"}, ago(hours=2))
    ident: str = made["deployment"]["id"]
    return ident


@pytest.mark.parametrize("kind", ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"])
def test_task_runs_of_a_cancelled_flow_run_are_cancelled(scene: Scene, means: Means, kind: str) -> None:
    flow_run = cancelled(scene)
    task_run = scene.task_run(flow_run, "load", {"type": kind}, ago(minutes=1))
    cancel_task_runs(means, NOW)
    ended = scene.read_task(task_run)
    assert ended.state is not None
    assert (ended.state_type, ended.state.message) == (StateType.CANCELLED, MESSAGE)


def test_task_runs_that_have_ended_or_never_began_stay_as_they_are(scene: Scene, means: Means) -> None:
    flow_run = cancelled(scene)
    completed = scene.task_run(flow_run, "load", {"type": "COMPLETED"}, ago(minutes=1))
    stateless = scene.task_run(flow_run, "store")
    assert cancel_task_runs(means, NOW) == 0
    assert scene.read_task(completed).state_type is StateType.COMPLETED
    assert scene.read_task(stateless).state_type is None


def test_task_runs_of_flow_runs_that_run_or_were_cancelled_long_ago_stay(scene: Scene, means: Means) -> None:
    running = scene.flow_run({"type": "RUNNING"})
    long_ago = cancelled(scene, ago(days=1, seconds=1))
    tasks = [scene.task_run(run, "load", {"type": "RUNNING"}, ago(minutes=1)) for run in (running, long_ago)]
    assert cancel_task_runs(means, NOW) == 0
    assert {scene.read_task(task).state_type for task in tasks} == {StateType.RUNNING}


def test_a_cancelled_task_run_gives_back_the_slots_of_its_tags(scene: Scene, means: Means) -> None:
    scene.do("concurrency_limit.upsert", {"name": "tag:heavy", "limit": 1}, ago(hours=1))
    flow_run = scene.flow_run({"type": "RUNNING"}, ago(minutes=5))
    task_run = scene.task_run(flow_run, "load", tags=["heavy"], at=ago(minutes=5))
    for kind in ("PENDING", "RUNNING"):
        data = {"task_run_id": str(task_run), "state": {"type": kind}}
        assert scene.do("task_run.set_state", data, ago(minutes=4))["status"] == "ACCEPT"
    assert len(scene.rows("SELECT 1 FROM concurrency_slot")) == 1
    scene.set_state(flow_run, {"type": "CANCELLED"}, ago(minutes=1))
    cancel_task_runs(means, NOW)
    assert scene.rows("SELECT 1 FROM concurrency_slot") == []


def test_more_task_runs_than_fit_a_batch_are_all_cancelled(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancellations, "AT_ONCE", 2)
    flow_run = cancelled(scene)
    tasks = [scene.task_run(flow_run, f"load {n}", {"type": "RUNNING"}, ago(minutes=1)) for n in range(5)]
    assert cancel_task_runs(means, NOW) == 5
    assert {scene.read_task(task).state_type for task in tasks} == {StateType.CANCELLED}


def test_a_subflow_without_a_deployment_is_cancelled(scene: Scene, means: Means) -> None:
    parent = scene.flow_run({"type": "RUNNING"}, ago(minutes=3))
    child = subflow(scene, parent)
    scene.set_state(parent, {"type": "CANCELLED"}, ago(days=30))
    cancel_subflows(means, NOW)
    assert scene.read(child).state_type is StateType.CANCELLED


def test_a_subflow_of_a_deployment_is_told_to_stop_once(scene: Scene, means: Means, deployment: str) -> None:
    parent = scene.flow_run({"type": "RUNNING"}, ago(minutes=3))
    child = subflow(scene, parent, deployment=deployment)
    scene.set_state(parent, {"type": "CANCELLED"}, ago(minutes=1))
    cancel_subflows(means, NOW)
    told = scene.read(child)
    assert told.state_type is StateType.CANCELLING
    assert cancel_subflows(means, NOW) == 0
    assert scene.read(child).version == told.version


def test_a_subflow_of_a_deployment_that_nobody_runs_is_cancelled_at_once(
    scene: Scene, means: Means, deployment: str
) -> None:
    parent = scene.flow_run({"type": "RUNNING"}, ago(minutes=3))
    child = subflow(scene, parent, "SCHEDULED", deployment)
    scene.set_state(parent, {"type": "CANCELLED"}, ago(minutes=1))
    cancel_subflows(means, NOW)
    assert scene.read(child).state_type is StateType.CANCELLED


def test_subflows_whose_parent_runs_or_is_gone_go_on(scene: Scene, means: Means) -> None:
    running = scene.flow_run({"type": "RUNNING"}, ago(minutes=3))
    child = subflow(scene, running)
    deleted = scene.flow_run({"type": "RUNNING"}, ago(minutes=3))
    orphan = subflow(scene, deleted, "PENDING")
    scene.do("flow_run.delete", {"flow_run_id": str(deleted)})
    assert cancel_subflows(means, NOW) == 0
    assert scene.read(child).state_type is StateType.RUNNING
    assert scene.read(orphan).state_type is StateType.PENDING


def test_a_subflow_below_a_cancelled_subflow_follows_in_time(scene: Scene, means: Means) -> None:
    top = scene.flow_run({"type": "RUNNING"}, ago(minutes=3))
    middle = subflow(scene, top)
    bottom = subflow(scene, middle)
    scene.set_state(top, {"type": "CANCELLED"}, ago(minutes=1))
    for _ in range(2):
        cancel_subflows(means, NOW)
    assert scene.read(bottom).state_type is StateType.CANCELLED
