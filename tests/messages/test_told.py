"""What is told as JSON fits the schemas that are published."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from messages.answers import FlowRunPage, States
from messages.asyncapi import json_schemas
from messages.catalog import Flow
from messages.errors import ErrorCode, fault
from messages.events import FlowRunRef, FlowRunStateChanged, RunDeleted
from messages.results import (
    CommandRef,
    Details,
    ErrorBody,
    FlowRunCreated,
    FlowUpserted,
    StateSet,
    Status,
    TaskRunCreated,
    summary,
)
from messages.runs import FlowRun, TaskRun
from messages.states import State, StateDetails, StateType
from store.encoding import encode

ID = UUID("ae16da4a-9ef3-4a2a-8f02-21fd797ad543")
NOW = datetime(2026, 11, 23, 5, 9, 21, 246_000, UTC)
STATE = State(
    id=ID, type=StateType.RUNNING, name="Running", timestamp=NOW, state_details=StateDetails(flow_run_id=ID)
)
FLOW_RUN = FlowRun(
    id=ID, created=NOW, updated=NOW, name="calm-otter", flow_id=ID, state=STATE, start_time=NOW
)
TASK_RUN = TaskRun(id=ID, created=NOW, updated=NOW, name="t", task_key="t", dynamic_key="0")
FLOW = Flow(id=ID, created=NOW, updated=NOW, name="etl")
CHANGED = FlowRunStateChanged(
    run=FlowRunRef(
        id=ID, name="x", flow_id=ID, flow_name="etl", deployment_id=None, tags=[], version=3, run_count=1
    ),
    initial_state=None,
    validated_state=STATE,
    intended={"from": None, "to": StateType.RUNNING},
    status=Status.ACCEPT,
)

RESULTS: list[tuple[str, Status, Any]] = [
    ("flow.upsert", Status.OK, FlowUpserted(flow=FLOW, created=True)),
    ("flow_run.create", Status.OK, FlowRunCreated(flow_run=FLOW_RUN, created=True)),
    ("task_run.create", Status.OK, TaskRunCreated(task_run=TASK_RUN, created=True)),
    (
        "flow_run.set_state",
        Status.WAIT,
        StateSet(state=STATE, details=Details(delay_seconds=30), run=summary(FLOW_RUN)),
    ),
    ("flow_run.list", Status.OK, FlowRunPage(items=[FLOW_RUN, {"id": str(ID), "name": "x"}], next=None)),
    ("flow_run.states", Status.OK, States(items=[STATE])),
]
EVENTS: list[tuple[str, Any]] = [
    ("flow_run.created", FLOW_RUN),
    ("task_run.updated", TASK_RUN),
    ("flow_run.state_changed", CHANGED),
    ("flow_run.deleted", RunDeleted(id=ID)),
]


def check(message_type: str, data: Any) -> None:
    """Checks a published message against the schema of its type."""
    envelope = {"specversion": "1.0", "id": "1", "source": "interlock", "type": message_type, "data": data}
    schema = json_schemas()[message_type]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(json.loads(encode(envelope)))


@pytest.mark.parametrize(("command_type", "status", "body"), RESULTS)
def test_results_fit_their_schema(command_type: str, status: Status, body: Any) -> None:
    told = json.loads(encode(body))
    common = {"command": CommandRef(id="c", type=command_type), "status": status, "replayed": False}
    check(f"{command_type}.result", {**common, "error": None, **told})


def test_errors_fit_their_schema() -> None:
    error = ErrorBody(code=ErrorCode.CONFLICT, message="no", errors=[fault("taken", "id", 0)])
    common = {"command": CommandRef(id="c", type="flow.upsert"), "status": Status.ERROR, "replayed": True}
    check("flow.upsert.result", {**common, "error": error})


@pytest.mark.parametrize(("event_type", "data"), EVENTS)
def test_events_fit_their_schema(event_type: str, data: Any) -> None:
    check(event_type, data)
