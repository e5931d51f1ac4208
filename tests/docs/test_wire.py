"""docs/wire.md: every message is there, and is what the models and their JSON Schemas say."""

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from messages.asyncapi import json_schemas
from messages.envelope import Envelope
from messages.registry import EVENTS, INPUTS, RESULTS
from tests.docs.documents import PROJECT, Block, blocks, blocks_of

SHOWN = [block for block in blocks_of(PROJECT / "docs" / "wire.md") if block.language == "json"]


@cache
def schemas() -> dict[str, Any]:
    return json_schemas()


def types_shown() -> list[str]:
    return [json.loads(block.text)["type"] for block in SHOWN]


def test_every_command_and_query_is_shown_with_its_result_and_every_event() -> None:
    shown = types_shown()
    # A batch has no result of its own: its commands have.
    results = {f"{name}.result" for name in RESULTS} - {"batch.result"}

    assert set(shown) == {*INPUTS, *results, *EVENTS}


@pytest.mark.parametrize("block", SHOWN, ids=str)
def test_a_message_shown_is_valid(block: Block) -> None:
    message = json.loads(block.text)

    Draft202012Validator(schemas()[message["type"]]).validate(message)
    if message["type"] in INPUTS:
        INPUTS[message["type"]].model_validate(Envelope.model_validate(message).data)


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_in_the_documents_is_json(block: Block) -> None:
    json.loads(block.text)
