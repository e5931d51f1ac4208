"""Messages on the queues, in dramatiq's format."""

import json
import time
from uuid import UUID

from dramatiq import Message
from fakeredis import FakeRedis

from messages.enqueue import dramatiq_message, enqueue
from tests.messages.examples import envelope


def test_a_message_is_what_the_contract_says() -> None:
    command = envelope("flow_run.create")
    redis_id, text = dramatiq_message("commands", command)
    message = json.loads(text)
    assert abs(message.pop("message_timestamp") - time.time() * 1_000) < 60_000
    assert message == {
        "queue_name": "commands",
        "actor_name": "flow_run.create",
        "args": [command],
        "kwargs": {},
        "options": {"redis_message_id": redis_id},
        "message_id": redis_id,
    }
    assert UUID(redis_id).version == 7


def test_dramatiq_reads_it() -> None:
    _, text = dramatiq_message("commands.DQ", envelope("flow.upsert"), delay_until_ms=1_700_000_000_000)
    message = Message.decode(text)
    assert (message.actor_name, message.queue_name) == ("flow.upsert", "commands.DQ")
    assert message.options["eta"] == 1_700_000_000_000
    assert message.args == (envelope("flow.upsert"),)


def test_commands_and_queries_are_put_on_their_queues_in_order() -> None:
    sent = [{**envelope("flow.upsert"), "id": str(number)} for number in range(5)]
    with FakeRedis(decode_responses=True) as redis:
        enqueue(redis, "there", [*sent, envelope("flow_run.count")])
        waiting = redis.lrange("there:commands", 0, -1)
        texts = redis.hmget("there:commands.msgs", waiting)
        assert [json.loads(text)["args"][0]["id"] for text in texts] == ["0", "1", "2", "3", "4"]
        (query,) = redis.lrange("there:queries", 0, -1)
        assert redis.hkeys("there:queries.msgs") == [query]


def test_nothing_is_put_on_no_queue() -> None:
    with FakeRedis() as redis:
        enqueue(redis, "there", [])
        assert list(redis.scan_iter("there:*")) == []
