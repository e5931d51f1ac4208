from datetime import timedelta
from typing import Any

import pytest

from tests.clock.scene import NOW, Scene
from workers.clock import retention
from workers.clock.duty import Means
from workers.clock.retention import forget_old_things

KEPT = timedelta(days=14)


def ids(scene: Scene, query: str) -> set[str]:
    return {str(row[0]) for row in scene.rows(query)}


def test_commands_are_known_for_as_long_as_the_settings_say(scene: Scene, means: Means) -> None:
    scene.do("flow.upsert", {"name": "old"}, NOW - KEPT - timedelta(seconds=1))
    scene.do("flow.upsert", {"name": "new"}, NOW - KEPT + timedelta(seconds=1))
    forget_old_things(means, NOW)
    (result,) = ids(scene, "SELECT result FROM command")
    assert '"new"' in result
    assert ids(scene, "SELECT name FROM flow") == {"old", "new"}


def test_events_go_only_after_they_were_published(scene: Scene, means: Means) -> None:
    long_ago = NOW - KEPT - timedelta(days=1)
    published, waiting = (scene.flow_run(at=long_ago) for _ in range(2))
    scene.execute("UPDATE outbox SET published = :at WHERE id = (SELECT min(id) FROM outbox)", at=long_ago)
    forget_old_things(means, NOW)
    subjects = {envelope["subject"] for _, envelope in scene.published()}
    assert subjects == {str(waiting)}
    assert scene.read(published).id == published


def test_positions_that_nobody_moves_are_forgotten_unless_somebody_waits(scene: Scene, means: Means) -> None:
    long_ago = NOW - KEPT - timedelta(days=1)

    def say(key: str, number: int, at: Any) -> None:
        scene.do("flow.upsert", {"name": key}, at, partitionkey=key, sequence=str(number))

    say("idle", 1, long_ago)
    say("waiting", 2, long_ago)
    say("moving", 1, NOW)
    forget_old_things(means, NOW)
    assert ids(scene, "SELECT partitionkey FROM sequence_position") == {"waiting", "moving"}


def test_much_goes_in_small_batches(scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for number in range(5):
        scene.do("flow.upsert", {"name": str(number)}, NOW - timedelta(days=30))
    assert forget_old_things(means, NOW) == 5
    assert scene.rows("SELECT 1 FROM command") == []


def test_a_clock_that_is_to_stop_begins_no_batch(scene: Scene, means: Means) -> None:
    scene.do("flow.upsert", {"name": "old"}, NOW - timedelta(days=30))
    means.stopped.set()
    assert forget_old_things(means, NOW) == 0
