"""The quick encoder says what pydantic says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages import wire
from messages.runs import FlowRunPolicy, TaskRunPolicy
from messages.states import ProposedState, StateDetails, StateType
from store.encoding import encode, encode_sorted
from tests.messages.test_told import EVENTS, ID, NOW, RESULTS

VALUES: list[Any] = [
    *(body for _, _, body in RESULTS),
    *(data for _, data in EVENTS),
    StateDetails(),
    StateDetails(flow_run_id=ID, scheduled_time=NOW, deferred=None, run_input_keyset={"a": "b"}),
    FlowRunPolicy(retries=3, retry_delay=5, pause_keys=frozenset({"a"}), resuming=True),
    TaskRunPolicy(retry_delay=[1, 2], retry_jitter_factor=0.5),
    ProposedState(type=StateType.PAUSED, data={"a": [1, None]}),
]
INSTANTS = st.datetimes(timezones=st.just(UTC))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    SCALARS | TEXTS, lambda child: st.lists(child) | st.dictionaries(TEXTS, child), max_leaves=20
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_told_reads_the_same(value: Any) -> None:
    assert json.loads(encode(value)) == json.loads(wire.encode(value))


@given(JSON)
def test_any_json_comes_back_as_it_was(value: Any) -> None:
    assert json.loads(encode(value)) == value


@given(INSTANTS)
def test_times_are_written_as_the_client_writes_them(moment: datetime) -> None:
    assert encode(moment) == wire.encode(moment)


def test_integers_of_any_length_keep_their_digits() -> None:
    assert encode([2**64, -(10**299)]) == f"[{2**64},-1{'0' * 299}]".encode()


def test_a_value_without_a_json_form_is_no_message() -> None:
    with pytest.raises(NotImplementedError, match="timezone has no JSON form"):
        encode(UTC)
    with pytest.raises(UnicodeEncodeError):
        encode("\ud800")


def test_sorted_texts_do_not_depend_on_the_order_of_keys() -> None:
    one = {"b": [{"z": 1, "a": 2}], "a": UUID(int=1), "t": NOW + timedelta(microseconds=1)}
    assert encode_sorted(one) == encode_sorted(dict(reversed(one.items())))
    assert encode_sorted({"b": [{"a": 2, "z": 1}], "a": one["a"], "t": one["t"]}) == encode_sorted(one)
    assert encode_sorted({"b": 1.0}) != encode_sorted({"b": 1.5})
