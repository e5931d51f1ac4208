"""Commands and their answers, as a service sees them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from redis import Redis

from messages.canonical import verify
from messages.client import (
    BrokerUnreachable,
    Client,
    ClientClosed,
    CommandFailed,
    Refused,
    Running,
    Status,
    Unanswered,
)
from messages.commands.batch import MAX_BATCH
from tests.client.stand_in import Envelope, StandIn, error_of, result_of


def test_a_command_gets_its_answer(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [result_of(command, flow={"name": "etl"}, created=True)]
    result = client.upsert_flow(name="etl", tags=["a"]).result(timeout=5)
    assert (result.status, result.object("flow")) == (Status.OK, {"name": "etl"})
    (command,) = worker.seen
    assert (command["type"], command["source"]) == ("flow.upsert", "billing")
    assert command["data"] == {"name": "etl", "tags": ["a"]}
    assert result.command_id == command["id"] == str(UUID(command["id"]))


def test_a_command_is_resent_under_the_same_id_until_answered(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [result_of(command)] if len(worker.seen) == 2 else []
    assert client.upsert_flow(name="etl").result(timeout=5).ok
    first, second, third = worker.seen
    assert first == second == third


def test_a_repeated_answer_changes_nothing(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [
        result_of(command),
        result_of(command, replayed=True),
        error_of(command, "x"),
    ]
    futures = [client.upsert_flow(name=f"flow {number}") for number in range(20)]
    assert [future.result(timeout=5).replayed for future in futures] == [False] * 20


def test_an_error_is_raised_with_its_code(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [error_of(command, "not_found", "no such flow")]
    with pytest.raises(CommandFailed, match="no such flow") as caught:
        client.create_flow_run(flow_name="etl").result(timeout=5)
    assert caught.value.code == "not_found"
    assert caught.value.result.error == {"code": "not_found", "message": "no such flow", "errors": []}


def test_an_error_can_be_had_as_a_result(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [error_of(command, "not_found")]
    future = client.send("flow_run.delete", {"flow_run_id": str(UUID(int=1))}, raise_on_error=False)
    assert future.result(timeout=5).status is Status.ERROR


def test_a_misspelt_field_is_refused_before_anything_is_sent(client: Client, worker: StandIn) -> None:
    with pytest.raises(Refused) as caught:
        client.upsert_flow(name="etl", tagz=[])
    (fault,) = caught.value.errors
    assert (fault["loc"], fault["type"]) == (["tagz"], "extra_forbidden")
    assert worker.seen == []


@pytest.mark.parametrize(
    "data", [{"x": float("nan")}, {"x": "\x00"}, {"x": object()}, {"x": "x" * 1_100_000}]
)
def test_what_cannot_be_said_is_refused_at_once(client: Client, data: Envelope) -> None:
    with pytest.raises(Refused):
        client.send("flow.upsert", data)


def test_queries_travel_on_their_own_queue(client: Client, redis_url: str, namespace: str) -> None:
    with pytest.raises(Unanswered):
        client.request("flow_run.count", {}, timeout=0.1)
    with Redis.from_url(redis_url) as redis:
        assert redis.llen(f"{namespace}:queries") >= 1
        assert redis.llen(f"{namespace}:commands") == 0


def test_a_request_waits_for_its_answer(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [result_of(command, count=7)]
    assert client.request("flow_run.count", {"flow_runs": {}}).data["count"] == 7


def test_a_command_without_an_answer_ends_at_its_deadline(client: Client) -> None:
    future = client.send("flow.upsert", {"name": "etl"}, deadline=0.1)
    with pytest.raises(Unanswered) as caught:
        future.result(timeout=5)
    assert caught.value.command_id == future.command_id


def test_a_batch_gives_each_command_its_own_answer(client: Client, worker: StandIn) -> None:
    def answer(command: Envelope) -> list[Envelope]:
        name = command["data"]["name"]
        return [error_of(command, "conflict")] if name == "flow 1" else [result_of(command, name=name)]

    worker.answer = answer
    futures = client.batch([("flow.upsert", {"name": f"flow {number}"}) for number in range(3)])
    assert futures[0].result(timeout=5).data["name"] == "flow 0"
    with pytest.raises(CommandFailed, match="conflict"):
        futures[1].result(timeout=5)
    assert futures[2].result(timeout=5).data["name"] == "flow 2"
    assert [len(batch["data"]["commands"]) for batch in worker.batches] == [3]


def test_a_large_batch_travels_in_several_messages(redis_url: str, namespace: str, worker: StandIn) -> None:
    # One that resends quickly might send the first message twice before the second.
    with Client(redis_url, "billing", namespace=namespace, first_resend=60) as client:
        futures = client.batch(
            [("flow.upsert", {"name": f"flow {number}"}) for number in range(MAX_BATCH + 1)]
        )
        for future in futures:
            future.result(timeout=60)
    assert [len(batch["data"]["commands"]) for batch in worker.batches[:2]] == [MAX_BATCH, 1]
    assert [command["data"]["name"] for command in worker.seen[:3]] == ["flow 0", "flow 1", "flow 2"]


def test_a_batch_is_split_by_its_size_too(client: Client, worker: StandIn) -> None:
    large = {"flow_name": "etl", "parameters": {"x": "x" * 400_000}}
    for future in client.batch([("flow_run.create", large)] * 5):
        future.result(timeout=10)
    assert [len(batch["data"]["commands"]) for batch in worker.batches[:3]] == [2, 2, 1]


def test_only_the_unanswered_of_a_batch_are_sent_again(client: Client, worker: StandIn) -> None:
    deaf_to = ["flow 1"]
    worker.answer = lambda command: [] if command["data"]["name"] in deaf_to else [result_of(command)]
    futures = client.batch([("flow.upsert", {"name": f"flow {number}"}) for number in range(3)])
    worker.wait_for(4)
    deaf_to.clear()
    assert all(future.result(timeout=5).ok for future in futures)
    assert {command["data"]["name"] for command in worker.seen[3:]} == {"flow 1"}


def test_a_batch_that_is_refused_as_a_whole_fails_all_its_commands(
    client: Client, redis_url: str, namespace: str
) -> None:
    class Refusing(StandIn):
        def _take(self, redis: object, queue: str, message_id: str) -> None:
            super()._take(redis, queue, message_id)
            self.publish(self.batches[-1], error_of(self.batches[-1], "unauthorized"))

    worker = Refusing(redis_url, namespace, lambda command: [])
    futures = client.batch([("flow.upsert", {"name": "etl"})] * 2)
    with worker:
        for future in futures:
            with pytest.raises(CommandFailed, match="unauthorized"):
                future.result(timeout=5)


def test_signed_commands_carry_a_signature_over_what_arrives(
    redis_url: str, namespace: str, worker: StandIn
) -> None:
    with Client(redis_url, "billing", namespace=namespace, signing_key=("k1", b"secret")) as client:
        client.upsert_flow(name="größe", labels={"n": 1.5}).result(timeout=5)
        client.batch([("flow.upsert", {"name": "b"})])[0].result(timeout=5)
    for envelope in [*worker.seen, *worker.batches]:
        assert verify(envelope, {"k1": b"secret"}) == "k1"


def test_many_threads_share_a_client(client: Client, worker: StandIn) -> None:
    worker.answer = lambda command: [result_of(command, name=command["data"]["name"])]

    def upsert(number: int) -> bool:
        result = client.upsert_flow(name=f"flow {number}").result(timeout=10)
        return bool(result.data["name"] == f"flow {number}")

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(upsert, range(400)))


def test_one_id_twice_is_one_command_with_two_futures(client: Client, worker: StandIn) -> None:
    release = threading.Event()
    worker.answer = lambda command: [result_of(command)] if release.wait(5) else []
    futures = [client.send("flow.upsert", {"name": "etl"}, id=UUID(int=7)) for _ in range(2)]
    with pytest.raises(Refused, match="another command"):
        client.send("flow.upsert", {"name": "other"}, id=UUID(int=7))
    release.set()
    assert all(future.result(timeout=5).ok for future in futures)


def test_a_client_without_redis_says_so_at_once() -> None:
    with pytest.raises(BrokerUnreachable, match="cannot be reached"):
        Client("redis://127.0.0.1:1/0", "billing")


def test_closing_waits_for_the_answers(redis_url: str, namespace: str, worker: StandIn) -> None:
    release = threading.Event()
    worker.answer = lambda command: [result_of(command)] if release.wait(5) else []
    timer = threading.Timer(0.1, release.set)
    with Client(redis_url, "billing", namespace=namespace) as client:
        future = client.upsert_flow(name="etl")
        timer.start()
    assert future.result(timeout=0).ok
    with pytest.raises(ClientClosed):
        client.upsert_flow(name="etl")


def test_closing_removes_the_reply_stream(redis_url: str, namespace: str, worker: StandIn) -> None:
    with Redis.from_url(redis_url) as redis:
        with Client(redis_url, "a/b", namespace=namespace) as client:
            client.upsert_flow(name="etl").result(timeout=5)
            assert len(redis.keys(f"{namespace}:replies:a.b.*")) == 1
        assert redis.keys(f"{namespace}:replies:*") == []


def test_what_is_unanswered_at_the_end_is_told_so(redis_url: str, namespace: str) -> None:
    client = Client(redis_url, "billing", namespace=namespace)
    future = client.upsert_flow(name="etl")
    client.close(timeout=0.05)
    with pytest.raises(Unanswered, match="closed"):
        future.result(timeout=0)
    with Redis.from_url(redis_url) as redis:
        (key,) = redis.keys(f"{namespace}:replies:*")
        assert 0 < redis.ttl(key) <= 3600


def test_a_cancelled_future_is_not_waited_for(redis_url: str, namespace: str) -> None:
    with Client(redis_url, "billing", namespace=namespace, close_timeout=30) as client:
        assert client.upsert_flow(name="etl").cancel()


def test_a_state_is_sent_as_it_was_given(client: Client, worker: StandIn) -> None:
    run = client.flow_run(UUID(int=1))
    run.set_state(Running(message="go"), if_version=3, on_wait="defer").result(timeout=5)
    assert worker.seen[0]["data"] == {
        "flow_run_id": str(UUID(int=1)),
        "state": {"type": "RUNNING", "message": "go"},
        "if_version": 3,
        "on_wait": "defer",
    }
