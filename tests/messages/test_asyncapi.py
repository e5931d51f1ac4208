"""The documents made from the models."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from messages.asyncapi import document, json_schemas
from messages.registry import COMMANDS, EVENTS, INPUTS, QUERIES, RESULTS
from tests.messages.examples import DATA, RUN, envelope

SCHEMAS = json_schemas()
DOCUMENT = document()
ALL = {*INPUTS, *(f"{name}.result" for name in RESULTS), *EVENTS}


def validator(name: str) -> Draft202012Validator:
    """Checks messages of one type."""
    return Draft202012Validator(SCHEMAS[name], format_checker=FormatChecker())


def references(value: Any) -> Iterator[str]:
    """All references in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def resolve(root: Any, reference: str) -> Any:
    """What a reference within a document points to."""
    assert reference.startswith("#/"), reference
    for part in reference[2:].split("/"):
        root = root[part.replace("~1", "/").replace("~0", "~")]
    return root


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_a_valid_schema_that_stands_alone(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    for reference in references(SCHEMAS[name]):
        resolve(SCHEMAS[name], reference)


def test_every_type_has_a_schema() -> None:
    assert set(SCHEMAS) == ALL | {"Envelope", "PublishedEnvelope"}


@pytest.mark.parametrize("name", sorted(DATA))
def test_the_examples_are_valid(name: str) -> None:
    validator(name).validate(envelope(name))


@pytest.mark.parametrize("name", sorted(DATA))
def test_an_unknown_member_is_not_valid(name: str) -> None:
    message = envelope(name)
    message["data"] = {**message["data"], "surprise": 1}
    assert not validator(name).is_valid(message)


def test_a_message_is_not_valid_as_another() -> None:
    assert not validator("flow_run.delete").is_valid(envelope("flow_run.create"))


def test_the_document_has_no_dangling_references() -> None:
    found = list(references(DOCUMENT))
    assert len(found) > 500
    for reference in found:
        resolve(DOCUMENT, reference)


def test_the_document_names_every_type_where_it_travels() -> None:
    channels = DOCUMENT["channels"]
    assert set(channels["commands"]["messages"]) == {*COMMANDS, "batch"}
    assert set(channels["queries"]["messages"]) == set(QUERIES)
    assert set(channels["replies"]["messages"]) == {f"{name}.result" for name in RESULTS}
    assert set(channels["events"]["messages"]) == set(EVENTS)
    assert set(channels["notifications"]["messages"]) == {"notification"}
    assert set(DOCUMENT["components"]["messages"]) == ALL


def test_every_command_and_query_is_answered_on_the_replies() -> None:
    for name in INPUTS:
        operation = DOCUMENT["operations"][f"receive.{name}"]
        assert operation["action"] == "receive"
        assert operation["reply"]["messages"] == [{"$ref": f"#/channels/replies/messages/{name}.result"}]


def test_messages_are_correlated() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert messages["flow.upsert"]["correlationId"]["location"].endswith("#/id")
    assert messages["flow.upsert.result"]["correlationId"]["location"].endswith("#/causationid")


def test_the_document_is_json() -> None:
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT


def result(name: str, status: str, **body: Any) -> dict[str, Any]:
    """The envelope of a result."""
    return {
        "specversion": "1.0",
        "id": "r1",
        "source": "interlock",
        "type": f"{name}.result",
        "time": "2026-11-23T05:09:28.001Z",
        "subject": RUN,
        "causationid": "c1",
        "data": {
            "command": {"id": "c1", "type": name},
            "status": status,
            "replayed": False,
            "error": None,
            **body,
        },
    }


def test_results_hold_what_their_command_brings() -> None:
    schema = validator("flow_run.update.result")
    schema.validate(result("flow_run.update", "OK", updated=True))
    assert not schema.is_valid(result("flow_run.update", "OK"))
    assert not schema.is_valid(result("flow_run.update", "ACCEPT", updated=True))


def test_errors_hold_their_code_alone() -> None:
    schema = validator("flow_run.create.result")
    error = {"code": "not_found", "message": "no such flow", "errors": []}
    schema.validate(result("flow_run.create", "ERROR", error=error))
    assert not schema.is_valid(result("flow_run.create", "ERROR"))


def test_events_have_their_shapes() -> None:
    state = {"id": RUN, "type": "RUNNING", "name": "Running", "timestamp": "2026-11-23T05:09:28Z"}
    run: dict[str, Any] = {
        "id": RUN,
        "name": "calm-otter",
        "flow_id": RUN,
        "flow_name": "etl",
        "deployment_id": None,
        "tags": [],
        "version": 3,
        "run_count": 1,
    }
    data = {
        "run": run,
        "initial_state": None,
        "validated_state": state,
        "intended": {"from": None, "to": "RUNNING"},
        "status": "ACCEPT",
    }
    event = {**result("x", "OK"), "type": "flow_run.state_changed", "sequence": "3", "data": data}
    validator("flow_run.state_changed").validate(event)
    assert not validator("flow_run.state_changed").is_valid({**event, "data": {**data, "intended": {}}})
