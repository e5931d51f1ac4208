"""Single objects, histories, policies, results of commands."""

from typing import Any
from uuid import UUID

import pytest
from pydantic_core import to_json
from sqlalchemy import Engine, insert, text

from messages.catalog import ConcurrencyOptions
from messages.fields import Data
from messages.ids import uuid7
from messages.registry import QUERIES, RESULTS
from messages.states import StateType
from store.engine import Timeouts, open_engine
from store.reads.snapshot import for_reading
from store.tables.delivery import attempt, command
from store.transaction import transaction
from tests.reads.builders import NOON, World, at
from workers.queries.answer import ANSWERS, answer
from workers.queries.asked import Limits

NOWHERE = UUID(int=1)


def test_every_query_has_an_answer() -> None:
    assert ANSWERS.keys() == QUERIES.keys()


def test_an_unknown_query_is_an_error(world: World) -> None:
    outcome = answer(world.connection, "flow_run.guess", Data(), Limits(), now=NOON)
    assert outcome.error is not None
    assert outcome.error.code == "unknown_type"


@pytest.mark.parametrize("kind", ["flow_run", "task_run", "flow", "deployment", "concurrency_limit"])
def test_what_is_missing_is_not_found(world: World, kind: str) -> None:
    result = world.ask(f"{kind}.read", id=NOWHERE)
    assert (result["status"], result["found"], result[kind]) == ("OK", False, None)


@pytest.mark.parametrize("query_type", [name for name in QUERIES if not name.endswith(("list", "count"))])
def test_answers_have_the_members_that_are_promised(world: World, query_type: str) -> None:
    run = world.flow_run(StateType.RUNNING)
    kind, verb = query_type.split(".")
    result = world.ask(query_type, **{"id" if verb == "read" else f"{kind}_id": run.id})
    promised = set(RESULTS[query_type].__dataclass_fields__)  # type: ignore[attr-defined]
    assert promised == result.keys() - {"command", "status", "replayed", "error"}


def test_what_was_asked_for_by_its_id_is_the_subject(world: World) -> None:
    run = world.flow_run()
    for query_type in ("flow_run.read", "flow_run.states", "flow_run.graph"):
        data = QUERIES[query_type](**{"id" if query_type.endswith("read") else "flow_run_id": run.id})
        assert answer(world.connection, query_type, data, Limits(), now=NOON).subject == run.id
    no_id = QUERIES["flow_run.count"]()
    assert answer(world.connection, "flow_run.count", no_id, Limits(), now=NOON).subject is None


def test_runs_are_read_whole_with_the_data_of_their_state(world: World) -> None:
    run = world.flow_run(name="run", tags=["a"], parameters={"x": {"y": 1}})
    kept = world.artifact(run, data={"answer": 42})
    state = world.state(run, type="COMPLETED", name="Done", result_artifact_id=kept, message="m")
    columns = "state_id = %(state)s, state_type = 'COMPLETED', state_name = 'Done'"
    world.connection.exec_driver_sql(f"UPDATE flow_run SET {columns}", {"state": state})
    result = world.ask("flow_run.read", id=run.id)
    assert result["found"] is True
    assert result["flow_run"]["state"]["data"] == {"answer": 42}
    assert result["flow_run"]["state"]["message"] == "m"
    assert result["flow_run"]["parameters"] == {"x": {"y": 1}}
    assert result["flow_run"]["empirical_policy"]["pause_keys"] == []


def test_a_run_without_a_state_has_none(world: World) -> None:
    run = world.task_run(None, name="t")
    result = world.ask("task_run.read", id=run.id)
    assert (result["task_run"]["name"], result["task_run"]["state"]) == ("t", None)


def test_flows_are_read_by_id_and_name(world: World) -> None:
    flow = world.flow(name="etl", tags=["x"])
    by_name = world.ask("flow.read", name="etl")
    assert by_name == world.ask("flow.read", id=flow.id)
    assert by_name["flow"]["tags"] == ["x"]
    assert world.ask("flow.read", name="ETL")["found"] is False


def test_deployments_are_read_by_id_and_by_flow_and_name(world: World) -> None:
    flow = world.flow(name="etl")
    limit_id = world.limit("deployment:x", limit=4)
    options = ConcurrencyOptions(grace_period_seconds=9)
    values: dict[str, Any] = {"concurrency_limit_id": limit_id, "concurrency_options": options}
    deployment = world.deployment(name="prod", flow_id=flow.id, **values)
    result = world.ask("deployment.read", id=deployment.id)
    assert result["deployment"]["concurrency_limit"] == 4
    assert result["deployment"]["concurrency_options"]["grace_period_seconds"] == 9
    assert world.ask("deployment.read", name="prod", flow_id=flow.id) == result
    assert world.ask("deployment.read", name="prod", flow_name="etl") == result
    assert world.ask("deployment.read", name="prod", flow_name="other")["found"] is False
    assert world.ask("deployment.read", name="other", flow_name="etl")["found"] is False


