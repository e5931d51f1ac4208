import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic_core import from_json
from redis import Redis

from store import sequences
from store.transaction import transaction
from tests.clock.scene import NOW, Scene, ago, without_redis
from workers.clock import gaps
from workers.clock.duty import Means
from workers.clock.gaps import end_sequence_gaps

OVERDUE = ago(seconds=60.001)


def say(
    scene: Scene, number: int, at: Any = OVERDUE, key: str = "k", **attributes: Any
) -> list[dict[str, Any]]:
    turn = {"partitionkey": key, "sequence": str(number)}
    return scene.results("flow.upsert", {"name": f"{key} {number}"}, at, **turn, **attributes)


def flows(scene: Scene) -> set[str]:
    return {name for (name,) in scene.rows("SELECT name FROM flow")}


def told(means: Means, name: str = "scene") -> list[dict[str, Any]]:
    with Redis.from_url(means.settings.redis_url) as redis:
        entries = redis.xrange(f"{means.settings.namespace}:replies:{name}")
    return [from_json(fields[b"event"]) for _, fields in entries]


def test_what_waited_too_long_for_its_turn_ends_unapplied(scene: Scene, means: Means) -> None:
    assert say(scene, 2) == say(scene, 3) == []
    assert end_sequence_gaps(means, NOW) == 2
    assert flows(scene) == set()
    assert [each["data"]["error"]["code"] for each in told(means)] == ["sequence_gap", "sequence_gap"]
    assert "sequence 1 of partition key 'k'" in told(means)[0]["data"]["error"]["message"]
    assert scene.rows("SELECT 1 FROM parked_command") == scene.rows("SELECT 1 FROM unpublished_results") == []


def test_the_result_is_kept_and_given_again_to_who_asks_again(scene: Scene, means: Means) -> None:
    ident = str(uuid4())
    say(scene, 2, id=ident)
    end_sequence_gaps(means, NOW)
    (again,) = say(scene, 2, NOW, id=ident)
    assert again["data"]["replayed"] is True
    assert again["data"]["error"]["code"] == "sequence_gap"
    assert again["id"] == told(means)[0]["id"]


def test_the_same_numbers_can_be_used_by_new_commands(scene: Scene, means: Means) -> None:
    say(scene, 2)
    end_sequence_gaps(means, NOW)
    assert say(scene, 2, NOW) == []
    results = say(scene, 1, NOW)
    assert [each["data"]["status"] for each in results] == ["OK", "OK"]
    assert flows(scene) == {"k 1", "k 2"}


def test_one_that_waits_not_long_enough_goes_on_waiting(scene: Scene, means: Means) -> None:
    say(scene, 2, ago(seconds=60))
    assert end_sequence_gaps(means, NOW) == 0
    assert len(scene.rows("SELECT 1 FROM parked_command")) == 1


def test_what_is_parked_behind_one_that_waited_too_long_ends_with_it(scene: Scene, means: Means) -> None:
    say(scene, 3)
    say(scene, 5, NOW)
    say(scene, 2, NOW, key="other")
    assert end_sequence_gaps(means, NOW) == 2
    assert [key for (key,) in scene.rows("SELECT partitionkey FROM parked_command")] == ["other"]


def test_the_missing_one_that_comes_just_in_time_takes_the_parked_ones_along(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock has found the gap, and then the worker was first to lock the position."""
    say(scene, 2)
    lock = sequences.lock

    def late(*args: Any) -> Any:
        monkeypatch.setattr(sequences, "lock", lock)
        say(scene, 1, NOW)
        return lock(*args)

    monkeypatch.setattr(sequences, "lock", late)
    assert end_sequence_gaps(means, NOW) == 0
    assert flows(scene) == {"k 1", "k 2"}
    assert told(means) == []


def test_the_missing_one_that_comes_just_too_late_is_applied_alone(scene: Scene, means: Means) -> None:
    """The worker waits at the position that the clock has locked."""
    say(scene, 2)
    keys = [("scene", "k")]
    answers: list[Any] = []
    worker = threading.Thread(target=lambda: answers.extend(say(scene, 1, NOW)))
    with transaction(means.engine) as connection:
        sequences.lock(connection, keys, NOW)
        worker.start()
        parked = sequences.parked(connection, keys)
        sequences.unpark(connection, [each.id for each in parked])
    worker.join(10)
    assert [each["data"]["status"] for each in answers] == ["OK"]
    assert flows(scene) == {"k 1"}


def test_nobody_is_told_who_gave_no_address(scene: Scene, means: Means) -> None:
    ident = uuid4()
    say(scene, 2, id=str(ident), replyto=None)
    assert end_sequence_gaps(means, NOW) == 1
    ((kept, status),) = scene.rows("SELECT id, status FROM command")
    assert (UUID(str(kept)), status) == (ident, "ERROR")
    assert told(means) == []


def test_more_keys_than_fit_a_batch_are_all_seen_to(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "AT_ONCE", 2)
    for number in range(5):
        say(scene, 2, key=f"k{number}")
    assert end_sequence_gaps(means, NOW) == 5


def test_results_that_redis_does_not_take_are_left_to_the_relay(scene: Scene, means: Means) -> None:
    say(scene, 2)
    assert end_sequence_gaps(without_redis(means), NOW) == 1
    assert len(scene.rows("SELECT 1 FROM unpublished_results")) == 1
