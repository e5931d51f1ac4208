import threading
from datetime import timedelta
from typing import Any

import pytest

from messages.states import StateType
from store import duties
from tests.clock.scene import NOW, Scene, ago
from workers.clock import late_runs
from workers.clock.duty import Means
from workers.clock.late_runs import mark_late_runs
from workers.settings import Settings


def test_a_run_is_late_from_the_set_time_after_its_start_on(scene: Scene, means: Means) -> None:
    on_the_second = scene.scheduled(ago(seconds=15))
    a_moment_before = scene.scheduled(ago(seconds=15) + timedelta(microseconds=1))
    mark_late_runs(means, NOW)
    assert scene.read(on_the_second).state_name == "Late"
    assert scene.read(a_moment_before).state_name == "Scheduled"


def test_a_late_run_keeps_its_scheduled_time(scene: Scene, means: Means) -> None:
    start = ago(minutes=5)
    run = scene.scheduled(start)
    mark_late_runs(means, NOW)
    late = scene.read(run)
    assert late.state is not None
    assert (late.state_type, late.state.timestamp) == (StateType.SCHEDULED, NOW)
    assert late.state.state_details.scheduled_time == start
    assert late.next_scheduled_start_time == start


def test_only_states_named_scheduled_become_late(scene: Scene, means: Means) -> None:
    awaiting = scene.scheduled(ago(minutes=5), name="AwaitingRetry")
    late_already = scene.scheduled(ago(minutes=5), name="Late")
    before = {run: scene.read(run).version for run in (awaiting, late_already)}
    assert mark_late_runs(means, NOW) == 0
    assert {run: scene.read(run).version for run in before} == before


def test_a_run_that_was_started_is_not_late(scene: Scene, means: Means) -> None:
    run = scene.scheduled(ago(minutes=5))
    scene.set_state(run, {"type": "RUNNING"})
    assert mark_late_runs(means, NOW) == 0


def test_being_late_is_an_event_of_the_run_that_no_command_caused(scene: Scene, means: Means) -> None:
    run = scene.scheduled(ago(minutes=5))
    mark_late_runs(means, NOW)
    stream, event = scene.published()[-1]
    assert stream == "events"
    assert event["type"] == "flow_run.state_changed"
    assert event["subject"] == event["partitionkey"] == str(run)
    assert event["sequence"] == str(scene.read(run).version)
    assert event["data"]["validated_state"]["name"] == "Late"
    assert event["data"]["initial_state"]["name"] == "Scheduled"
    assert event["data"]["status"] == "ACCEPT"
    assert "causationid" not in event


def test_whoever_watches_for_late_runs_is_notified(scene: Scene, means: Means) -> None:
    scene.do("notification_policy.upsert", {"state_names": ["Late"], "notify": "ops"})
    run = scene.scheduled(ago(minutes=5))
    mark_late_runs(means, NOW)
    (told,) = (envelope for stream, envelope in scene.published() if stream == "notifications:ops")
    assert told["data"]["flow_run_id"] == str(run)
    assert told["data"]["flow_run_state_name"] == "Late"


def test_more_late_runs_than_fit_a_batch_are_all_marked(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_runs, "AT_ONCE", 2)
    runs = [scene.scheduled(ago(minutes=5)) for _ in range(5)]
    mark_late_runs(means, NOW)
    assert {scene.read(run).state_name for run in runs} == {"Late"}


def test_a_second_round_finds_nothing_to_do(scene: Scene, means: Means) -> None:
    scene.scheduled(ago(minutes=5))
    assert mark_late_runs(means, NOW) == 1
    assert mark_late_runs(means, NOW + timedelta(seconds=5)) == 0


def test_the_time_until_a_run_is_late_is_a_setting(scene: Scene, means: Means) -> None:
    run = scene.scheduled(ago(minutes=5))
    patient = Settings(**{**means.settings.model_dump(exclude_unset=True), "late_after": timedelta(hours=1)})
    mark_late_runs(
        Means(means.engine, means.publisher, patient, means.new_id, means.dice, means.stopped), NOW
    )
    assert scene.read(run).state_name == "Scheduled"


def test_a_run_that_is_started_before_the_clock_has_locked_it_is_left_alone(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = scene.scheduled(ago(minutes=5))
    find = duties.late_runs

    def find_too_early(*args: Any) -> Any:
        found = find(*args)
        scene.set_state(run, {"type": "RUNNING"})
        return found

    monkeypatch.setattr(duties, "late_runs", find_too_early)
    assert mark_late_runs(means, NOW) == 0
    assert scene.read(run).state_type is StateType.RUNNING


def test_two_clocks_at_once_mark_a_run_late_once(scene: Scene, means: Means) -> None:
    runs = [scene.scheduled(ago(minutes=5)) for _ in range(20)]
    together, marked = threading.Barrier(2), []

    def clock() -> None:
        together.wait(10)
        marked.append(mark_late_runs(means, NOW))

    clocks = [threading.Thread(target=clock) for _ in range(2)]
    for each in clocks:
        each.start()
    for each in clocks:
        each.join(20)
    assert sum(marked) == len(runs)
    assert len(scene.rows("SELECT 1 FROM flow_run_state WHERE name = 'Late'")) == len(runs)
