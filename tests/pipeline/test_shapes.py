"""What the pipeline says has the shapes that the registry publishes: no member more, none less."""

import json
from dataclasses import fields
from typing import Any
from uuid import uuid4

import pytest
from pydantic import TypeAdapter

from messages.registry import EVENTS, RESULTS
from tests.pipeline.workshop import Workshop, command

COMMON = {"command", "status", "replayed", "error"}
# Said only where it applies.
OPTIONAL = {"concurrency_limit.acquire": {"details", "lease"}}


def everything(run: str, task: str, deployment: str) -> list[tuple[str, dict[str, Any]]]:
    """Each type of command at least once."""
    state = {"type": "RUNNING"}
    return [
        ("flow.upsert", {"name": "f"}),
        ("work_pool.upsert", {"name": "p"}),
        ("work_queue.upsert", {"name": "q", "work_pool_name": "p"}),
        ("deployment.upsert", {"id": deployment, "name": "d", "flow_name": "f", "work_pool_name": "p"}),
        ("concurrency_limit.upsert", {"name": "l", "limit": 1}),
        ("concurrency_limit.acquire", {"names": ["l"], "slots": 1, "lease_seconds": 9}),
        ("concurrency_limit.acquire", {"names": ["l"], "slots": 1}),
        ("concurrency_limit.release", {"names": ["l"], "slots": 1}),
        ("notification_policy.upsert", {"id": run, "notify": "ops"}),
        (
            "flow_run.create",
            {"id": run, "flow_name": "f", "deployment_id": deployment, "created_by": {"type": "x"}},
        ),
        ("flow_run.set_state", {"flow_run_id": run, "state": {"type": "PENDING"}}),
        ("flow_run.set_state", {"flow_run_id": run, "state": {**state, "data": {"any": [1]}}}),
        ("flow_run.update", {"flow_run_id": run, "name": "n"}),
        ("flow_run.set_labels", {"flow_run_id": run, "labels": {"l": 1}}),
        (
            "task_run.create",
            {"id": task, "flow_run_id": run, "task_key": "t", "dynamic_key": "0", "state": state},
        ),
        ("task_run.set_state", {"task_run_id": task, "state": {"type": "COMPLETED"}}),
        ("task_run.update", {"task_run_id": task, "name": "n"}),
        (
            "task_run.create",
            {
                "task_key": "t",
                "dynamic_key": "1",
                "state": {"type": "SCHEDULED", "state_details": {"deferred": True}},
            },
        ),
        ("artifact.create", {"key": "k", "flow_run_id": run}),
        ("task_run.delete", {"task_run_id": task}),
        ("flow_run.delete", {"flow_run_id": run}),
        ("notification_policy.delete", {"id": run}),
        ("concurrency_limit.delete", {"name": "l"}),
        ("deployment.delete", {"deployment_id": deployment}),
    ]


@pytest.fixture
def said(workshop: Workshop) -> Workshop:
    """A workshop in which each type of command has been applied."""
    ids = [str(uuid4()) for _ in range(3)]
    for each in everything(*ids):
        [result] = workshop.handle(command(*each))
        assert result["data"]["status"] != "ERROR", result
    return workshop


def test_every_result_has_the_shape_of_its_type(said: Workshop) -> None:
    rows = [json.loads(row["result"]) for row in said.rows("SELECT result FROM command")]
    kinds = {row["data"]["command"]["type"] for row in rows}
    assert kinds == {kind for kind in RESULTS if kind in dict(everything("", "", ""))}
    for row in rows:
        kind = row["data"]["command"]["type"]
        body = {name: value for name, value in row["data"].items() if name not in COMMON}
        names = {field.name for field in fields(RESULTS[kind])}
        missing = names - body.keys() - OPTIONAL.get(kind, set())
        assert (missing, body.keys() - names) == (set(), set()), kind
        TypeAdapter(RESULTS[kind]).validate_json(json.dumps(body))


def test_every_event_has_the_shape_of_its_type(said: Workshop) -> None:
    events = said.events()
    assert {event["type"] for event in events} == EVENTS.keys() - {"command.dead_lettered"}
    for event in events:
        shape = EVENTS[event["type"]]
        assert event["data"].keys() == {field.name for field in fields(shape)}, event["type"]
        TypeAdapter(shape).validate_json(json.dumps(event["data"]))
