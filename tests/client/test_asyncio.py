"""The client and the consumer for asyncio: the same promises, awaited."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest
from redis import Redis

from messages.client import (
    AsyncClient,
    BrokerUnreachable,
    ClientClosed,
    CommandFailed,
    NotYetKnown,
    Running,
    Unanswered,
)
from messages.consumer import AsyncConsumer
from tests.client.conftest import Server
from tests.client.stand_in import Envelope, StandIn, error_of, event_of, result_of

Story = Callable[[AsyncClient], Coroutine[Any, Any, None]]


@pytest.fixture
def tell(redis_url: str, namespace: str) -> Callable[[Story], None]:
    """Runs a coroutine function with a client that resends quickly."""

    def run(story: Story) -> None:
        async def told() -> None:
            async with AsyncClient(
                redis_url,
                "billing",
                namespace=namespace,
                first_resend=0.05,
                last_resend=0.2,
                close_timeout=0.2,
            ) as client:
                await asyncio.wait_for(story(client), 10)

        asyncio.run(told())

    return run


def created(command: Envelope) -> list[Envelope]:
    """A create command gets back its run; others get OK."""
    kind: str = command["type"].split(".")[0]
    body: dict[str, Any] = {kind: {"id": command["data"].get("id")}, "created": True}
    return [result_of(command, **body)]


def test_a_command_is_awaited(tell: Callable[[Story], None], worker: StandIn) -> None:
    async def story(client: AsyncClient) -> None:
        assert (await client.upsert_flow(name="etl")).ok
        assert (await client.request("flow_run.count", {})).ok

    tell(story)
    assert [item["type"] for item in worker.seen] == ["flow.upsert", "flow_run.count"]


def test_a_command_is_resent_under_the_same_id_until_answered(
    tell: Callable[[Story], None], worker: StandIn
) -> None:
    worker.answer = lambda command: [result_of(command)] if len(worker.seen) == 2 else []

    async def story(client: AsyncClient) -> None:
        assert (await client.upsert_flow(name="etl")).ok

    tell(story)
    assert worker.seen[0] == worker.seen[1] == worker.seen[2]


def test_an_error_is_raised_where_it_is_awaited(tell: Callable[[Story], None], worker: StandIn) -> None:
    worker.answer = lambda command: [error_of(command, "conflict")]

    async def story(client: AsyncClient) -> None:
        with pytest.raises(CommandFailed, match="conflict"):
            await client.upsert_flow(name="etl")
        result = await client.send("flow.upsert", {"name": "etl"}, raise_on_error=False)
        assert result.error is not None

    tell(story)


def test_a_request_without_an_answer_ends_in_time(tell: Callable[[Story], None]) -> None:
    async def story(client: AsyncClient) -> None:
        with pytest.raises(Unanswered):
            await client.request("flow_run.count", {}, timeout=0.1)
        with pytest.raises(Unanswered):
            await client.send("flow.upsert", {"name": "etl"}, deadline=0.1)

    tell(story)


def test_a_batch_gives_each_command_its_own_answer(tell: Callable[[Story], None], worker: StandIn) -> None:
    async def story(client: AsyncClient) -> None:
        futures = client.batch([("flow.upsert", {"name": f"flow {number}"}) for number in range(50)])
        assert all(result.ok for result in await asyncio.gather(*futures))

    tell(story)
    assert len({batch["id"] for batch in worker.batches}) == 1


def test_runs_have_handles(tell: Callable[[Story], None], worker: StandIn) -> None:
    worker.answer = created

    async def story(client: AsyncClient) -> None:
        run = client.create_flow_run(flow_name="etl", ordered=True)
        await asyncio.gather(run.set_state(Running()), run.set_labels({"a": 1}))
        assert (await run.result(5)).data["created"] is True

    tell(story)
    assert [item["sequence"] for item in worker.seen] == ["1", "2", "3"]


def test_a_run_that_only_the_answer_names_is_awaited_first(
    tell: Callable[[Story], None], worker: StandIn
) -> None:
    worker.answer = lambda command: [result_of(command, task_run={"id": str(UUID(int=9))}, created=False)]

    async def story(client: AsyncClient) -> None:
        task = client.create_task_run(task_key="t", dynamic_key="0")
        with pytest.raises(NotYetKnown):
            task.set_state(Running())
        await task
        assert task.id == UUID(int=9)

    tell(story)


def test_slots_are_held_for_a_block(tell: Callable[[Story], None], worker: StandIn) -> None:
    def answer(command: Envelope) -> list[Envelope]:
        waits = len(worker.seen) < 2
        return [result_of(command, "WAIT", details={"delay_seconds": 0.01}) if waits else result_of(command)]

    worker.answer = answer

    async def story(client: AsyncClient) -> None:
        async with client.slots(["db"]):
            pass

    tell(story)
    assert [item["type"].split(".")[1] for item in worker.seen] == ["acquire"] * 3 + ["release"]


def test_a_client_without_redis_says_so_at_once() -> None:
    async def story() -> None:
        with pytest.raises(BrokerUnreachable):
            await AsyncClient("redis://127.0.0.1:1/0", "billing").open()
        with pytest.raises(BrokerUnreachable):
            await AsyncConsumer("redis://127.0.0.1:1/0", "events", "audit").open()

    asyncio.run(story())


def test_closing_ends_what_is_unanswered_and_removes_the_stream(
    redis_url: str, namespace: str, worker: StandIn
) -> None:
    async def story() -> None:
        client = AsyncClient(redis_url, "billing", namespace=namespace)
        async with client:
            await client.upsert_flow(name="etl")
        with pytest.raises(ClientClosed):
            client.upsert_flow(name="etl")
        worker.answer = lambda command: []
        async with AsyncClient(redis_url, "b", namespace=namespace, close_timeout=0.05) as other:
            future = other.upsert_flow(name="etl")
        with pytest.raises(Unanswered):
            await future

    asyncio.run(story())
    with Redis.from_url(redis_url) as redis:
        assert [key.split(b":")[-1][:2] for key in redis.keys(f"{namespace}:replies:*")] == [b"b."]


def test_what_is_sent_while_redis_is_away_is_sent_when_it_is_back(server: Server) -> None:
    async def story() -> None:
        async with AsyncClient(server.url, "billing", close_timeout=0.1) as client:
            await asyncio.to_thread(server.stop)
            future = client.upsert_flow(name="etl")
            await asyncio.sleep(0.05)
            await asyncio.to_thread(server.start)
            with StandIn(server.url, "interlock"):
                assert (await asyncio.wait_for(future, 20)).ok

    asyncio.run(story())


@pytest.fixture
def publish(redis_url: str, namespace: str) -> Callable[..., None]:
    def to(*events: Envelope) -> None:
        with Redis.from_url(redis_url) as redis:
            for event in events:
                redis.xadd(f"{namespace}:events", {"event": json.dumps(event)})

    return to


async def ids(consumer: AsyncIterator[Any] | AsyncConsumer) -> list[str]:
    """The ids of all events to come."""
    return [event.id async for event in consumer]


def test_events_come_in_their_order_and_once(
    redis_url: str, namespace: str, publish: Callable[..., None]
) -> None:
    events = [event_of() for _ in range(150)]
    publish(*events, events[3])

    async def story() -> None:
        async with AsyncConsumer(redis_url, "events", "audit", namespace=namespace, timeout=0.2) as consumer:
            assert await ids(consumer) == [event["id"] for event in events]
            assert await ids(consumer) == []

    asyncio.run(story())


def test_an_event_at_which_the_loop_was_left_comes_again(
    redis_url: str, namespace: str, publish: Callable[..., None]
) -> None:
    first, second, third = event_of(), event_of(), event_of()
    publish(first, second, third)

    async def story() -> None:
        async with AsyncConsumer(redis_url, "events", "audit", namespace=namespace, timeout=0.2) as consumer:
            async for event in consumer:
                await consumer.ack(event)
                break
            async for _ in consumer:
                break
            assert await ids(consumer) == [second["id"], third["id"]]

    asyncio.run(story())


def test_a_claimed_event_of_a_dead_consumer_is_seen_once(
    redis_url: str, namespace: str, publish: Callable[..., None]
) -> None:
    events = [event_of() for _ in range(5)]
    publish(*events)

    def consumer() -> AsyncConsumer:
        return AsyncConsumer(redis_url, "events", "audit", namespace=namespace, claim_after=0.2, timeout=0.6)

    async def story() -> None:
        async with consumer() as dead, consumer() as one, consumer() as other:
            await anext(dead)
            first, second = await asyncio.gather(ids(one), ids(other))
            assert sorted(first + second) == sorted(event["id"] for event in events)

    asyncio.run(story())


def test_a_consumer_stops_when_it_is_told(redis_url: str, namespace: str) -> None:
    async def story() -> None:
        async with AsyncConsumer(redis_url, "events", "audit", namespace=namespace) as consumer:
            reading = asyncio.create_task(ids(consumer))
            await asyncio.sleep(0.05)
            consumer.stop()
            assert await asyncio.wait_for(reading, 5) == []

    asyncio.run(story())
