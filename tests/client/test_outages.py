"""What the client does while Redis is away, and after it has forgotten everything."""

import json
from collections.abc import Callable

from redis import Redis

from messages.client import Client
from messages.consumer import Consumer
from tests.client.conftest import Server
from tests.client.stand_in import StandIn, event_of

WorkerOf = Callable[[str, str], StandIn]


def test_what_is_sent_while_redis_is_away_is_sent_when_it_is_back(
    server: Server, worker_of: WorkerOf
) -> None:
    with Client(server.url, "billing", close_timeout=0.1) as client:
        server.stop()
        futures = [client.upsert_flow(name=f"flow {number}") for number in range(5)]
        server.start()
        worker = worker_of(server.url, "interlock")
        assert all(future.result(timeout=20).ok for future in futures)
    assert {item["data"]["name"] for item in worker.seen} == {f"flow {number}" for number in range(5)}


def test_a_command_that_redis_forgot_is_sent_again(server: Server, worker_of: WorkerOf) -> None:
    with Client(server.url, "billing", first_resend=0.3, close_timeout=0.1) as client:
        future = client.upsert_flow(name="etl")
        with Redis.from_url(server.url) as redis:
            while not redis.llen("interlock:commands"):
                pass
        server.stop()
        server.start()
        worker = worker_of(server.url, "interlock")
        assert future.result(timeout=20).ok
    assert {item["id"] for item in worker.seen} == {future.command_id}


def test_a_query_that_redis_forgot_is_sent_again_soon(server: Server, worker_of: WorkerOf) -> None:
    with Client(server.url, "billing", first_resend=0.3, first_query_resend=600, close_timeout=0.1) as client:
        future = client.send("flow_run.count", {})
        with Redis.from_url(server.url) as redis:
            while not redis.llen("interlock:queries"):
                pass
        server.stop()
        server.start()
        worker = worker_of(server.url, "interlock")
        assert future.result(timeout=20).ok
    assert {item["id"] for item in worker.seen} == {future.command_id}


def test_a_query_that_was_flushed_is_sent_again_in_its_time(server: Server, worker_of: WorkerOf) -> None:
    with Client(server.url, "billing", first_query_resend=0.5, close_timeout=0.1) as client:
        future = client.send("flow_run.count", {})
        with Redis.from_url(server.url) as redis:
            while not redis.llen("interlock:queries"):
                pass
            redis.flushall()
        worker = worker_of(server.url, "interlock")
        assert future.result(timeout=20).ok
    assert {item["id"] for item in worker.seen} == {future.command_id}


def test_a_consumer_goes_on_after_redis_has_lost_its_stream(server: Server) -> None:
    with Consumer(server.url, "events", "audit", start="new", timeout=20) as consumer:
        server.stop()
        server.start()
        event = event_of()
        with Redis.from_url(server.url) as redis:
            redis.xadd("interlock:events", {"event": json.dumps(event)})
        assert next(consumer).id == event["id"]


def test_a_client_is_closed_quickly_while_redis_is_away(server: Server) -> None:
    client = Client(server.url, "billing")
    client.upsert_flow(name="etl")
    server.stop()
    client.close(timeout=0.1)
