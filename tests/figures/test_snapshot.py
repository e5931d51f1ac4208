import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from redis import Redis

from messages.client import Client, Pending
from messages.states import StateType
from store.dead_letters import as_bytea, insert
from store.transaction import transaction
from tests.cli.conftest import NOWHERE
from tests.clock.scene import Scene
from tests.crashes.processes import Fleet
from workers.figures.snapshot import DatabaseFigures, Figures, RedisFigures, Source
from workers.now import monotonic, now
from workers.settings import Settings

PATIENCE_S = 60.0


def of_database(source: Source) -> DatabaseFigures:
    figures = source.look()
    assert figures.database is not None, figures.database_trouble
    return figures.database


def of_redis(source: Source) -> RedisFigures:
    figures = source.look()
    assert figures.redis is not None, figures.redis_trouble
    return figures.redis


def test_an_empty_installation_has_figures(source: Source) -> None:
    figures = source.look()
    assert figures.database is not None
    assert figures.redis is not None
    assert set(figures.database.runs.by_state) == set(StateType)
    assert sum(figures.database.runs.by_state.values()) == figures.unfinished_runs == 0
    assert all(each.number == 0 and each.oldest is None for each in figures.database.waiting.values())
    assert [each.ready for each in figures.redis.queues] == [0, 0]
    assert abs(figures.database.skew_s) < 60


def test_runs_are_counted_by_state(scene: Scene, source: Source) -> None:
    for state in ("RUNNING", "RUNNING", "COMPLETED"):
        scene.flow_run({"type": state})
    runs = of_database(source).runs
    assert runs.by_state[StateType.RUNNING] == 2
    assert runs.by_state[StateType.COMPLETED] == 1
    assert not runs.is_estimated


def test_ended_runs_of_a_large_table_are_estimated_and_others_counted(
    scene: Scene, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    for state in ("COMPLETED",) * 8 + ("FAILED",) * 2 + ("RUNNING",):
        scene.flow_run({"type": state})
    scene.execute("ANALYZE flow_run")
    scene.flow_run({"type": "RUNNING"})
    scene.flow_run({"type": "COMPLETED"})
    monkeypatch.setattr("store.reads.figures._LARGEST_COUNTED", 0)
    runs = of_database(source).runs
    assert runs.is_estimated
    assert runs.by_state[StateType.RUNNING] == 2
    assert runs.by_state[StateType.COMPLETED] == 8
    assert runs.by_state[StateType.FAILED] == 2


def test_unfinished_runs_are_counted_by_an_index(scene: Scene) -> None:
    from store.reads import figures

    with transaction(scene.means.engine) as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {figures._RUNS}"))
    assert plan.count("ix_flow_run_type") == 2
    assert "Seq Scan" not in plan


def test_slots_are_told_with_the_fullest_limit_first(scene: Scene, source: Source) -> None:
    for name, limit in (("half", 4), ("full", 1), ("free", 3)):
        scene.do("concurrency_limit.upsert", {"name": name, "limit": limit})
    for names, slots in ((["full"], 1), (["half"], 2)):
        scene.do("concurrency_limit.acquire", {"names": names, "slots": slots, "lease_seconds": 600}, now())
    figures = of_database(source)
    assert [(each.name, each.held, each.limit) for each in figures.limits] == [
        ("full", 1, 1),
        ("half", 2, 4),
        ("free", 0, 3),
    ]
    assert figures.limits_in_all == 3


def test_what_waits_in_the_database_is_told_with_its_age(scene: Scene, source: Source) -> None:
    moment = now() - timedelta(seconds=90)
    scene.flow_run(at=moment)
    early = {"partitionkey": "k", "sequence": "7"}
    scene.do("flow.upsert", {"name": "later"}, moment, **early)
    with transaction(scene.means.engine) as connection:
        row = {"id": uuid4(), "created": moment, "queue": "commands", "reason": "no", "attempts": 0}
        insert(connection, [{**row, "body": as_bytea(b"{")}])
    figures = source.look()
    assert figures.database is not None
    waiting = figures.database.waiting
    for name in ("outbox", "parked_command", "dead_letter"):
        assert waiting[name].number >= 1, name
        age = figures.age_of(waiting[name].oldest)
        assert age is not None
        assert 85 < age < 90 + PATIENCE_S, name


def test_commands_without_a_worker_wait_and_grow_old(
    settings: Settings, source: Source, redis: Redis
) -> None:
    with Client(settings.redis_url, "test", namespace=settings.namespace, close_timeout=0.0) as client:
        client.create_flow_run(flow_name="etl", idempotency_key="1")
        commands = _until(source, lambda told: told.queue("commands").ready == 1).queue("commands")
    assert commands.in_hand == commands.delayed == 0
    assert commands.oldest_s is not None


def test_what_workers_hold_is_counted_from_what_redis_has_handed_out(
    source: Source, redis: Redis, namespace: str
) -> None:
    redis.zadd(f"{namespace}:__heartbeats__", {"w1@commands": time.time() * 1000, "w2@commands": 1.0})
    redis.sadd(f"{namespace}:__acks__.w1@commands.commands", "a", "b")
    redis.sadd(f"{namespace}:__acks__.w2@commands.commands", "c")
    redis.hset(f"{namespace}:commands.DQ.msgs", "d", "{}")
    told = of_redis(source)
    assert (told.queue("commands").in_hand, told.queue("commands").delayed) == (3, 1)
    assert (told.consumers.alive["commands"], told.consumers.silent) == (1, 1)


def test_processes_at_work_are_seen_and_so_is_what_they_do(settings: Settings, source: Source) -> None:
    with Fleet(settings) as fleet:
        fleet.start("worker", "relay")
        with Client(settings.redis_url, "test", namespace=settings.namespace) as client:
            run = client.create_flow_run(flow_name="etl", idempotency_key="1")
            run.set_state(Pending()).result(timeout=PATIENCE_S)
        told = _until(source, lambda told: told.recent.statuses.get("ACCEPT", 0) >= 1)
        assert told.consumers.alive == {"commands": 1, "queries": 1}
        assert sum(told.recent.per_second) == sum(told.recent.statuses.values()) >= 2
        median = told.recent.trips.quantile(0.5)
        assert median is not None
        assert median > 0
        assert of_database(source).relay_is_active


@pytest.mark.parametrize("away", ["redis", "database"])
def test_a_server_that_is_away_leaves_the_part_of_the_other(settings: Settings, away: str) -> None:
    changed = {
        "redis": {"redis_url": f"redis://{NOWHERE}/0"},
        "database": {"database_url": f"postgresql://{NOWHERE}/interlock"},
    }[away]
    source = Source(settings.model_copy(update=changed))
    figures: Figures = source.look()
    source.close()
    assert getattr(figures, away) is None
    assert getattr(figures, f"{away}_trouble")
    there = "database" if away == "redis" else "redis"
    assert getattr(figures, there) is not None


def _until(source: Source, holds: Callable[[RedisFigures], bool]) -> RedisFigures:
    give_up_at = monotonic() + PATIENCE_S
    while True:
        told = of_redis(source)
        if holds(told):
            return told
        assert monotonic() < give_up_at, told
        time.sleep(0.05)
