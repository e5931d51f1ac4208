"""Changed copies of frozen values."""

from dataclasses import FrozenInstanceError, replace

import pytest
from pydantic import ValidationError

from messages.evolve import evolve, made, revised
from messages.states import StateDetails
from tests.messages.test_told import FLOW_RUN


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
