"""What each type of message may hold."""

from typing import Any

import pytest
from pydantic import ValidationError

from messages.filters import FlowRunFilter, FlowRunOfTask
from messages.queries import FLOW_RUN_COLUMNS, ListFlowRuns
from messages.registry import COMMANDS, EVENTS, INPUTS, QUERIES, RESULTS, queue_of
from tests.messages.examples import DATA, RUN


def faults(message_type: str, data: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """Where data are refused, and why."""
    with pytest.raises(ValidationError) as caught:
        INPUTS[message_type].model_validate(data)
    return [(fault["loc"], fault["type"]) for fault in caught.value.errors()]


def test_every_type_has_an_example_and_a_result() -> None:
    assert set(DATA) == set(INPUTS) == set(RESULTS)


@pytest.mark.parametrize("message_type", sorted(INPUTS))
def test_data_come_out_as_they_went_in(message_type: str) -> None:
    data = INPUTS[message_type].model_validate(DATA[message_type])
    assert data.model_dump(mode="json", exclude_unset=True) == DATA[message_type]


@pytest.mark.parametrize("message_type", sorted(INPUTS))
def test_an_unknown_member_is_refused(message_type: str) -> None:
    assert (("surprise",), "extra_forbidden") in faults(message_type, {**DATA[message_type], "surprise": 1})


@pytest.mark.parametrize("message_type", sorted(INPUTS))
def test_data_are_frozen(message_type: str) -> None:
    data = INPUTS[message_type].model_validate(DATA[message_type])
    with pytest.raises(ValidationError):
        setattr(data, next(iter(type(data).model_fields)), None)


@pytest.mark.parametrize(
    ("message_type", "data", "loc"),
    [
        ("flow_run.list", {"limit": 201}, ("limit",)),
        ("flow_run.list", {"limit": -1}, ("limit",)),
        ("flow_run.list", {"offset": -1}, ("offset",)),
        ("flow_run.list", {"offset": 1, "after": "x"}, ()),
        ("flow_run.list", {"sort": "ID_ASC"}, ("sort",)),
        ("task_run.list", {"sort": "START_TIME_ASC"}, ("sort",)),
        ("flow_run.list", {"columns": ["state_typ"]}, ("columns", 0)),
        ("task_run.list", {"columns": ["deployment_id"]}, ("columns", 0)),
        ("flow_run.count", {"flow_runs": {"operator": "xor_"}}, ("flow_runs", "operator")),
        ("flow_run.count", {"flow_runs": {"tags": {"any_": ["a"]}}}, ("flow_runs", "tags", "any_")),
        (
            "task_run.count",
            {"task_runs": {"state": {"type": {"not_any_": []}}}},
            ("task_runs", "state", "type", "not_any_"),
        ),
        (
            "flow_run.count",
            {"flow_runs": {"start_time": {"before_": 1}}},
            ("flow_runs", "start_time", "before_"),
        ),
        ("flow_run.count", {"flow_runs": {"id": {"operator": "or_"}}}, ("flow_runs", "id", "operator")),
        ("flow.read", {}, ()),
        ("flow.read", {"id": RUN, "name": "etl"}, ()),
        ("deployment.read", {"name": "daily"}, ()),
        ("deployment.read", {"id": RUN, "flow_name": "etl"}, ()),
        ("flow_run.read", {"id": "not-an-id"}, ("id",)),
    ],
)
def test_queries_that_cannot_be_answered_are_refused(
    message_type: str, data: dict[str, Any], loc: tuple[str | int, ...]
) -> None:
    assert [where for where, _ in faults(message_type, data)] == [loc]


def test_a_deployment_is_read_by_its_name_and_its_flow() -> None:
    INPUTS["deployment.read"].model_validate({"name": "daily", "flow_name": "etl"})


def test_a_list_has_200_items_at_most_and_by_default() -> None:
    assert ListFlowRuns().limit == 200
    assert ListFlowRuns(limit=0).limit == 0


def test_a_filter_that_is_empty_differs_from_one_that_is_missing() -> None:
    assert ListFlowRuns.model_validate({"deployments": {}}).deployments is not None
    assert ListFlowRuns().deployments is None


def test_filters_are_values() -> None:
    data = {"id": {"any_": [RUN]}, "tags": {"all_": ["a"]}}
    one, other = FlowRunFilter.model_validate(data), FlowRunFilter.model_validate(data)
    assert one == other
    assert hash(one) == hash(other)


def test_a_task_run_filter_asks_for_a_flow_run_unless_told_otherwise() -> None:
    assert FlowRunOfTask().is_null_ is False
    assert FlowRunOfTask(is_null_=None).is_null_ is None


def test_all_fields_of_a_run_can_be_asked_for() -> None:
    assert ListFlowRuns(columns=FLOW_RUN_COLUMNS).columns == FLOW_RUN_COLUMNS


def test_queries_travel_on_their_own_queue_and_all_else_on_the_other() -> None:
    assert {queue_of(name) for name in QUERIES} == {"queries"}
    assert {queue_of(name) for name in [*COMMANDS, "batch", "no.such.type"]} == {"commands"}


def test_no_type_has_two_meanings() -> None:
    assert not set(COMMANDS) & set(QUERIES)
    assert not set(EVENTS) & (set(INPUTS) | {f"{name}.result" for name in RESULTS})
