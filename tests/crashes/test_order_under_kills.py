"""Commands with `sequence` come permuted and repeated while their workers are killed: each key keeps its order."""

import random
from uuid import uuid4

import psycopg
import pytest
from redis import Redis

from tests.crashes.history import History, at_rest, from_database, messages_left
from tests.crashes.processes import Fleet, until
from tests.crashes.producer import Envelope, Producer
from tests.crashes.test_random_kills import Killer
from workers.settings import Settings

KEYS, LENGTH, WINDOW, PATIENCE_S = 4, 300, 100, 120.0


def a_life(producer: Producer, key: str) -> list[Envelope]:
    run = str(uuid4())
    states = [{"type": ("PENDING", "RUNNING")[n % 2], "name": f"n{n}"} for n in range(1, LENGTH)]
    kinds = [("flow_run.create", {"id": run, "flow_name": "f"})] + [
        ("flow_run.set_state", {"flow_run_id": run, "state": state, "force": True}) for state in states
    ]
    return [
        producer.command(kind, data, partitionkey=key, sequence=str(number))
        for number, (kind, data) in enumerate(kinds, 1)
    ]


def permuted(commands: list[Envelope], dice: random.Random) -> list[Envelope]:
    """Each up to a window from its place, one to five times."""
    copies = [
        (place + dice.uniform(0, WINDOW), command)
        for place, command in enumerate(commands)
        for _ in range(dice.randint(1, 5))
    ]
    return [command for _, command in sorted(copies, key=lambda it: it[0])]


@pytest.mark.parametrize("seed", [1, 2])
def test_each_key_is_applied_once_and_in_its_order(
    fleet: Fleet, producer: Producer, redis: Redis, settings: Settings, seed: int
) -> None:
    dice = random.Random(seed)
    lives = [a_life(producer, f"k{number}") for number in range(KEYS)]
    killer = Killer(fleet.start("worker", "worker", "relay")[:2], seed)
    killer.start()
    try:
        rows = [permuted(life, dice) for life in lives]
        while any(rows):
            for row in rows:
                producer.send(*row[:40])
                del row[:40]
        until(lambda: killer.kills >= 3, PATIENCE_S, what="three kills")
    finally:
        killer.stop()
    sent = {command["id"]: command for life in lives for command in life}
    until(
        lambda: (
            sent.keys() <= producer.answered() and at_rest(settings.database_url, redis, settings.namespace)
        ),
        PATIENCE_S,
        every_s=0.2,
        what=f"rest after {killer.kills} kills; {fleet.log()[-4000:]}",
    )
    history = from_database(settings.database_url, History(sent, producer.results(), producer.events()))
    history.waiting = messages_left(redis, settings.namespace)
    assert history.violations() == []
    with psycopg.connect(settings.database_url) as connection:
        for life in lives:
            names = connection.execute(
                "SELECT name FROM flow_run_state WHERE flow_run_id = %s ORDER BY timestamp",
                [life[0]["data"]["id"]],
            ).fetchall()
            assert [name for (name,) in names] == [f"n{n}" for n in range(1, LENGTH)]
