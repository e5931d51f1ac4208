"""Arrays in binary form arrive as what they were made of."""

from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import arrays, driver
from store.transaction import Engine, session

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)


def read_back(engine: Engine, array: Any) -> Any:
    with session(engine) as connection:
        return driver.scalar(connection, "SELECT %(array)s", {"array": array})


@given(st.lists(TEXTS | st.none()))
@SHARED
def test_texts_and_nulls(engine: Engine, values: list[str | None]) -> None:
    assert read_back(engine, arrays.texts(values)) == values


@given(st.lists(TEXTS))
@SHARED
def test_texts_that_are_in_utf_8_already(engine: Engine, values: list[str]) -> None:
    assert read_back(engine, arrays.texts(value.encode() for value in values)) == values


@given(st.lists(st.uuids()))
@SHARED
def test_ids(engine: Engine, values: list[UUID]) -> None:
    assert read_back(engine, arrays.uuids(values)) == values


@given(st.lists(st.binary()))
@SHARED
def test_strings_of_bytes(engine: Engine, values: list[bytes]) -> None:
    assert read_back(engine, arrays.byteas(values)) == values
