"""Everything in Redis is deleted, again and again, while the clients of this project wait for answers."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from redis import Redis

from messages.client import AsyncClient, Client
from messages.client.correspondence import ClientOptions
from tests.client.conftest import Server
from tests.crashes.history import at_rest
from tests.crashes.processes import Fleet, until
from workers.settings import Settings

RUNS, STATES = 60, ("PENDING", "RUNNING", "COMPLETED")
WITHIN_S = 60.0
IMPATIENT: ClientOptions = {"first_resend": 0.3, "last_resend": 1.0, "close_timeout": 5.0}


@contextmanager
def emptied(redis: Redis, times: int = 10) -> Iterator[threading.Event]:
    """Empties Redis so many times meanwhile; the event says that it has been done."""
    done = threading.Event()

    def empty() -> None:
        for _ in range(times):
            redis.flushall()
            # Enough for some commands to come through, and not enough for all.
            time.sleep(0.15)
        done.set()

    thread = threading.Thread(target=empty)
    thread.start()
    try:
        yield done
    finally:
        thread.join()


@contextmanager
def at_work(settings: Settings) -> Iterator[tuple[Settings, Redis]]:
    """Worker and relay on a Redis of their own, which nobody else would miss."""
    server = Server()
    server.start()
    own = settings.model_copy(update={"redis_url": server.url})
    with Redis.from_url(server.url) as redis, Fleet(own) as fleet:
        fleet.start("worker", "worker", "relay")
        yield own, redis
    server.stop()


def everything_happened_once(settings: Settings, redis: Redis) -> None:
    until(lambda: at_rest(settings.database_url, redis, settings.namespace), WITHIN_S, what="rest")
    with psycopg.connect(settings.database_url) as connection:
        runs = connection.execute("SELECT state_type, run_count, version FROM flow_run").fetchall()
        commands = connection.execute("SELECT count(*) FROM command").fetchone()
    # Created, and three states: what was sent again did not count again.
    assert runs == [("COMPLETED", 1, 1 + len(STATES))] * RUNS
    assert commands == (RUNS * (1 + len(STATES)),)


def test_calls_under_way_end_with_what_became_of_them_when_redis_is_emptied(settings: Settings) -> None:
    with at_work(settings) as (own, redis), emptied(redis) as done:
        with Client(own.redis_url, "billing", namespace=own.namespace, **IMPATIENT) as client:
            answers = []
            for _ in range(RUNS):
                run = client.create_flow_run(flow_name="f", ordered=True)
                answers += [run.set_state({"type": state}) for state in STATES]
            assert done.wait(WITHIN_S)
            statuses = [answer.result(timeout=WITHIN_S).status for answer in answers]
        assert statuses == ["ACCEPT"] * len(answers)
        everything_happened_once(settings, redis)


def test_so_it_is_with_asyncio(settings: Settings) -> None:
    async def all_runs(own: Settings, done: threading.Event) -> list[str]:
        async with AsyncClient(own.redis_url, "billing", namespace=own.namespace, **IMPATIENT) as client:
            answers = []
            for _ in range(RUNS):
                run = client.create_flow_run(flow_name="f", ordered=True)
                answers += [run.set_state({"type": state}) for state in STATES]
            assert await asyncio.to_thread(done.wait, WITHIN_S)
            return [(await asyncio.wait_for(answer, WITHIN_S)).status for answer in answers]

    with at_work(settings) as (own, redis), emptied(redis) as done:
        assert asyncio.run(all_runs(own, done)) == ["ACCEPT"] * RUNS * len(STATES)
        everything_happened_once(settings, redis)


def test_an_answer_that_redis_forgot_is_given_from_the_inbox(settings: Settings) -> None:
    with (
        at_work(settings) as (own, redis),
        Client(own.redis_url, "billing", namespace=own.namespace, **IMPATIENT) as client,
    ):
        first = client.upsert_flow(name="f")
        assert not first.result(timeout=WITHIN_S).replayed
        redis.flushall()
        again = client.send("flow.upsert", {"name": "f"}, id=first.command_id)
        assert again.result(timeout=WITHIN_S).replayed
