import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis, RedisError

from store import inbox
from store.transaction import transaction
from tests.clock.scene import NOW, Scene, ago, without_redis
from workers.clock import retries
from workers.clock.duty import Means
from workers.clock.retries import LEFT_ALONE, send_retries
from workers.pipeline.admit import AGAIN


def failed(means: Means, next_try: Any = NOW, name: str = "etl") -> dict[str, Any]:
    envelope = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "scene",
        "type": "flow.upsert",
        "data": {"name": name},
    }
    ident = UUID(str(envelope["id"]))
    with transaction(means.engine) as connection:
        inbox.count_attempt(connection, ident, "ValueError: no", json.dumps(envelope), ago(minutes=1))
        inbox.postpone(connection, ident, next_try)
    return envelope


def queued(means: Means) -> list[dict[str, Any]]:
    key = f"{means.settings.namespace}:commands"
    with Redis.from_url(means.settings.redis_url) as redis:
        return [json.loads(redis.hget(f"{key}.msgs", ident) or b"") for ident in redis.lrange(key, 0, -1)]


def test_of_a_command_whose_next_try_has_come_the_id_alone_is_on_the_queue_again(
    scene: Scene, means: Means
) -> None:
    envelope = failed(means)
    assert send_retries(means, NOW) == 1
    (message,) = queued(means)
    assert message["queue_name"] == "commands"
    assert message["args"] == [{"type": AGAIN, "id": envelope["id"]}]


def test_it_is_not_sent_before_its_time(scene: Scene, means: Means) -> None:
    failed(means, NOW + timedelta(seconds=1))
    assert send_retries(means, NOW) == 0
    assert queued(means) == []


def test_it_is_not_sent_twice_while_it_may_still_be_on_its_way(scene: Scene, means: Means) -> None:
    failed(means)
    send_retries(means, NOW)
    assert send_retries(means, NOW + timedelta(seconds=5)) == 0
    assert send_retries(means, NOW + LEFT_ALONE) == 1


def test_one_that_has_ended_meanwhile_is_forgotten(scene: Scene, means: Means) -> None:
    envelope = failed(means)
    scene.do("flow.upsert", {"name": "etl"}, id=envelope["id"])
    assert send_retries(means, NOW) == 0
    assert scene.rows("SELECT 1 FROM attempt") == []
    assert queued(means) == []


def test_nothing_is_postponed_that_redis_does_not_take(scene: Scene, means: Means) -> None:
    failed(means)
    with pytest.raises(RedisError):
        send_retries(without_redis(means), NOW)
    assert send_retries(means, NOW) == 1


def test_more_than_fit_a_batch_are_all_sent(
    scene: Scene, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "AT_ONCE", 2)
    for number in range(5):
        failed(means, name=f"flow {number}")
    assert send_retries(means, NOW) == 5
    assert len(queued(means)) == 5