def test_the_slots_of_a_limit_are_those_whose_leases_have_not_expired(world: World) -> None:
    limit_id = world.limit("tag:db", limit=9)
    world.lease(limit_id, 2)
    world.lease(limit_id, 3, expires_at=at(1))
    world.lease(limit_id, 4, expires_at=NOON)
    world.lease(world.limit("other"), 1)
    result = world.ask("concurrency_limit.read", name="tag:db")
    assert (result["concurrency_limit"]["limit"], result["concurrency_limit"]["active_slots"]) == (9, 5)
    assert world.ask("concurrency_limit.read", id=limit_id) == result


def test_a_limit_that_nobody_holds_has_no_active_slots(world: World) -> None:
    world.limit("free")
    assert world.ask("concurrency_limit.read", name="free")["concurrency_limit"]["active_slots"] == 0


def test_policies_are_listed_in_the_order_of_their_ids(world: World) -> None:
    for number, active in ((3, True), (1, False), (2, True)):
        world.policy(id=UUID(int=number), is_active=active)

    def listed(**data: Any) -> list[int]:
        return [UUID(item["id"]).int for item in world.ask("notification_policy.list", **data)["items"]]

    assert listed() == [1, 2, 3]
    assert listed(is_active=True) == [2, 3]
    assert listed(is_active=False) == [1]
    assert listed(id=UUID(int=2)) == [2]
    assert listed(id=NOWHERE, is_active=True) == []
    assert listed(offset=1, limit=1) == [2]


@pytest.mark.parametrize("kind", ["flow_run", "task_run"])
def test_states_are_told_oldest_first(world: World, kind: str) -> None:
    run = world.flow_run() if kind == "flow_run" else world.task_run(None)
    for second, name in ((3, "Completed"), (1, "Pending"), (2, "Running")):
        world.state(run, type=name.upper(), name=name, timestamp=at(second))
    items = world.ask(f"{kind}.states", **{f"{kind}_id": run.id})["items"]
    assert [state["name"] for state in items] == ["Pending", "Running", "Completed"]
    assert world.ask(f"{kind}.states", **{f"{kind}_id": NOWHERE})["items"] == []


def test_the_result_of_a_command_can_be_read_later(world: World) -> None:
    command_id = uuid7()
    row = {"id": command_id, "source": "s", "type": "flow.upsert", "fingerprint": b"", "status": "OK"}
    result = {"id": "r", "data": {"status": "OK", "created": True}}
    world.connection.execute(insert(command), {**row, "result": to_json(result).decode(), "finished": NOON})
    found = world.ask("command.read", id=command_id)
    assert (found["found"], found["result"]) == (True, {"status": "OK", "created": True})
    missing = world.ask("command.read", id=NOWHERE)
    assert (missing["found"], missing["result"]) == (False, None)


def test_a_command_that_has_not_ended_is_found_without_a_result(world: World) -> None:
    command_id = uuid7()
    row = {
        "command_id": command_id,
        "attempts": 1,
        "since": NOON,
        "next_attempt_at": NOON,
        "last_error": "e",
        "envelope": {},
        "fingerprint": b"",
    }
    world.connection.execute(insert(attempt), row)
    found = world.ask("command.read", id=command_id)
    assert (found["found"], found["result"]) == (True, None)


def test_a_query_does_not_wait_for_a_run_that_is_locked(database_url: str) -> None:
    writer = open_engine(database_url, timeouts=Timeouts(lock_ms=1_000), pool_size=2)
    with writer.begin() as connection:
        run = World(connection).flow_run(StateType.RUNNING, name="before")
    with writer.begin() as changing, transaction(for_reading(writer)) as reading:
        changing.execute(text("UPDATE flow_run SET name = 'after'"))
        changing.execute(text("LOCK TABLE flow_run_state IN ROW EXCLUSIVE MODE"))
        result = World(reading).ask("flow_run.read", id=run.id)
    assert result["flow_run"]["name"] == "before"
    writer.dispose()


def test_a_snapshot_stays_as_it_was_and_cannot_be_written_to(database_url: str) -> None:
    engine: Engine = open_engine(database_url, pool_size=2)
    with transaction(for_reading(engine)) as reading:
        assert World(reading).ask("flow.read", name="late")["found"] is False
        with engine.begin() as connection:
            World(connection).flow(name="late")
        assert World(reading).ask("flow.read", name="late")["found"] is False
        assert reading.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
    with transaction(for_reading(engine)) as reading:
        assert World(reading).ask("flow.read", name="late")["found"] is True
    with engine.begin() as connection:
        assert connection.execute(text("SHOW transaction_read_only")).scalar_one() == "off"
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
    engine.dispose()
