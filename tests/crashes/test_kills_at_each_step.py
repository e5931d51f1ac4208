"""One process is killed at one certain step of a command's way; what holds afterwards."""

import json
from collections.abc import Callable
from itertools import pairwise
from uuid import uuid4

import psycopg
import pytest
from redis import Redis

from tests.crashes.history import History, at_rest, from_database, messages_left
from tests.crashes.processes import Fleet, until
from tests.crashes.producer import Envelope, Producer
from workers.settings import Settings

SOON_S = 20.0
TakeHistory = Callable[[list[Envelope]], History]


def a_life(
    producer: Producer, states: tuple[str, ...] = ("PENDING", "RUNNING", "COMPLETED")
) -> list[Envelope]:
    """Commands that make a run and move it on."""
    run = str(uuid4())
    return [
        producer.command("flow_run.create", {"id": run, "flow_name": "f"}),
        *(
            producer.command("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}})
            for state in states
        ),
    ]


@pytest.fixture
def history(settings: Settings, producer: Producer, redis: Redis) -> TakeHistory:
    """Waits until all is at rest, then takes the whole history of the commands."""

    def after(commands: list[Envelope]) -> History:
        sent = {command["id"]: command for command in commands}
        until(lambda: sent.keys() <= producer.answered(), SOON_S, what="results")
        until(lambda: at_rest(settings.database_url, redis, settings.namespace), SOON_S, what="rest")
        history = from_database(settings.database_url, History(sent, producer.results(), producer.events()))
        history.waiting = messages_left(redis, settings.namespace)
        return history

    return after


def count(settings: Settings, table: str) -> int:
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("fault", "committed"),
    [("dies-in-mid-batch", 0), ("dies-before-its-first-results", 4), ("dies-after-its-first-results", 4)],
)
def test_a_killed_workers_commands_are_applied_once_and_answered_by_another(
    fleet: Fleet, producer: Producer, settings: Settings, history: TakeHistory, fault: str, committed: int
) -> None:
    doomed, _ = fleet.start(f"worker {fault}", "relay")
    commands = a_life(producer)
    producer.send_batch(commands)
    doomed.wait()
    assert count(settings, "command") == committed
    answered_before = len(producer.results())
    assert answered_before == (4 if fault == "dies-after-its-first-results" else 0)

    fleet.start("worker")
    whole = history(commands)

    assert whole.violations() == []
    again = whole.results[answered_before:]
    assert all(result["data"]["replayed"] is (committed > 0) for result in again)


def test_the_relay_answers_for_a_worker_that_died_between_commit_and_publication(
    fleet: Fleet, producer: Producer, settings: Settings
) -> None:
    """Without any worker being alive."""
    [doomed] = fleet.start("worker dies-before-its-first-results")
    commands = a_life(producer)
    producer.send_batch(commands)
    doomed.wait()
    fleet.start("relay")

    until(lambda: len(producer.answered()) == len(commands), SOON_S, what="results from the relay")

    assert [result["causationid"] for result in producer.results()] == [command["id"] for command in commands]
    assert [result["data"]["status"] for result in producer.results()] == ["OK", "ACCEPT", "ACCEPT", "ACCEPT"]
    until(lambda: count(settings, "unpublished_results") == 0, SOON_S)


def test_a_relay_that_dies_before_marking_has_its_events_repeated_under_the_same_ids_in_order(
    fleet: Fleet, producer: Producer, history: TakeHistory
) -> None:
    _, doomed = fleet.start("worker", "relay dies-before-marking")
    commands = a_life(producer)
    producer.send_batch(commands)
    doomed.wait()
    told = list(producer.events())
    assert [event["sequence"] for event in told] == ["1", "2", "3", "4"]

    fleet.start("relay")
    whole = history(commands)

    assert [event["id"] for event in whole.events] == 2 * [event["id"] for event in told]
    assert whole.violations() == []


def test_a_second_relay_stands_by_and_takes_over_within_seconds(
    fleet: Fleet, producer: Producer, settings: Settings, history: TakeHistory
) -> None:
    [active] = fleet.start("relay")
    fleet.start("relay", "worker")
    commands = a_life(producer)
    producer.send(commands[0])
    until(lambda: count(settings, "outbox WHERE published IS NOT NULL") == 1, SOON_S, what="a mark")

    active.kill()
    producer.send_batch(commands[1:])
    until(lambda: len(producer.events()) == len(commands), 5, what="events from the other relay")

    whole = history(commands)
    assert whole.violations() == []
    assert len(whole.events) == len(commands), "no event was published twice"


def test_a_graceful_stop_under_load_leaves_nothing_to_wait_for_and_repeats_nothing(
    fleet: Fleet, producer: Producer, redis: Redis, settings: Settings, history: TakeHistory
) -> None:
    worker = fleet.start("worker", "relay")[0]
    commands = [command for _ in range(400) for command in a_life(producer)]
    for first in range(0, len(commands), 100):
        producer.send(*commands[first : first + 100])
    until(lambda: len(producer.results()) >= 100, SOON_S)

    assert worker.stop() == 0

    done = producer.answered()
    held = [key for key in redis.scan_iter(f"{settings.namespace}:__acks__*") if redis.scard(key)]
    assert held == [], "no message waits for a heartbeat to run out"
    left = [json.loads(body)["args"][0]["id"] for body in redis.hvals(f"{settings.namespace}:commands.msgs")]
    assert done.isdisjoint(left)
    assert len(done) + len(left) == len(commands)
    assert redis.llen(f"{settings.namespace}:commands") == len(left)
    fleet.start("worker")
    whole = history(commands)
    assert whole.violations() == []
    assert len(whole.results) == len(commands)
    assert not any(result["data"]["replayed"] for result in whole.results)


def test_events_of_a_run_keep_their_order_whatever_becomes_of_relays(
    fleet: Fleet, producer: Producer, history: TakeHistory
) -> None:
    *_, first, second = fleet.start("worker", "worker", *2 * ["relay dies-before-marking"])
    commands = a_life(producer, states=("PENDING", "RUNNING") * 40)
    for number, command in enumerate(commands, 1):
        producer.send({**command, "partitionkey": "k", "sequence": str(number)})
    first.wait()
    second.wait()
    fleet.start("relay", "relay")

    whole = history(commands)

    assert whole.violations() == []
    versions = [int(event["sequence"]) for event in whole.changes()]
    assert all(second == first + 1 for first, second in pairwise(versions))
