"""However commands are cut into batches, they come to the same: the same answers, the same rows, the same events."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from store.engine import open_engine
from tests.pipeline.workshop import Envelope, Workshop, batch, command
from tests.servers import Servers, fresh_database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STATES = (
    "SCHEDULED",
    "PENDING",
    "RUNNING",
    "PAUSED",
    "COMPLETED",
    "FAILED",
    "CANCELLING",
    "CANCELLED",
    "CRASHED",
)
# Drawn anew in each transaction, or dependent on how many there were.
UNCERTAIN = {
    *(
        "id",
        "flow_id",
        "task_run_id",
        "lease_id",
        "state_id",
        "concurrency_limit_id",
        "subject",
        "partitionkey",
    ),
    *("time", "created", "updated", "timestamp", "state_timestamp", "scheduled_time", "expires_at"),
    *("start_time", "end_time", "expected_start_time", "next_scheduled_start_time", "total_run_time"),
    *("causationid", "replayed", "name", "pause_keys"),
}

ROWS = {
    "flow runs": "SELECT version, run_count, state_name, tags::text, labels FROM flow_run ORDER BY 1, 2, 3, 4, 5",
    "task runs": "SELECT version, run_count, state_name, tags::text FROM task_run ORDER BY 1, 2, 3, 4",
    "slots": "SELECT holder_kind, sum(slots) AS slots FROM concurrency_slot GROUP BY 1 ORDER BY 1",
    "limits": 'SELECT name, "limit" FROM concurrency_limit ORDER BY name',
}


def story(seed: int, length: int = 150) -> list[Envelope]:
    """Commands on few objects, so that they meet often."""
    dice = random.Random(seed)
    ids = [str(UUID(int=dice.getrandbits(128), version=4)) for _ in range(10)]
    runs, tasks, deployment = ids[:5], ids[5:9], ids[9]

    def one() -> tuple[str, dict[str, Any]]:
        run, task, state = dice.choice(runs), dice.choice(tasks), {"type": dice.choice(STATES)}
        key, force = dice.choice("abc"), dice.random() < 0.3
        return dice.choice(
            (
                ("flow_run.set_state", {"flow_run_id": run, "state": state, "force": force}),
                ("flow_run.set_state", {"flow_run_id": run, "state": state}),
                ("task_run.set_state", {"task_run_id": task, "state": state, "force": force}),
                ("task_run.set_state", {"task_run_id": task, "state": state}),
                (
                    "flow_run.create",
                    {"id": run, "flow_name": "f", "deployment_id": dice.choice((None, deployment))},
                ),
                ("flow_run.create", {"flow_name": "f", "idempotency_key": key}),
                ("task_run.create", {"id": task, "task_key": "t", "dynamic_key": task, "tags": ["x", key]}),
                ("flow_run.update", {"flow_run_id": run, "tags": [key]}),
                ("flow_run.set_labels", {"flow_run_id": run, "labels": {key: dice.random()}}),
                ("flow_run.delete", {"flow_run_id": run}) if force else ("flow.upsert", {"name": key}),
                ("task_run.delete", {"task_run_id": task}) if force else ("flow.upsert", {"nmae": key}),
                ("concurrency_limit.upsert", {"name": "tag:x", "limit": dice.randint(0, 2)}),
                ("concurrency_limit.acquire", {"names": ["l", "tag:x"], "slots": 1}),
                ("concurrency_limit.release", {"names": ["tag:x"], "slots": 1}),
            )
        )

    limit = {"id": deployment, "name": "d", "flow_name": "f", "concurrency_limit": 1}
    told = [("deployment.upsert", limit), *(one() for _ in range(length))]
    return [command(*each, id=str(UUID(int=number + 1))) for number, each in enumerate(told)]


def pieces(seed: int, commands: list[Envelope]) -> Iterator[list[Envelope]]:
    """Random sizes, some as `batch` messages."""
    dice, rest = random.Random(seed), list(commands)
    while rest:
        size = dice.randint(1, 40)
        taken, rest = rest[:size], rest[size:]
        yield [batch(*taken)] if dice.random() < 0.5 else taken


def certain(value: Any) -> Any:
    """Without what is drawn anew each time."""
    if isinstance(value, dict):
        return {key: certain(item) for key, item in value.items() if key not in UNCERTAIN}
    return [certain(item) for item in value] if isinstance(value, list) else value


def outcome(servers: Servers, template: str, fetches: list[list[Envelope]]) -> dict[str, Any]:
    """What the fetches come to, on a database of their own."""
    seconds = count()
    with fresh_database(servers, template) as url:
        engine = open_engine(url)
        workshop = Workshop(engine, url, clock=lambda: NOON + timedelta(milliseconds=next(seconds)))
        results = [result for fetch in fetches for result in workshop.handle(*fetch)]
        told = {
            "results": [certain(result) for result in sorted(results, key=lambda it: it["causationid"])],
            "events": [certain(event) for event in workshop.events()],
            **{name: workshop.rows(statement) for name, statement in ROWS.items()},
        }
        engine.dispose()
    return told


@pytest.mark.parametrize("seed", range(4))
def test_one_by_one_all_at_once_and_in_random_pieces_come_to_the_same(
    servers: Servers, template_database: str, seed: int
) -> None:
    commands = story(seed)
    one_by_one = outcome(servers, template_database, [[each] for each in commands])
    statuses = {result["data"]["status"] for result in one_by_one["results"]}
    assert statuses >= {"OK", "ACCEPT", "ABORT", "ERROR"}, "a story worth telling"
    assert outcome(servers, template_database, [commands]) == one_by_one
    assert outcome(servers, template_database, [[batch(*commands)]]) == one_by_one
    assert outcome(servers, template_database, list(pieces(seed, commands))) == one_by_one
