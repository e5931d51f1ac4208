"""Changed copies of frozen values."""

from dataclasses import FrozenInstanceError, replace

import pytest

from messages.evolve import evolve, made
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
