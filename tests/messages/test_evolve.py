"""Changed copies of frozen values."""

from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from messages.evolve import evolve, filled, made, revised
from messages.runs import FlowRun, TaskRun
from messages.states import StateDetails
from tests.messages.test_told import FLOW_RUN

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_changed_copy_is_what_replace_makes() -> None:
    assert evolve(FLOW_RUN, version=7, name="x") == replace(FLOW_RUN, version=7, name="x")
    assert FLOW_RUN.version == 0


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="verzion"):
        evolve(FLOW_RUN, verzion=7)


def test_a_copy_is_as_frozen_as_the_value() -> None:
    with pytest.raises(FrozenInstanceError):
        evolve(FLOW_RUN, version=7).version = 8  # type: ignore[misc]


def test_a_value_made_of_all_its_fields_is_equal() -> None:
    assert made(type(FLOW_RUN), dict(FLOW_RUN.__dict__)) == FLOW_RUN


def test_a_filled_value_has_the_defaults_of_its_class_in_the_order_of_its_fields() -> None:
    given: dict[str, Any] = {
        "id": uuid4(),
        "name": "x",
        "task_key": "k",
        "dynamic_key": "0",
        "created": NOON,
        "updated": NOON,
    }
    with_factories: dict[str, Any] = {"task_inputs": {}, "tags": [], "labels": {}}

    made_quickly = filled(TaskRun, **given, **with_factories)

    assert made_quickly == TaskRun(**given)
    assert list(made_quickly.__dict__) == [each.name for each in fields(TaskRun)]


def test_a_filled_value_misses_nothing_and_has_no_other_fields() -> None:
    given = dict(FLOW_RUN.__dict__)
    with pytest.raises(TypeError, match=r"FlowRun: no fields \['verzion'\]"):
        filled(FlowRun, **given, verzion=7)
    del given["name"]
    with pytest.raises(TypeError, match=r"missing \['name'\]"):
        filled(FlowRun, **given)


def test_a_revised_model_is_what_model_copy_makes() -> None:
    details = StateDetails(flow_run_id=FLOW_RUN.id, deferred=True)
    changed = revised(details, cache_key="k", deferred=None)
    expected = details.model_copy(update={"cache_key": "k", "deferred": None})
    assert (changed, changed.model_fields_set) == (expected, expected.model_fields_set)
    assert changed.model_dump_json() == expected.model_dump_json()
    assert details.cache_key is None


def test_a_field_that_a_model_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError, match="cachekey"):
        revised(StateDetails(), cachekey="k")


def test_a_revised_model_is_as_frozen_as_the_model() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        revised(StateDetails(), cache_key="k").cache_key = "l"  # type: ignore[misc]
